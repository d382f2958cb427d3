select * from dossier.search(:'query');

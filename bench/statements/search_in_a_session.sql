select * from dossier.search(:'query', session_id => :'session');

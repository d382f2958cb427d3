select * from dossier.document_pages where document_id = :'document' order by page limit 20;

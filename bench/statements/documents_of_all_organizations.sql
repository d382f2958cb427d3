select * from dossier.list_documents(limit_count => 20);

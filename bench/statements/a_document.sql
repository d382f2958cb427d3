select * from dossier.documents where id = :'document';

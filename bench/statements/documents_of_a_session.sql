select * from dossier.documents where session_id = :'session' order by created_at desc, id desc limit 20;

select * from dossier.documents order by created_at desc, id desc limit 20;

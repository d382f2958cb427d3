select * from dossier.sessions order by created_at desc, id desc limit 20;

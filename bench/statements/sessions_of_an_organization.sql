select * from dossier.sessions where organization_id = :'organization' order by created_at desc, id desc limit 20;

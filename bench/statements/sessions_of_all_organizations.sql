select * from dossier.list_sessions(limit_count => 20);

select * from dossier.session_context where session_id = :'session';

-- The last file: what was installed is remembered, so that the doctor can tell what has become of it.

select dossier_private.record_schema();

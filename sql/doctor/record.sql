-- The last file: records the installed schema, so that the doctor can detect changes.

select dossier_private.record_schema();

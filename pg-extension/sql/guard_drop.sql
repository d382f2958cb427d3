-- Native install only: `drop extension dossier` would silently drop every row, since the tables belong to the extension. A
-- hosted install needs no such guard: `drop schema dossier` already requires cascade.

-- Definer: reads tables that the role that drops the extension may not read. PL/pgSQL does not tell an event trigger what is
-- dropped, so it parses the statement. It guards against haste, not against intent.
create function dossier_private.guard_drop()
returns event_trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  statement text := substring(current_query() from '(?i)\mdrop\s+extension\M[^;]*\mdossier\M[^;]*');
  organizations bigint;
  documents bigint;
begin
  if statement is null then
    return;
  end if;
  organizations := (select count(*) from dossier.organizations);
  documents := (select count(*) from dossier.documents);
  if organizations = 0 then
    return;
  elsif statement ~* '\mcascade\M' then
    raise warning 'dropping Dossier with % organizations and % documents', organizations, documents;
  else
    raise exception using
      errcode = 'dependent_objects_still_exist',
      message = format('Dossier contains %s organizations and %s documents', organizations, documents),
      detail = 'Dropping the extension drops its tables with every row, including the bytes of all documents.',
      hint = 'Save them with pg_dump. To drop everything: drop extension dossier cascade.';
  end if;
end
$$;

comment on function dossier_private.guard_drop() is
  'Event trigger: refuses to drop the extension while it contains data. With cascade, only warns.';

revoke execute on function dossier_private.guard_drop() from public;

create event trigger dossier_guard_drop
on ddl_command_start
when tag in ('DROP EXTENSION')
execute function dossier_private.guard_drop();

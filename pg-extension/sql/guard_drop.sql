-- Native install only: `drop extension dossier` would drop every row without asking, since the tables are the
-- extension's own. A hosted install needs no such guard: `drop schema dossier` asks for cascade by itself.

-- Definer: reads tables that whoever drops the extension may not read. An event trigger in PL/pgSQL is not told what is
-- dropped, so it reads the statement; it is a guard against haste, not against intent.
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
      message = format('Dossier holds %s organizations and %s documents', organizations, documents),
      detail = 'To drop the extension drops its tables with every row, the bytes of all documents among them.',
      hint = 'Keep them by pg_dump. If all is to go: drop extension dossier cascade.';
  end if;
end
$$;

comment on function dossier_private.guard_drop() is
  'Event trigger: refuses to drop the extension while it holds data, unless the statement says cascade, and warns then.';

revoke execute on function dossier_private.guard_drop() from public;

create event trigger dossier_guard_drop
on ddl_command_start
when tag in ('DROP EXTENSION')
execute function dossier_private.guard_drop();

-- Helpers of the SQL tests, in the schema tests. They work on any database with Dossier, native or
-- hosted, even with other rows: every test creates its own and rolls back.
--
--   psql -v ON_ERROR_STOP=1 -d DATABASE -f tests/sql/setup.sql    as the owner of the database
--   pg_prove -h 127.0.0.1 -d DATABASE tests/sql/coverage.sql tests/sql/*/*.sql
--                                                       from the root of the repository; over TCP, since the audit log names addresses
--   tests/sql/concurrency.sh DATABASE                                what one transaction cannot show
--
-- To clean up: drop schema tests cascade; drop extension pgtap;

set client_min_messages = warning;
create extension if not exists pgtap;
drop schema if exists tests cascade;
create schema tests;
grant usage on schema tests to public;

create function tests.id(name text) returns uuid
language sql immutable
return md5(name)::uuid;
comment on function tests.id(text) is 'The id of a thing that the fixture made.';

create function tests.login(user_id text, role text default 'authenticated') returns void
language plpgsql
as $$
begin
  perform set_config('role', role, true);
  perform set_config('request.jwt.claims', json_strip_nulls(json_build_object('sub', user_id, 'role', role))::text, true);
end
$$;
comment on function tests.login(text, text) is 'Becomes an API role with a token, as PostgREST does; a null user_id is a token without sub.';

create function tests.logout() returns void
language plpgsql
as $$
begin
  perform set_config('role', 'none', true);
  perform set_config('request.jwt.claims', '', true);
end
$$;
comment on function tests.logout() is 'Becomes the owner of the database again.';

create function tests.fixture() returns void
language plpgsql
as $$
declare
  tenant text;
begin
  foreach tenant in array array['alpha', 'beta'] loop
    insert into dossier.organizations (id, name) values (tests.id(tenant), tenant);
    insert into dossier.organization_members (organization_id, user_id, role)
    select tests.id(tenant), tenant || '-' || role, role
    from unnest(array['owner', 'admin', 'member', 'viewer']) as role;

    insert into dossier.sessions (id, organization_id, user_id, title)
    values (tests.id(tenant || ' session'), tests.id(tenant), tenant || '-member', tenant || ' session');
    insert into dossier.session_context (session_id, organization_id, text_context, updated_by)
    values (tests.id(tenant || ' session'), tests.id(tenant), tenant || ' context', tenant || '-member');
    insert into dossier.session_context_versions
    select * from dossier.session_context where session_id = tests.id(tenant || ' session');

    insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, page_count)
    values
      (tests.id(tenant || ' document'), tests.id(tenant || ' session'), tests.id(tenant), tenant || '-member',
        'note.txt', 'text/plain', 5, encode(sha256('hello'), 'hex'), 'ready', 1),
      (tests.id(tenant || ' upload'), tests.id(tenant || ' session'), tests.id(tenant), tenant || '-member',
        'note.txt', 'text/plain', null, null, 'uploading', null);
    insert into dossier_private.document_chunks (document_id, organization_id, seq, bytes)
    values (tests.id(tenant || ' document'), tests.id(tenant), 0, 'hello');
    insert into dossier.document_pages (document_id, organization_id, page, text)
    values (tests.id(tenant || ' document'), tests.id(tenant), 1, 'hello');
    insert into dossier_private.jobs (document_id, organization_id, status)
    values (tests.id(tenant || ' document'), tests.id(tenant), 'done');
  end loop;
end
$$;
comment on function tests.fixture() is
  'Two organizations, alpha and beta, with members such as alpha-viewer, and in each a session with context, a document and an upload of its member.';

create function tests.attempt(statement text, user_id text, role text default 'authenticated') returns text
language plpgsql
as $$
declare
  affected bigint;
begin
  begin
    perform tests.login(user_id, role);
    execute statement;
    get diagnostics affected = row_count;
    raise exception using errcode = 'UNDO0';
  exception
    when sqlstate 'UNDO0' then
      return affected::text;
    when others then
      return sqlstate;
  end;
end
$$;
comment on function tests.attempt(text, text, text) is 'Rows that a statement affects when this user runs it, or the SQLSTATE of its refusal. Nothing remains of it.';

create function tests.outcomes(statement text) returns text
language sql
as $$
  select string_agg(who.name || ' ' || tests.attempt(statement, who.user_id, who.role), ', ' order by who.place)
  from (values
    (1, 'owner', 'alpha-owner', 'authenticated'),
    (2, 'admin', 'alpha-admin', 'authenticated'),
    (3, 'member', 'alpha-member', 'authenticated'),
    (4, 'viewer', 'alpha-viewer', 'authenticated'),
    (5, 'other', 'beta-owner', 'authenticated'),
    (6, 'nobody', null, 'authenticated'),
    (7, 'anon', null, 'anon'),
    (8, 'service', null, 'service_role')
  ) as who (place, name, user_id, role)
$$;
comment on function tests.outcomes(text) is
  'What a statement does for each kind of caller: the roles in alpha, the other tenant''s owner, a token without sub, anon, service_role.';

create function tests.refuses(statement text, code text, message text, description text) returns text
language plpgsql
as $$
declare
  got text;
  said text;
  detail text;
  hint text;
begin
  execute statement;
  return fail(description || ': was not refused');
exception when others then
  get stacked diagnostics
    got = returned_sqlstate, said = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
  return is(
    format('%s %s%s%s%s', got, case when said like message then message else said end,
      case when detail = '' then ', without a detail' end,
      case when detail like '%..' then ', with a second full stop' end,
      case when hint = '' then ', without a hint' end),
    format('%s %s', code, message), description);
end
$$;
comment on function tests.refuses(text, text, text, text) is
  'Asserts that a statement is refused with this SQLSTATE and message (% in it stands for anything), with a detail that ends in '
  'no more than one full stop, and with a hint.';

create function tests.detail(statement text) returns text
language plpgsql
as $$
declare
  detail text;
begin
  execute statement;
  return null;
exception when others then
  get stacked diagnostics detail = pg_exception_detail;
  return detail;
end
$$;
comment on function tests.detail(text) is 'The detail with which a statement is refused, or null.';

-- Under pg_prove this file counts as a skipped test.
select '1..0 # SKIP helpers only';

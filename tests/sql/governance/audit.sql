-- The audit log. See ../setup.sql for how to run this.

begin;
select plan(29);
select tests.fixture();

create function pg_temp.events(organization uuid default tests.id('alpha')) returns text
language sql as $$
  select string_agg(concat_ws(' ', action, case when object_id ~ '^[0-9a-f-]{36}$' then null else object_id end, user_id), ', ' order by id)
  from dossier.audit_log where organization_id = organization
$$;
create function pg_temp.last_event() returns dossier.audit_log
language sql as $$ select * from dossier.audit_log where organization_id = tests.id('alpha') order by id desc limit 1 $$;

-- Admins read it, and nobody writes it.

select is(tests.outcomes($$ select from dossier.audit_log where organization_id = tests.id('alpha') and action = 'organization.created' $$),
  'owner 1, admin 1, member 0, viewer 0, other 0, nobody 0, anon 42501, service 1', 'callers that read it');
select is(tests.outcomes(statement), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', statement)
from (values
  ($$ insert into dossier.audit_log (organization_id, role, action, object_id) values (tests.id('alpha'), 'x', 'x.x', 'x') $$),
  ($$ update dossier.audit_log set user_id = 'x' $$),
  ($$ delete from dossier.audit_log $$),
  ($$ truncate dossier.audit_log $$)
) as t (statement);

-- Its entries.

select is(pg_temp.events(), 'organization.created, member.added alpha-owner, member.added alpha-admin, member.added alpha-member, member.added alpha-viewer',
  'the events of the fixture, as the owner of the database');
select tests.login('alpha-owner');
update dossier.organization_members set role = 'member' where user_id = 'alpha-viewer';
select results_eq($$ select organization_id, user_id, role, action, object_id, details from pg_temp.last_event() $$,
  $$ values (tests.id('alpha'), 'alpha-owner', 'authenticated', 'member.role_changed', 'alpha-viewer', '{"role": "member", "from": "viewer"}'::jsonb) $$, 'a member who is promoted');
update dossier.organization_members set role = 'member' where user_id = 'alpha-viewer';
select is((select count(*)::integer from dossier.audit_log where action = 'member.role_changed'), 1, 'but not one who stays as she is');
delete from dossier.organization_members where user_id = 'alpha-viewer';
select is((select action || ' ' || object_id from pg_temp.last_event()), 'member.removed alpha-viewer', 'a member who is removed');
update dossier.organizations set name = 'Alpha Ltd' where id = tests.id('alpha');
select is((select action || details from pg_temp.last_event()), 'organization.renamed{"from": "alpha", "name": "Alpha Ltd"}', 'a new name');
select from dossier.set_context_retention(tests.id('alpha'), 5);
select is((select action || details from pg_temp.last_event()), 'retention.set{"keep_days": null, "keep_versions": 5}', 'a rule of retention');
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), max_documents => 9);
select is((select concat_ws(' ', action, user_id, role, details ->> 'max_documents') from pg_temp.last_event()), 'quota.set service_role 9', 'a quota, by a service');
select tests.logout();
select is((select count(*)::integer from dossier.audit_log where organization_id = tests.id('alpha') and action = 'quota.set'), 1, 'once');

select tests.login('alpha-member');
select from dossier.append_upload(tests.id('alpha upload'), 0, 'hello');
select from dossier.finish_upload(tests.id('alpha upload'), 5, encode(sha256('hello'), 'hex'));
select tests.login('alpha-owner');
select results_eq($$ select action, user_id, object_id, details ->> 'name', details ->> 'size_bytes' from pg_temp.last_event() $$,
  $$ values ('document.stored', 'alpha-member', tests.id('alpha upload')::text, 'note.txt', '5') $$, 'a document that is stored');
select ok(dossier.delete_document(tests.id('alpha upload')), 'a document is deleted');
select is((select action || ' ' || object_id from pg_temp.last_event()), 'document.deleted ' || tests.id('alpha upload'), 'and named');
select from dossier.begin_upload(tests.id('alpha session'), 'x.txt');
select ok(dossier.abort_upload((select id from dossier.documents where name = 'x.txt')), 'an upload is aborted');
select is((select action || ' ' || object_id from pg_temp.last_event()), 'document.deleted ' || tests.id('alpha upload'), 'which is not recorded');
delete from dossier.sessions where id = tests.id('alpha session');
select is((select action || ' ' || (details ->> 'title') from pg_temp.last_event()), 'session.deleted alpha session', 'a session that is deleted, not what went with it');

-- Changes by an app's own triggers are recorded, too.

select tests.logout();
create temporary table signups (user_id text);
create function pg_temp.join_alpha() returns trigger
language plpgsql as $$
begin
  insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('alpha'), new.user_id, 'viewer');
  delete from dossier.sessions where organization_id = tests.id('alpha') and title = 'welcome';
  return null;
end
$$;
create trigger join_alpha after insert on signups for each row execute function pg_temp.join_alpha();
insert into dossier.sessions (organization_id, user_id, title) values (tests.id('alpha'), 'x', 'welcome');
insert into signups values ('newcomer');
select set_has($$ select action || ' ' || coalesce(details ->> 'title', object_id) from dossier.audit_log where organization_id = tests.id('alpha') $$,
  $$ values ('member.added newcomer'), ('session.deleted welcome') $$, 'members and sessions that a trigger adds and deletes');
delete from dossier.sessions where organization_id = tests.id('alpha');
select tests.login('alpha-owner');

-- The origin.

select tests.logout();
select set_config('request.jwt.claims', '', true), set_config('request.headers', '', true);
select isnt(inet_client_addr(), null, 'this connection has an address, which a Unix socket has not');
select is(dossier_private.client_address(), host(inet_client_addr()), 'without a request, the address of the connection');
select tests.login('alpha-owner');
select from dossier.create_organization('Unknown');
select is((select origin from dossier.audit_log where details ->> 'name' = 'Unknown'), null, 'with claims, the connection is not the client''s');
select set_config('request.headers', '{"x-forwarded-for": "203.0.113.7, 10.0.0.1"}', true);
select from dossier.create_organization('New');
select is((select origin from dossier.audit_log where details ->> 'name' = 'New'), '203.0.113.7', 'the one that the proxy saw');
select tests.logout();
create function pg_temp.address_in(headers text) returns text language sql as $$
  select set_config('request.headers', address_in.headers, true);
  select dossier_private.client_address();
$$;
select results_eq(
  $$ select pg_temp.address_in(json_build_object('x-forwarded-for', sent.value)::text) from (values (1, '2001:db8::7'), (2, '[2001:db8::7]:443'), (3, '[2001:db8::7]'),
    (4, '203.0.113.7:4711'), (5, ' 203.0.113.7 ,x'), (6, '::ffff:203.0.113.7')) as sent (n, value) order by sent.n $$,
  $$ values ('2001:db8::7'), ('2001:db8::7'), ('2001:db8::7'), ('203.0.113.7'), ('203.0.113.7'), ('::ffff:203.0.113.7') $$, 'the forms that proxies write');
select results_eq(
  $$ select pg_temp.address_in(sent.headers) from (values ('{"x-forwarded-for": "unknown"}'), ('{"x-forwarded-for": ""}'), ('{"x-forwarded-for": "1.2.3"}'), ('{"x-forwarded-for": "evil.example"}'),
    ('{"x-forwarded-for": "300.0.0.1"}'), ('{"x-forwarded-for": null}'), ('{"x-forwarded-for": {}}'), ('{}'), ('[]'), ('"x"'), ('{'), ('not json')) as sent (headers) $$,
  $$ select null::text from generate_series(1, 12) $$, 'anything else is unknown, and no reason to fail');
select set_config('request.headers', '', true);
select tests.login('alpha-owner');

-- It cannot be disabled.

set local row_security = off;
select from dossier.create_organization('Unseen');
set local row_security = on;
select is((select action || ' ' || (details ->> 'name') from dossier.audit_log where user_id = 'alpha-owner' and action like 'organization.%' order by id desc limit 1),
  'organization.created Unseen', 'not by row_security either');

-- Its retention.

delete from dossier.organizations where id = tests.id('alpha');
select tests.logout();
select is((select action from pg_temp.last_event()), 'organization.deleted', 'the last event of an organization');
select is((select count(*)::integer from dossier.audit_log where organization_id = tests.id('alpha') and action in ('member.removed', 'session.deleted')), 3, 'rows deleted along with it are not listed');

select * from finish();
rollback;

-- Erasure. See ../setup.sql for how to run this.

begin;
select plan(43);
select tests.fixture();

-- forget_user.

select is(tests.outcomes($$ select from dossier.forget_user('alpha-member') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'callers that erase a user');
select tests.login(null, 'service_role');
select tests.refuses($$ select dossier.forget_user(null) $$, 'PT400', 'user_id must identify a user', 'nobody');
select tests.refuses($$ select dossier.forget_user(' ') $$, 'PT400', 'user_id must identify a user', 'a blank name');
select tests.refuses($$ select dossier.forget_user('forgotten') $$, 'PT400', 'user_id must identify a user', 'a user who is already forgotten');
select is(tests.attempt($$ select dossier.forget_user('alpha-owner') $$, null, 'service_role'), '1', 'the last owner of others');
select tests.login(null, 'service_role');
select tests.logout();

-- A user who did everything possible, here and in an organization of her own.
update dossier.organization_members set role = 'admin' where user_id = 'alpha-member' and organization_id = tests.id('alpha');
select tests.login('alpha-member');
select set_config('request.headers', '{"x-forwarded-for": "203.0.113.7"}', true);
select from dossier.create_organization('Her own');
select from dossier.create_session('in it', organization_id => (select id from dossier.organizations where name = 'Her own'), context => '{"text": "private"}');
select from dossier.begin_upload((select id from dossier.sessions where title = 'in it'), 'own.txt');
select from dossier.append_upload((select id from dossier.documents where name = 'own.txt'), 0, 'hello');
select from dossier.finish_upload((select id from dossier.documents where name = 'own.txt'), 5, encode(sha256('hello'), 'hex'));
select from dossier.delete_sessions(array[(select id from dossier.sessions where title = 'in it'), tests.id('alpha session')]);
select from dossier.create_session('shared', organization_id => tests.id('alpha'), context => '{"text": "known"}');
select from dossier.begin_upload((select id from dossier.sessions where title = 'shared'), 'half.txt');
select from dossier.begin_upload((select id from dossier.sessions where title = 'shared'), 'whole.txt');
select from dossier.append_upload((select id from dossier.documents where name = 'whole.txt'), 0, 'hello');
select from dossier.finish_upload((select id from dossier.documents where name = 'whole.txt'), 5, encode(sha256('hello'), 'hex'));
update dossier.organization_members set role = 'member' where user_id = 'alpha-viewer';
select tests.login('alpha-owner');
update dossier.organization_members set role = 'viewer' where user_id = 'alpha-member' and organization_id = tests.id('alpha');

select tests.logout();
update dossier.documents set storage = 'elsewhere', storage_key = name where name = 'half.txt';
insert into dossier_private.imports (organization_id, user_id, keep_ids) values (tests.id('alpha'), 'alpha-member', false);
update dossier.documents set storage = 'elsewhere', storage_key = 'b' where id = tests.id('beta document');
select tests.login(null, 'service_role');
create temporary table receipt as select dossier.forget_user('alpha-member') as value;
select is((select (value -> 'erased') - 'events_renamed' from receipt),
  '{"owners_appointed": 0, "organizations_deleted": 1, "sessions_deleted": 1, "documents_deleted": 1, "bytes_deleted": 5, "uploads_deleted": 2, "imports_deleted": 1, "memberships_deleted": 1, "sessions_renamed": 2, "documents_renamed": 2, "contexts_renamed": 2, "context_versions_renamed": 2, "sessions_pending": 0, "store_deletions_pending": 1}', 'the receipt counts');
select is((select value ->> 'subject_sha256' from receipt), encode(sha256('alpha-member'), 'hex'), 'and names the user by a digest');
select tests.logout();
select is((select kind || ' ' || (erased = (select value -> 'erased' from receipt)) from dossier_private.erasure_receipts where id = (select (value ->> 'receipt_id')::uuid from receipt)), 'user true', 'it is kept');
select is_empty($$ select from dossier.organizations where name = 'Her own' $$, 'her own organization is gone');
select is_empty($$ select from dossier.sessions where title = 'in it' $$, 'and what she had in its trash');
select is((select deleted_by from dossier.sessions where id = tests.id('alpha session')), 'forgotten', 'sessions that she trashed in other organizations stay, without her id');
select is((select string_agg(user_id, ', ') from dossier.documents where name in ('half.txt', 'whole.txt')), 'forgotten', 'her rows in other organizations stay, without her id');
select is((select text_context || ' ' || updated_by from dossier.session_context c join dossier.sessions s on s.id = c.session_id where s.title = 'shared'), 'known forgotten', 'contexts stay, too');

-- Her name remains nowhere in the database.
create function pg_temp.places_of(needle text) returns setof text
language plpgsql as $$
declare
  t regclass;
  found boolean;
begin
  for t in select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('dossier', 'dossier_private') and c.relkind in ('r', 'p') loop
    execute format('select exists (select from %s as r where to_jsonb(r)::text like %L)', t, '%' || needle || '%') into found;
    if found then
      return next t::text;
    end if;
  end loop;
end
$$;
select is_empty($$ select pg_temp.places_of('alpha-member') $$, 'her name is nowhere');
select is_empty($$ select from dossier.audit_log where user_id = 'forgotten' and origin is not null $$, 'her address is removed, too');
select ok(exists (select from pg_temp.places_of('alpha-owner')), 'others'' names are');
select is((select string_agg(distinct action, ', ') from dossier.audit_log where user_id = 'forgotten' and organization_id = tests.id('alpha')), 'document.stored, member.role_changed, session.trashed', 'her events can still be read');
select tests.login(null, 'service_role');
select is((select sum(value::integer)::integer from jsonb_each_text(dossier.forget_user('alpha-member') -> 'erased')), 0, 'there is nothing to forget twice');
select tests.logout();

-- The last owner of an organization is erased, too. Nobody can prevent that, by adding members or by inviting the user.

select tests.login('beta-owner');
select from dossier.add_member(tests.id('beta'), 'alpha-owner', 'owner');
select tests.logout();
insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('alpha'), 'early', 'member');
update dossier.organization_members set accepted_at = now() - interval '1 day' where user_id = 'early';
delete from dossier.organization_members where user_id = 'alpha-admin';
select tests.login(null, 'service_role');
create temporary table last_owner as select dossier.forget_user('alpha-owner') -> 'erased' as erased;
select is((select erased ->> 'owners_appointed' from last_owner), '1', 'a last owner is erased, and another member appointed');
select tests.logout();
select is((select string_agg(user_id, ', ') from dossier.organization_members where organization_id = tests.id('alpha') and role = 'owner'), 'early', 'the first of those with the highest role');
select is((select count(*)::integer from dossier.organization_members where organization_id = tests.id('beta')), 4, 'invitations of the user are gone');
select tests.login('alone');
select from dossier.create_organization('Lonely');
select from dossier.add_member((select id from dossier.organizations where name = 'Lonely'), 'invited', 'owner');
select tests.logout();
select is(dossier.forget_user('alone') #>> '{erased,organizations_deleted}', '1', 'an organization where others are only invited is the user''s own');
insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('alpha'), 'alpha-owner', 'owner'), (tests.id('alpha'), 'alpha-admin', 'admin');

-- forget_organization.

select is(tests.outcomes($$ select from dossier.forget_organization(tests.id('alpha')) $$),
  'owner 1, admin 42501, member PT404, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that erase an organization; the member is forgotten');
select tests.login('alpha-owner');
select tests.refuses($$ select dossier.forget_organization(tests.id('beta')) $$, 'PT404', 'Organization not found', 'another tenant''s');
select tests.refuses($$ select dossier.forget_organization(null) $$, 'PT404', 'Organization not found', 'no organization');
select tests.login('alpha-admin');
select tests.refuses($$ select dossier.forget_organization(tests.id('alpha')) $$, '42501', 'This function requires the role owner in the organization', 'an admin');
select tests.login('beta-owner');
select from dossier.delete_sessions(array[tests.id('beta session')]);
create temporary table second_receipt as select dossier.forget_organization(tests.id('beta')) as value;
select is((select (value -> 'erased') - 'events' from second_receipt),
  '{"members": 4, "sessions": 1, "contexts": 1, "context_versions": 1, "documents": 2, "bytes": 5, "pages": 1, "sessions_pending": 0, "store_deletions_pending": 1}', 'the receipt says what there was, in the trash');
select ok((select (value #> '{erased,events}')::integer from second_receipt) >= 6, 'events, too');
select is((select value ->> 'subject_sha256' from second_receipt), encode(sha256(convert_to(tests.id('beta')::text, 'UTF8')), 'hex'), 'the organization by a digest');
select tests.logout();
select is_empty($$ select pg_temp.places_of(tests.id('beta')::text) $$, 'its id is nowhere');
select set_eq($$ select storage_key from dossier_private.store_deletions $$, array['half.txt', 'b'], 'bytes outside are yet to be deleted');
select is_empty($$ select pg_temp.places_of('beta-') $$, 'its members are gone, too');
select tests.login(null, 'service_role');
select tests.refuses($$ select dossier.forget_organization(tests.id('beta')) $$, 'PT404', 'Organization not found', 'not twice');
select tests.logout();

-- A large organization is erased in steps, and at once for everyone who could see it.

select tests.login('large-owner');
select (dossier.create_organization('Large')).id as large \gset
select (dossier.create_session('large session')).id as session, (dossier.create_session('another')).id as another \gset
select tests.logout();
insert into dossier.organization_members (organization_id, user_id, role) values (:'large', 'large-viewer', 'viewer');
insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status)
values (tests.id('large document'), :'session', :'large', 'large-owner', 'large.txt', 'text/plain', 2000, repeat('ab', 32), 'ready');
insert into dossier_private.document_chunks (organization_id, document_id, seq, bytes) select :'large', tests.id('large document'), seq, 'x' from generate_series(0, 1999) as seq;
insert into dossier_private.imports (organization_id, user_id, keep_ids) values (:'large', 'large-owner', false);
select tests.login('large-owner');
select is(dossier.forget_organization(:'large') #>> '{erased,sessions_pending}', '2', 'the receipt of a large organization says what remains');
select is_empty($$ select from dossier.list_organizations() $$, 'its owner sees nothing more');
select is(tests.attempt($$ select from dossier.sessions $$, 'large-viewer'), '0', 'nor do its members');
select tests.login(null, 'service_role');
select tests.refuses(format('select dossier.forget_organization(%L)', :'large'), 'PT404', 'Organization not found', 'it is not erased twice');
select tests.refuses(format('select dossier.usage(%L)', :'large'), 'PT404', 'Organization not found', 'to services it is gone, too');
select is((select array_agg(dossier.sweep() ->> 'more' = 'true') from generate_series(1, 2)), array[true, true], 'sweeps remove the rest in steps');
select is(dossier.sweep() ->> 'more', 'false', 'until nothing is left');
select tests.logout();
select is_empty(format('select pg_temp.places_of(%L)', :'large'), 'its id is nowhere');
select is_empty($$ select pg_temp.places_of('large-') $$, 'nor are its names');

-- API roles cannot read receipts.
select is(tests.outcomes($$ select from dossier_private.erasure_receipts $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'only the owner of the database may read receipts');

select * from finish();
rollback;

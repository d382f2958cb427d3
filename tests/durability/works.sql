-- Operations that must still work on the rows of data.sql after a restore or an upgrade. Run as the owner; rolled back.

begin;
create function pg_temp.expect(what text, holds boolean) returns void
language plpgsql as $$
begin
  if not coalesce(holds, false) then
    raise exception 'after it, this does not hold: %', what;
  end if;
end
$$;
create function pg_temp.become(claims json) returns void
language plpgsql as $$
begin
  perform set_config('role', coalesce(claims ->> 'role', 'none'), true);
  perform set_config('request.jwt.claims', coalesce(claims::text, ''), true);
end
$$;

create function pg_temp.wrong(of_area text) returns setof text
language sql as $$
  select d.check_name
  from dossier.doctor() as d left join dossier_private.doctor_checks() as c on c.name = d.check_name
  where d.status <> 'ok' and coalesce(c.area, 'linter') = of_area
$$;

select pg_temp.expect('the catalogue is in order', not exists (select from pg_temp.wrong('catalogue')));
select pg_temp.expect('no rule of the linter is broken', not exists (select from pg_temp.wrong('linter')));
select pg_temp.expect('the schema is the one that was installed', not exists (select from pg_temp.wrong('schema')));
select pg_temp.expect('the rows are in order', not exists (select from pg_temp.wrong('rows') as name where name <> 'workers'));
select pg_temp.expect('a changed setting counts', (dossier.limits() ->> 'max_file_bytes') = '20971520');

-- Only the app's own table makes this user a viewer.
delete from dossier.organization_members where role = 'viewer';
select pg_temp.become('{"sub": "22222222-2222-4222-8222-222222222222", "role": "authenticated"}');
select pg_temp.expect('a viewer sees the document', (select count(*) = 1 from dossier.documents where name = 'plan ü.pdf'));
select pg_temp.expect('and lists it', exists (select from dossier.list_documents() where name = 'plan ü.pdf') and exists (select from dossier.list_sessions()));
select pg_temp.expect('and its thumbnail', (select bytes = '\x00ff00ff' from dossier.document_thumbnails));
select pg_temp.expect('the words of a page are found', exists (select from dossier.search('tomato') where page = 1));
select pg_temp.expect('those of a context', exists (select from dossier.search('greenhouse') where kind = 'context'));
select pg_temp.expect('both versions are there', (select array_agg(h.version) = '{2,1}' from dossier.sessions as s, dossier.context_history(s.id) as h));
select pg_temp.expect('embeddings are matched', pg_catalog.to_regclass('dossier.page_embeddings') is null
  or (select array_agg(page) from dossier.match_pages('{0.1,1,0}')) = '{2,1}');
select pg_temp.become('{"sub": "44444444-4444-4444-8444-444444444444", "role": "authenticated"}');
select pg_temp.expect('a stranger sees nothing', not exists (select from dossier.documents));

select pg_temp.become('{"sub": "11111111-1111-4111-8111-111111111111", "role": "authenticated"}');
select pg_temp.expect('what is in the trash can be restored', (select r.title = 'A mistake' from dossier.deleted_sessions() as d, dossier.restore_session(d.id) as r));
select from dossier.delete_sessions(array(select id from dossier.sessions where title = 'A mistake'), permanently => true);
select pg_temp.expect('a context has its next version', (select c.version = 3 from dossier.sessions as s, dossier.save_context(s.id, 'New', null, 2) as c));
create temporary table made on commit drop as
  select u.id from dossier.sessions as s, dossier.begin_upload(s.id, 'new.txt', 'text/plain') as u;
grant select on made to public;
select from made, dossier.append_upload(id, 0, 'Cucumbers');
select pg_temp.expect('an upload is stored', (select d.status = 'stored' from made, dossier.finish_upload(made.id, 9, encode(sha256('Cucumbers'), 'hex')) as d));

select pg_temp.become('{"role": "service_role"}');
select pg_temp.expect('what is to be deleted outside is known', (select storage_key = 'key' from dossier.claim_store_deletions('elsewhere')));
create temporary table claimed on commit drop as select * from dossier.claim_jobs('durability', 10);
select pg_temp.expect('its job is claimed', (select count(*) = 1 from claimed join made on made.id = claimed.document_id));
select pg_temp.expect('its text is stored', (select dossier.complete_job(job_id, attempt, '[{"page": 1, "text": "Cucumbers"}]') from claimed));
select pg_temp.become('{"sub": "11111111-1111-4111-8111-111111111111", "role": "authenticated"}');
select pg_temp.expect('and found', exists (select from dossier.search('cucumbers')));
rollback;

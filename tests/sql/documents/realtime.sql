-- Live status through Supabase Realtime, with a stand-in: not for a database that has the real one.
-- See ../setup.sql for how to run this.

begin;
select plan(22);
select tests.fixture();

select is(tests.outcomes($$ select dossier.enable_realtime() $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'only the owner of the database may enable it');
select is(dossier_private.topic_session('dossier:session:' || tests.id('x')), tests.id('x'), 'a topic names a session');
select is(dossier_private.topic_session(topic), null, 'or does not: ' || coalesce(topic, 'null'))
from unnest(array[null, '', 'dossier:session:', 'dossier:session:x', 'x dossier:session:' || tests.id('x'), 'dossier:session:' || tests.id('x') || 'x', 'dossier:sessions:' || tests.id('x')]) as topic;

select lives_ok($$ update dossier.documents set status = 'failed', error_code = 'x', error_message = 'x' where id = tests.id('alpha document') $$,
  'without Realtime a status changes in silence');
select tests.refuses($$ select dossier.enable_realtime() $$, 'PT400', 'Supabase Realtime is not installed in this database', 'there is nothing to enable');

create schema realtime;
grant usage on schema realtime to authenticated;
create table realtime.messages (topic text, extension text default 'broadcast', payload jsonb, event text, private boolean);
alter table realtime.messages enable row level security;
grant select on realtime.messages to authenticated;
create function realtime.topic() returns text language sql stable as $$ select nullif(current_setting('realtime.topic', true), '') $$;
create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void language sql security definer
as $$ insert into realtime.messages (topic, payload, event, private) values (topic, payload, event, private) $$;

update dossier.documents set status = 'extracting' where id = tests.id('alpha document');
update dossier.documents set status = 'extracting' where id = tests.id('alpha document');
update dossier.documents set status = 'ready', error_code = null, error_message = null where id = tests.id('alpha document');
update dossier.documents set status = 'failed', error_code = 'x', error_message = 'why' where id = tests.id('beta document');
select results_eq($$ select topic, event, private, payload ->> 'status', payload ->> 'error_message' from realtime.messages $$, $$ values
  ('dossier:session:' || tests.id('alpha session'), 'document_status', true, 'extracting', 'x'),
  ('dossier:session:' || tests.id('alpha session'), 'document_status', true, 'ready', null),
  ('dossier:session:' || tests.id('beta session'), 'document_status', true, 'failed', 'why') $$, 'each new status is broadcast, once');
select is((select string_agg(key, ' ' order by key) from realtime.messages m, jsonb_object_keys(m.payload) as key where m.payload ->> 'status' = 'ready'),
  'document_id error_code error_message name page_count session_id status', 'with what a list shows');

create function pg_temp.hears(user_id text, topic text) returns integer
language plpgsql as $$
declare
  heard integer;
begin
  perform set_config('realtime.topic', topic, true);
  perform tests.login(user_id);
  select count(*) into heard from realtime.messages;
  perform tests.logout();
  return heard;
end
$$;
select is(pg_temp.hears('alpha-viewer', 'dossier:session:' || tests.id('alpha session')), 0, 'before it is enabled, nobody receives anything');
select lives_ok($$ select dossier.enable_realtime() $$, 'it is enabled');
select lives_ok($$ select dossier.enable_realtime() $$, 'it can be repeated');
select is(pg_temp.hears('alpha-viewer', 'dossier:session:' || tests.id('alpha session')), 3, 'a member may join the topic of a session');
select is(pg_temp.hears('beta-owner', 'dossier:session:' || tests.id('alpha session')), 0, 'another tenant may not');
select is(pg_temp.hears('alpha-viewer', 'dossier:session:' || tests.id('beta session')), 0, 'the other tenant receives nothing, either');
select is(pg_temp.hears('alpha-viewer', 'something else'), 0, 'other topics are not Dossier''s to allow');

create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void language plpgsql
as $$ begin raise exception 'no partition for today'; end $$;
select lives_ok($$ update dossier.documents set status = 'stored' where id = tests.id('alpha document') $$, 'a broadcast that fails fails nothing');
select is((select status from dossier.documents where id = tests.id('alpha document')), 'stored', 'and the status is what it should be');

select * from finish();
rollback;

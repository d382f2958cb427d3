-- Live status through Supabase Realtime: a private broadcast for each change of a document's status, on the topic
-- dossier:session:<id>. Without Realtime nothing happens; the edge listens to NOTIFY instead.

create function dossier_private.broadcast_document() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: users may not send as the database. Dynamic, since most databases do not have the function.
begin
  if pg_catalog.to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null then
    return null;
  end if;
  begin
    execute 'select realtime.send($1, $2, $3, true)'
    using
      jsonb_build_object(
        'document_id', new.id, 'session_id', new.session_id, 'name', new.name, 'status', new.status,
        'error_code', new.error_code, 'error_message', new.error_message, 'page_count', new.page_count),
      'document_status',
      format('dossier:session:%s', new.session_id);
  exception when others then
    -- A document must not fail because its broadcast does.
    raise warning 'The status of document % was not broadcast: %', new.id, sqlerrm;
  end;
  return null;
end
$$;
comment on function dossier_private.broadcast_document() is
  'Trigger: sends the event document_status to subscribers of the document''s session, if Supabase Realtime is installed. If '
  'sending fails, raises a warning.';

create trigger documents_broadcast
  after update of status on dossier.documents
  for each row when (old.status is distinct from new.status)
  execute function dossier_private.broadcast_document();

create function dossier_private.topic_session(topic text) returns uuid
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return substring(topic from '^dossier:session:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$')::uuid;
end
$$;
comment on function dossier_private.topic_session(text) is 'Returns the session that a topic belongs to, or null.';

create function dossier.enable_realtime() returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  if pg_catalog.to_regclass('realtime.messages') is null
    or pg_catalog.to_regprocedure('realtime.topic()') is null
    or pg_catalog.to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null
  then
    raise exception using
      errcode = 'PT400',
      message = 'Supabase Realtime is not installed in this database',
      detail = 'realtime.messages, realtime.topic() and realtime.send() are required.',
      hint = 'Update Realtime in your stack and retry. Without Realtime, upload with Prefer: wait, or poll the document.';
  end if;

  execute 'drop policy if exists dossier_sessions_select on realtime.messages';
  execute $policy$
    create policy dossier_sessions_select on realtime.messages
      for select to authenticated
      using (
        extension = 'broadcast'
        and exists (
          select from dossier.sessions as session
          where session.id = dossier_private.topic_session((select realtime.topic())))
      )
  $policy$;
end
$$;
comment on function dossier.enable_realtime() is
  'Allows users to subscribe to the topics of sessions that they can see, by a policy on realtime.messages. Run it once, as the '
  'owner of the database. Clients: supabase.channel(''dossier:session:<id>'', {config: {private: true}}), event '
  'document_status. Owner only.';

revoke all on function
  dossier_private.broadcast_document, dossier_private.topic_session, dossier.enable_realtime
  from public, anon, authenticated, service_role;
-- The policy on realtime.messages runs as the subscriber.
grant execute on function dossier_private.topic_session to authenticated;

-- Changing documents, and finding those that a session already has.

create function dossier_private.update_document(document_id uuid, changes jsonb) returns dossier.documents
language plpgsql security definer set search_path = ''
as $$
-- Definer: a viewer gets an error (42501). Under row level security, the update would silently find no row.
declare
  document dossier.documents;
  old_language text;
  wrong text;
begin
  -- Lock the session first, as a deletion does: the search index refers to it.
  perform from dossier.sessions as session
  where session.id = (select d.session_id from dossier.documents as d where d.id = update_document.document_id)
    and dossier_private.role_covers(dossier_private.my_role(session.organization_id), 'member')
  for key share;
  document := dossier_private.require_document(document_id);
  old_language := document.language;

  if jsonb_typeof(changes) = 'object' then
    select case
      when given.key not in ('name', 'metadata', 'language') then format('It has the key %L.', left(given.key, 80))
      when given.key = 'name' and jsonb_typeof(given.value) <> 'string' then 'Its name is not a string.'
      when given.key = 'language' and given.value <> 'null'
        and (jsonb_typeof(given.value) <> 'string' or (given.value #>> '{}') !~ '^[a-z]{3}$')
        then 'Its language is not a code of three letters (ISO 639-3).'
    end into wrong
    from jsonb_each(changes) as given
    order by 1 nulls last
    limit 1;
  else
    wrong := format('It is %s.', coalesce('a JSON ' || jsonb_typeof(changes), 'null'));
  end if;
  if wrong is not null then
    raise exception using
      errcode = 'PT400',
      message = 'changes must be an object with name, metadata or language',
      detail = wrong,
      hint = 'Send {"name": "…", "metadata": {…}, "language": "deu"}, or {"language": null} if it is unknown. Omitted keys do not '
        'change.';
  end if;
  if changes ? 'name' then
    perform dossier_private.check_upload('name', null, changes ->> 'name', null, null, null);
  end if;
  if changes ? 'metadata' then
    perform dossier_private.check_upload('metadata', null, null, null, null, changes -> 'metadata');
  end if;

  update dossier.documents as d
  set name = coalesce(changes ->> 'name', d.name),
    metadata = coalesce(changes -> 'metadata', d.metadata),
    language = case when changes ? 'language' then changes ->> 'language' else d.language end
  where d.id = document.id
  returning d.* into document;

  if document.status = 'ready' and document.language is distinct from old_language then
    perform dossier_private.index_document(document.id);
  end if;
  return document;
end
$$;
comment on function dossier_private.update_document(uuid, jsonb) is 'Runs dossier.update_document() with its owner''s rights.';

create function dossier.update_document(document_id uuid, changes jsonb) returns dossier.documents
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.update_document(document_id, changes);
end;
comment on function dossier.update_document(uuid, jsonb) is
  'Changes a document: {name, metadata, language}. Omitted keys do not change. metadata replaces the whole object. language (ISO '
  '639-3, or null if unknown) is the one in which search stems the text, until the document is extracted again.';

create function dossier_private.known_documents(session_id uuid, sha256 text[]) returns setof dossier.documents
language plpgsql stable security definer set search_path = '' rows 10
as $$
-- Definer: see session_organization. Repeats the condition of documents_select_viewer.
declare
  owning_organization_id constant uuid := dossier_private.session_organization(session_id);
begin
  perform dossier_private.require_role(owning_organization_id, 'viewer', 'session', session_id);
  if coalesce(cardinality(sha256) not between 1 and 1000, true)
    or exists (select from unnest(sha256) as given (digest) where coalesce(given.digest !~* '^[0-9a-f]{64}$', true))
  then
    raise exception using
      errcode = 'PT400',
      message = 'sha256 must have 1 to 1000 digests of 64 hexadecimal digits',
      detail = format('It has %s, of which %s are valid.', coalesce(cardinality(sha256), 0),
        (select count(*) from unnest(sha256) as given (digest) where given.digest ~* '^[0-9a-f]{64}$')),
      hint = 'Send the SHA-256 of each file.';
  end if;

  return query
    select newest.*
    from (
      select distinct on (document.sha256) document.*
      from dossier.documents as document
      where document.session_id = known_documents.session_id and document.organization_id = owning_organization_id
        and document.status <> 'uploading'
        and document.sha256 = any (array(select lower(given.digest) from unnest(known_documents.sha256) as given (digest)))
      order by document.sha256, document.status = 'failed', document.created_at desc, document.id desc
    ) as newest
    order by newest.created_at, newest.id;
end
$$;
comment on function dossier_private.known_documents(uuid, text[]) is
  'Runs dossier.known_documents() with its owner''s rights.';

create function dossier.known_documents(session_id uuid, sha256 text[]) returns setof dossier.documents
language sql stable security invoker set search_path = '' rows 10
begin atomic
  select dossier_private.known_documents(session_id, sha256);
end;
comment on function dossier.known_documents(uuid, text[]) is
  'Returns the documents of a session whose bytes have one of these digests, one per digest, so that a client need not upload a '
  'file again: the newest, unless it failed and another did not. Oldest first. At most 1000 digests at once.';

revoke all on function
  dossier_private.update_document, dossier.update_document, dossier_private.known_documents, dossier.known_documents
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.update_document, dossier_private.update_document, dossier.known_documents, dossier_private.known_documents
  to authenticated, service_role;

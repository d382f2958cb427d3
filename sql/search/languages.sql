-- Languages: sets the language of texts that do not show it themselves, such as contexts, short notes, lists and tables.

create function dossier_private.index_again(in_organization uuid, in_session uuid, most integer, out indexed integer, out remaining boolean)
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by set_language(), which has checked the caller.
declare
  text_of record;
begin
  indexed := 0;
  remaining := false;
  for text_of in
    select entry.session_id, entry.document_id
    from dossier_private.search_entries as entry
    left join dossier.documents as d on d.id = entry.document_id and d.organization_id = entry.organization_id
    where entry.organization_id = in_organization and (in_session is null or entry.session_id = in_session)
      and d.language is null and coalesce(entry.page, 1) = 1
      and entry.config <> dossier_private.guessed_config(entry.organization_id, entry.session_id)
    order by entry.id desc
    limit most + 1
  loop
    if indexed = most then
      remaining := true;
    elsif text_of.document_id is not null then
      perform dossier_private.index_document(text_of.document_id);
    else
      perform dossier_private.index_context(c)
      from dossier.session_context as c
      where c.organization_id = in_organization and c.session_id = text_of.session_id;
    end if;
    indexed := least(indexed + 1, most);
  end loop;
end
$$;
comment on function dossier_private.index_again(uuid, uuid, integer) is
  'Indexes contexts and documents of unknown language again, the newest first, if their language is now another.';

create function dossier_private.set_language(language text, of_document uuid, of_session uuid, of_organization uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles have no grant to update the columns.
#variable_conflict use_variable
declare
  at_once constant integer := 500; -- texts that one call indexes again
  owning_organization_id uuid := of_organization;
  indexed integer;
  remaining boolean;
begin
  if num_nonnulls(of_document, of_session, of_organization) <> 1 then
    raise exception using
      errcode = 'PT400',
      message = 'Exactly one of document_id, session_id and organization_id is required',
      detail = format('You sent %s.', num_nonnulls(of_document, of_session, of_organization)),
      hint = 'Send the id of the object whose texts are in this language.';
  end if;
  if language !~ '^[a-z]{3}$' then
    raise exception using
      errcode = 'PT400',
      message = 'language is not a valid code',
      detail = format('It is %L.', left(language, 80)),
      hint = 'Send a code of three letters (ISO 639-3) such as deu, or null if it is unknown.';
  end if;

  if of_document is not null then
    perform dossier_private.update_document(of_document, jsonb_build_object('language', language));
    return jsonb_build_object('indexed', 1, 'remaining', false);
  elsif of_session is not null then
    owning_organization_id := dossier_private.session_organization(of_session);
    perform dossier_private.require_writer(owning_organization_id, 'session', of_session);
    update dossier.sessions as s set language = set_language.language where s.id = of_session;
  else
    perform dossier_private.require_admin(of_organization);
    -- Dossier may not have seen an organization of the app yet.
    insert into dossier.organizations as o (id, name, language) values (of_organization, of_organization::text, set_language.language)
    on conflict (id) do update set language = excluded.language;
  end if;
  select again.indexed, again.remaining into indexed, remaining
  from dossier_private.index_again(owning_organization_id, of_session, at_once) as again;
  return jsonb_build_object('indexed', indexed, 'remaining', remaining);
end
$$;
comment on function dossier_private.set_language(text, uuid, uuid, uuid) is 'Runs dossier.set_language() with its owner''s rights.';

create function dossier.set_language(
  language text, document_id uuid default null, session_id uuid default null, organization_id uuid default null
) returns jsonb
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.set_language(language, document_id, session_id, organization_id);
end;
comment on function dossier.set_language(text, uuid, uuid, uuid) is
  'Sets the language (ISO 639-3, or null if unknown) in which search stems a document, or the contexts and the documents of '
  'unknown language of a session or an organization. Indexes up to 500 of them again, the newest first. Returns {indexed, '
  'remaining}: while remaining is true, repeat the call. Members; for an organization, admins.';

revoke all on function dossier_private.index_again, dossier_private.set_language, dossier.set_language
  from public, anon, authenticated, service_role;
grant execute on function dossier.set_language, dossier_private.set_language to authenticated, service_role;

-- Saving many contexts in one call, all or none.

create function dossier_private.save_context_item(item jsonb) returns dossier.session_context
language plpgsql security definer set search_path = ''
as $$
-- Definer: see write_context.
declare
  unknown_key text;
  wrong text;
begin
  if jsonb_typeof(item) = 'object' then
    select key into unknown_key
    from jsonb_object_keys(item) as key
    where key not in (
      'session_id', 'text_context', 'text', 'context_metadata', 'metadata', 'expected_version', 'merge_metadata')
    limit 1;
  end if;
  wrong := case
    when jsonb_typeof(item) <> 'object' then format('It is a JSON %s.', jsonb_typeof(item))
    when unknown_key is not null then format('It has the key %L.', unknown_key)
    when coalesce(item ->> 'session_id' !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', true)
      then 'Its session_id is missing or not a valid UUID.'
    when jsonb_typeof(coalesce(item -> 'text_context', item -> 'text')) not in ('string', 'null') then 'Its text is not a string.'
    when jsonb_typeof(item -> 'merge_metadata') not in ('boolean', 'null') then 'Its merge_metadata is not a boolean.'
    when (item ->> 'expected_version') !~ '^[0-9]{1,9}$' then 'Its expected_version is not a valid version.'
  end;
  if wrong is not null then
    raise exception using
      errcode = 'PT400',
      message = 'Invalid context item',
      detail = wrong,
      hint = 'Send {"session_id": "…", "text_context": "…", "context_metadata": {…}, "expected_version": 1, "merge_metadata": false}.';
  end if;

  return dossier_private.save_context(
    (item ->> 'session_id')::uuid,
    coalesce(item ->> 'text_context', item ->> 'text'),
    coalesce(nullif(item -> 'context_metadata', 'null'), nullif(item -> 'metadata', 'null')),
    (item ->> 'expected_version')::integer,
    (item ->> 'merge_metadata')::boolean);
end
$$;
comment on function dossier_private.save_context_item(jsonb) is 'Saves one item of save_contexts(), as save_context() does.';

create function dossier_private.save_contexts(items jsonb) returns setof dossier.session_context
language plpgsql security definer set search_path = ''
as $$
-- Definer: see write_context.
declare
  item record;
  saved dossier.session_context[] := '{}';
  one dossier.session_context;
  problem jsonb;
  problems jsonb := '[]';
  said text;
  why text;
  advice text;
  code text;
begin
  if coalesce(jsonb_typeof(items) <> 'array' or jsonb_array_length(items) not between 1 and 1000, true) then
    raise exception using
      errcode = 'PT400',
      message = 'items must be a JSON array of 1 to 1000 contexts',
      detail = case when jsonb_typeof(items) = 'array'
        then format('It has %s items.', jsonb_array_length(items))
        else format('It is a JSON %s.', coalesce(jsonb_typeof(items), 'nothing')) end,
      hint = 'Send [{"session_id": "…", "text_context": "…", "expected_version": 1}].';
  end if;

  -- Sort by session first: two calls that lock in the same order cannot deadlock. An error is recorded and the next item is
  -- tried, so that the caller receives all errors at once.
  for item in
    select element.value, element.place - 1 as index, element.session,
      count(*) over (partition by element.session) > 1 as repeated
    from (
      select e.value, e.place::integer, case when jsonb_typeof(e.value) = 'object' then lower(e.value ->> 'session_id') end as session
      from jsonb_array_elements(items) with ordinality as e (value, place)
    ) as element
    order by element.session, element.place
  loop
    begin
      if item.repeated and item.session is not null then
        raise exception using
          errcode = 'PT400',
          message = 'Several items name this session',
          detail = 'The order in which they would be applied is undefined.',
          hint = 'Send one item per session.';
      end if;
      one := dossier_private.save_context_item(item.value);
      saved[item.index + 1] := one;
    exception when sqlstate 'PT400' or sqlstate 'PT404' or sqlstate 'PT409' or sqlstate 'PT413' or insufficient_privilege then
      get stacked diagnostics
        code = returned_sqlstate, said = message_text, why = pg_exception_detail, advice = pg_exception_hint;
      problem := jsonb_build_object(
        'index', item.index, 'session_id', left(item.session, 36), 'code', code, 'message', said);
      if code = 'PT409' then -- {"current_version", "expected_version"}
        problem := problem || why::jsonb;
      else
        problem := problem || jsonb_build_object('details', why, 'hint', advice);
      end if;
      problems := problems || problem;
    end;
  end loop;

  if problems <> '[]' then
    select p.problem ->> 'code' into code
    from jsonb_array_elements(problems) as p (problem)
    order by (p.problem ->> 'index')::integer
    limit 1;
    raise exception using
      errcode = code,
      message = format('%s of %s contexts cannot be saved, so none was saved',
        jsonb_array_length(problems), jsonb_array_length(items)),
      detail = (
        select jsonb_build_object('items', jsonb_agg(p.problem order by (p.problem ->> 'index')::integer))
        from jsonb_array_elements(problems) as p (problem))::text,
      hint = 'Fix the items listed in details and resend the batch.';
  end if;
  return query select * from unnest(saved);
end
$$;
comment on function dossier_private.save_contexts(jsonb) is 'Runs dossier.save_contexts() with its owner''s rights.';

create function dossier.save_contexts(items jsonb) returns setof dossier.session_context
language sql volatile security invoker set search_path = '' rows 10
begin atomic
  select dossier_private.save_contexts(items);
end;
comment on function dossier.save_contexts(jsonb) is
  'Saves the contexts of up to 1000 sessions, all or none: [{session_id, text_context, context_metadata, expected_version, '
  'merge_metadata}], each as save_context() does. If some cannot be saved, the error has the code of the first of them, and its '
  'detail lists all of them: {"items": [{index, session_id, code, message, …}]}, for a conflict with current_version and '
  'expected_version. Returns the new versions in the order of the items.';

revoke all on function
  dossier_private.save_context_item, dossier_private.save_contexts, dossier.save_contexts
  from public, anon, authenticated, service_role;
grant execute on function dossier.save_contexts, dossier_private.save_contexts to authenticated, service_role;

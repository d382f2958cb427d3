-- Embeddings: a vector for each page, where the extension pgvector is installed. The app's own model makes them.
--
-- pgvector may come later than Dossier, and a table of an extension must keep its columns, or dumps lose them. So the owner
-- makes the table when pgvector is there, by enable_embeddings(): one of the database's own, which pg_dump saves as such.
--
-- Invariant: no function here names a type of pgvector in its signature, and none finds it by the search_path.
-- Invariant: an embedding is of the text that its page has now: it goes with the page, and save_embeddings() locks the document.

create function dossier_private.require_pgvector() returns name
language plpgsql stable security invoker set search_path = ''
as $$
declare
  installed record;
begin
  select n.nspname, x.extversion into installed
  from pg_catalog.pg_extension as x
  join pg_catalog.pg_namespace as n on n.oid = x.extnamespace
  where x.extname = 'vector';
  -- 0.8 is the first whose filtered searches go on until they have found enough.
  if coalesce(string_to_array(substring(installed.extversion from '^[0-9]+\.[0-9]+'), '.')::integer[] < '{0,8}', true) then
    raise exception using
      errcode = 'PT501',
      message = 'This database has no pgvector 0.8 or later',
      detail = case when installed.extversion is null then 'Embeddings are kept in a type of that extension.'
        else format('It has %s.', installed.extversion) end,
      hint = format(
        'On Supabase enable vector under Database, Extensions. Elsewhere install postgresql-%s-pgvector from PostgreSQL''s apt '
        'repository (apt.postgresql.org). Then run: create extension vector with schema extensions; and call '
        'dossier.enable_embeddings() with the dimensions of your model.', current_setting('server_version_num')::integer / 10000);
  end if;
  return installed.nspname;
end
$$;
comment on function dossier_private.require_pgvector() is 'The schema that pgvector is in, or a refusal (PT501) that says what to install.';

create function dossier_private.require_embeddings(out type_schema name, out type_name name, out dimensions integer)
language plpgsql stable security invoker set search_path = ''
as $$
begin
  type_schema := dossier_private.require_pgvector();
  select t.typname, a.atttypmod into type_name, dimensions
  from pg_catalog.pg_attribute as a
  join pg_catalog.pg_type as t on t.oid = a.atttypid
  where a.attrelid = pg_catalog.to_regclass('dossier.page_embeddings') and a.attname = 'embedding' and not a.attisdropped;
  if type_name is null then
    raise exception using
      errcode = 'PT501',
      message = 'Embeddings are not enabled',
      detail = 'pgvector is here, and the table dossier.page_embeddings is not.',
      hint = 'As the owner of the database call dossier.enable_embeddings() with the dimensions of your model, such as 1536.';
  end if;
end
$$;
comment on function dossier_private.require_embeddings() is
  'The type of pgvector that embeddings have, and their dimensions; a refusal (PT501) that says what to do where there are none.';

create function dossier.enable_embeddings(dimensions integer) returns jsonb
language plpgsql security invoker set search_path = ''
as $$
-- Invoker, and granted to nobody: only who may create in the schema can make the table.
#variable_conflict use_variable
declare
  type_schema constant name := dossier_private.require_pgvector();
  type_name constant name := case when dimensions <= 2000 then 'vector' else 'halfvec' end;
  kept record;
begin
  if coalesce(dimensions not between 1 and 4000, true) then
    raise exception using
      errcode = 'PT400',
      message = 'dimensions must be between 1 and 4000',
      detail = format('It is %s; pgvector''s indexes end there.', coalesce(dimensions::text, 'null')),
      hint = 'Most models can make shorter embeddings (OpenAI''s take a parameter dimensions).';
  end if;

  if pg_catalog.to_regclass('dossier.page_embeddings') is not null then
    kept := dossier_private.require_embeddings();
    if kept.dimensions <> dimensions then
      raise exception using
        errcode = 'PT409',
        message = format('Embeddings have %s dimensions already', kept.dimensions),
        detail = format('You asked for %s.', dimensions),
        hint = 'To begin anew with another model: select dossier.disable_embeddings(discard => true), then enable them again.';
    end if;
    return jsonb_build_object('dimensions', dimensions, 'type', type_name);
  end if;

  execute format($ddl$
    create table dossier.page_embeddings (
      document_id uuid not null,
      page integer not null,
      organization_id uuid not null,
      embedding %1$I.%2$I(%3$s) not null,
      model text not null default '',
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint page_embeddings_pkey primary key (organization_id, document_id, page),
      constraint page_embeddings_page_fkey foreign key (organization_id, document_id, page)
        references dossier.document_pages (organization_id, document_id, page) on delete cascade,
      constraint page_embeddings_model_check check (char_length(model) <= 200)
    );
    comment on table dossier.page_embeddings is
      'Embeddings of pages, made by the app. Written by save_embeddings() alone; they go with their page.';
    comment on column dossier.page_embeddings.document_id is 'The document.';
    comment on column dossier.page_embeddings.page is 'Number of the page.';
    comment on column dossier.page_embeddings.organization_id is 'Organization of the document.';
    comment on column dossier.page_embeddings.embedding is 'The embedding, compared by the angle to another. Stored in its row where it fits.';
    comment on column dossier.page_embeddings.model is 'The model that made it, as the app calls it.';
    comment on column dossier.page_embeddings.created_at is 'When the page was first embedded.';
    comment on column dossier.page_embeddings.updated_at is 'When this embedding was saved.';

    -- Fetched from outside its row, a vector costs several times what comparing it does.
    alter table dossier.page_embeddings alter column embedding set storage main;
    create index page_embeddings_embedding_idx on dossier.page_embeddings using hnsw (embedding %1$I.%4$I);

    alter table dossier.page_embeddings enable row level security;
    create policy page_embeddings_select_viewer on dossier.page_embeddings
      for select to authenticated
      using (
        organization_id = any (array(select dossier_private.my_organizations()))
        and exists (select from dossier.documents as document where document.id = document_id)
      );
    revoke all on dossier.page_embeddings from public, anon, authenticated, service_role;
    grant select on dossier.page_embeddings to authenticated, service_role;
    alter table dossier.page_embeddings owner to %5$s
    $ddl$,
    type_schema, type_name, dimensions, type_name || '_cosine_ops',
    (select n.nspowner::regrole from pg_catalog.pg_namespace as n where n.nspname = 'dossier'));
  -- To the doctor the table is part of what was installed.
  insert into dossier_private.installed_schema (place, object, line)
  select described.place, described.object, described.line
  from dossier_private.describe_schema(true) with ordinality as described (object, line, place)
  where described.object = 'dossier.page_embeddings';
  return jsonb_build_object('dimensions', dimensions, 'type', type_name);
end
$$;
comment on function dossier.enable_embeddings(integer) is
  'Makes the table page_embeddings for embeddings of so many dimensions, once pgvector is installed; returns {dimensions, type}, '
  'where type is halfvec, of half precision, above 2000. Again with the same dimensions it changes nothing. For the owner only.';

create function dossier.disable_embeddings(discard boolean default false) returns boolean
language plpgsql security invoker set search_path = ''
as $$
declare
  any_saved boolean := false;
begin
  if pg_catalog.to_regclass('dossier.page_embeddings') is null then
    return false;
  end if;
  -- Dynamic, as in all that follows: the table may come and go.
  execute 'select exists (select from dossier.page_embeddings)' into any_saved;
  if any_saved and not coalesce(discard, false) then
    raise exception using
      errcode = 'PT409',
      message = 'There are embeddings of pages',
      detail = 'They would all be dropped; the pages stay.',
      hint = 'If that is meant: select dossier.disable_embeddings(discard => true).';
  end if;
  execute 'drop table dossier.page_embeddings';
  delete from dossier_private.installed_schema as installed where installed.object = 'dossier.page_embeddings';
  return true;
end
$$;
comment on function dossier.disable_embeddings(boolean) is
  'Drops the table page_embeddings; one that has rows only when discard is true. False when there was none. For the owner only.';

create function dossier_private.save_embeddings(embeddings jsonb, model text) returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: nobody may write embeddings but through here.
declare
  kept constant record := dossier_private.require_embeddings();
  largest constant text := case kept.type_name when 'halfvec' then '65504' else '3.4e38' end;
  document record;
  wrong record;
  saved integer;
begin
  if jsonb_typeof(embeddings) is distinct from 'array' or jsonb_array_length(embeddings) not between 1 and 1000 then
    raise exception using
      errcode = 'PT400',
      message = 'embeddings must be a JSON array of 1 to 1000 objects',
      detail = format('It is a JSON %s.', coalesce(jsonb_typeof(embeddings), 'null')),
      hint = 'Send [{"document_id": "…", "page": 1, "embedding": [0.1, …]}, …].';
  end if;
  if char_length(model) > 200 then
    raise exception using
      errcode = 'PT400',
      message = 'A model''s name has at most 200 characters',
      detail = format('This one has %s.', char_length(model)),
      hint = 'Send what your provider calls it.';
  end if;

  select item.place, case jsonb_typeof(item.value -> 'embedding') when 'array' then jsonb_array_length(item.value -> 'embedding') end as length
  into wrong
  from jsonb_array_elements(embeddings) with ordinality as item (value, place)
  where jsonb_typeof(item.value -> 'embedding') is distinct from 'array'
    or jsonb_array_length(item.value -> 'embedding') <> kept.dimensions
    or jsonb_path_exists(item.value, format( -- 1e-131071 is nine letters that Postgres would write out as 131072 digits
      '$.embedding[*] ? (@.type() != "number" || @ > %1$s || @ < -%1$s || (@ > -1e-60 && @ < 1e-60 && @ != 0))', largest)::jsonpath)
    or not jsonb_path_exists(item.value, '$.embedding[*] ? (@ > 1e-30 || @ < -1e-30)')
  order by item.place
  limit 1;
  if found then
    raise exception using
      errcode = 'PT400',
      message = format('An embedding here is an array of %s numbers, not all of them zero', kept.dimensions),
      detail = format('That of item %s %s.', wrong.place, case
        when wrong.length is null then 'is none'
        when wrong.length <> kept.dimensions then format('has %s', wrong.length)
        else format('has something else than numbers up to %s in it, or only zeros', largest) end),
      hint = 'Use the model that embeddings were enabled for.';
  end if;

  -- Locked, so that none of them is read again before this is done; in order, so that two calls never deadlock.
  for document in
    select distinct item.document_id, dossier_private.document_organization(item.document_id) as organization_id
    from jsonb_to_recordset(embeddings) as item (document_id uuid)
    order by item.document_id
  loop
    perform dossier_private.require_writer(document.organization_id, 'document', document.document_id);
    perform from dossier.documents as d where d.id = document.document_id for share;
  end loop;

  select item.document_id, item.page into wrong
  from jsonb_to_recordset(embeddings) as item (document_id uuid, page integer, digest text)
  where item.digest is null
    and not exists (
      select from dossier.documents as d
      join dossier.document_pages as page on page.document_id = d.id and page.organization_id = d.organization_id
      where d.id = item.document_id and page.page = item.page)
  order by item.document_id, item.page
  limit 1;
  if found then
    raise exception using
      errcode = 'PT404',
      message = 'Page not found',
      detail = format('Document %s has no page %s.', wrong.document_id, coalesce(wrong.page::text, '(null)')),
      hint = 'Pages change when their document is read again: send the digest that pages_without_embedding() gave, and what is out of date is left out.';
  end if;

  execute format($query$
    insert into dossier.page_embeddings as old (document_id, page, organization_id, embedding, model)
    select distinct on (item.document_id, item.page)
      item.document_id, item.page, page.organization_id, item.embedding::text::%I.%I, coalesce($2, '')
    from rows from (jsonb_to_recordset($1) as (document_id uuid, page integer, embedding jsonb, digest text))
      with ordinality as item (document_id, page, embedding, digest, place)
    join dossier.documents as d on d.id = item.document_id
    join dossier.document_pages as page
      on page.document_id = d.id and page.organization_id = d.organization_id and page.page = item.page
    where item.digest is null or item.digest = md5(page.text)
    order by item.document_id, item.page, item.place desc
    on conflict (organization_id, document_id, page) do update
    set embedding = excluded.embedding, model = excluded.model, updated_at = now()
    $query$, kept.type_schema, kept.type_name)
  using embeddings, model;
  get diagnostics saved = row_count;
  return saved;
end
$$;
comment on function dossier_private.save_embeddings(jsonb, text) is 'Runs dossier.save_embeddings() with its owner''s rights.';

create function dossier.save_embeddings(embeddings jsonb, model text default null) returns integer
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.save_embeddings(embeddings, model);
end;
comment on function dossier.save_embeddings(jsonb, text) is
  'Saves embeddings of up to 1000 pages, all or none, in place of what these pages had: [{"document_id", "page", "embedding": '
  '[0.1, …], "digest"}]. With the digest that pages_without_embedding() gave, a page whose text has changed since is left out. '
  'Returns how many were saved. Services, and members of the documents'' organizations.';

create function dossier.pages_without_embedding(
  limit_count integer default 100, model text default null, organization_id uuid default null
) returns table (document_id uuid, page integer, text text, digest text)
language plpgsql stable security definer set search_path = '' rows 100
as $$
-- Definer: reads all tenants' pages. Granted to service_role alone.
#variable_conflict use_column
declare
  most constant integer := dossier_private.check_limit(limit_count, 1000);
  kept constant record := dossier_private.require_embeddings();
begin
  return query execute $query$
    select page.document_id, page.page, page.text, md5(page.text)
    from dossier.document_pages as page
    where ($3 is null or page.organization_id = $3)
      and page.text ~ '\S'
      and not exists ( -- in the trash
        select from dossier.documents as document
        join dossier.sessions as session
          on session.id = document.session_id and session.organization_id = document.organization_id
        where document.id = page.document_id and document.organization_id = page.organization_id
          and session.deleted_at is not null)
      and not exists (
        select from dossier.page_embeddings as known
        where known.document_id = page.document_id and known.organization_id = page.organization_id
          and known.page = page.page and known.model = coalesce($2, known.model))
    order by page.document_id desc, page.page
    limit $1
    $query$
  using most, model, organization_id;
end
$$;
comment on function dossier.pages_without_embedding(integer, text, uuid) is
  'Pages that have text and no embedding, or none by this model, of the newest documents first: what a worker embeds next. '
  'digest is for save_embeddings(). Where all pages have one it reads through all of them. Services only.';

revoke all on function
  dossier_private.require_pgvector, dossier_private.require_embeddings, dossier.enable_embeddings, dossier.disable_embeddings,
  dossier_private.save_embeddings, dossier.save_embeddings, dossier.pages_without_embedding
  from public, anon, authenticated, service_role;
grant execute on function dossier.save_embeddings, dossier_private.save_embeddings to authenticated, service_role;
grant execute on function dossier.pages_without_embedding to service_role;

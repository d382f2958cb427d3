-- Embeddings: a vector for each page, if the extension pgvector is installed. The app's own model makes them.
--
-- pgvector may be installed after Dossier, and a table of an extension must keep its columns, or dumps lose them. So the owner
-- creates the table when pgvector is installed, with enable_embeddings(). It belongs to the database, so pg_dump saves it.
--
-- Invariant: no function here has a type of pgvector in its signature, or finds it by the search_path.
-- Invariant: an embedding belongs to the current text of its page: it is deleted with the page, and save_embeddings() locks
-- the document.

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
  -- 0.8 is the first version whose filtered searches continue until they have found enough.
  if coalesce(string_to_array(substring(installed.extversion from '^[0-9]+\.[0-9]+'), '.')::integer[] < '{0,8}', true) then
    raise exception using
      errcode = 'PT501',
      message = 'pgvector 0.8 or later is not installed in this database',
      detail = case when installed.extversion is null then 'Embeddings are stored in a type of pgvector.'
        else format('The database has %s.', installed.extversion) end,
      hint = format(
        'On Supabase enable vector under Database, Extensions. Elsewhere install postgresql-%s-pgvector from PostgreSQL''s apt '
        'repository (apt.postgresql.org). Then run: create extension vector with schema extensions; and call '
        'dossier.enable_embeddings() with the dimensions of your model.', current_setting('server_version_num')::integer / 10000);
  end if;
  return installed.nspname;
end
$$;
comment on function dossier_private.require_pgvector() is
  'Returns the schema of pgvector. Refuses (PT501) a database without it.';

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
      detail = 'pgvector is installed, but the table dossier.page_embeddings does not exist.',
      hint = 'As the owner of the database, call dossier.enable_embeddings() with the dimensions of your model, such as 1536.';
  end if;
end
$$;
comment on function dossier_private.require_embeddings() is
  'Returns the pgvector type and the dimensions of embeddings. Refuses (PT501) a database where they are not enabled.';

create function dossier.enable_embeddings(dimensions integer) returns jsonb
language plpgsql security invoker set search_path = ''
as $$
-- Invoker, and granted to no role: only roles that may create in the schema can create the table.
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
      detail = format('It is %s. The indexes of pgvector support up to 4000.', coalesce(dimensions::text, 'null')),
      hint = 'Configure your model to return shorter embeddings (OpenAI''s models accept a parameter dimensions).';
  end if;

  if pg_catalog.to_regclass('dossier.page_embeddings') is not null then
    kept := dossier_private.require_embeddings();
    if kept.dimensions <> dimensions then
      raise exception using
        errcode = 'PT409',
        message = format('Embeddings already have %s dimensions', kept.dimensions),
        detail = format('You requested %s.', dimensions),
        hint = 'To change the model: select dossier.disable_embeddings(discard => true), then enable them again.';
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
      'Embeddings of pages, made by the app. Written only by save_embeddings(), and deleted with their page.';
    comment on column dossier.page_embeddings.document_id is 'The document.';
    comment on column dossier.page_embeddings.page is 'Number of the page.';
    comment on column dossier.page_embeddings.organization_id is 'Organization of the document.';
    comment on column dossier.page_embeddings.embedding is 'The embedding, compared by cosine. Stored in its row if it fits.';
    comment on column dossier.page_embeddings.model is 'Name of the model, as the app calls it.';
    comment on column dossier.page_embeddings.created_at is 'When the page was first embedded.';
    comment on column dossier.page_embeddings.updated_at is 'When this embedding was saved.';

    -- Reading a vector from outside its row costs several times as much as comparing it.
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
  -- For the doctor, the table is part of the installed schema.
  insert into dossier_private.installed_schema (place, object, line)
  select described.place, described.object, described.line
  from dossier_private.describe_schema(true) with ordinality as described (object, line, place)
  where described.object = 'dossier.page_embeddings';
  return jsonb_build_object('dimensions', dimensions, 'type', type_name);
end
$$;
comment on function dossier.enable_embeddings(integer) is
  'Creates the table page_embeddings for embeddings of this many dimensions. Requires pgvector. Returns {dimensions, type}; '
  'above 2000 dimensions the type is halfvec, of half precision. Repeating the call with the same dimensions changes nothing. '
  'Owner only.';

create function dossier.disable_embeddings(discard boolean default false) returns boolean
language plpgsql security invoker set search_path = ''
as $$
declare
  any_saved boolean := false;
begin
  if pg_catalog.to_regclass('dossier.page_embeddings') is null then
    return false;
  end if;
  -- Dynamic, as below: the table may be created and dropped later.
  execute 'select exists (select from dossier.page_embeddings)' into any_saved;
  if any_saved and not coalesce(discard, false) then
    raise exception using
      errcode = 'PT409',
      message = 'There are embeddings of pages',
      detail = 'All of them would be deleted. The pages stay.',
      hint = 'To delete them: select dossier.disable_embeddings(discard => true).';
  end if;
  execute 'drop table dossier.page_embeddings';
  delete from dossier_private.installed_schema as installed where installed.object = 'dossier.page_embeddings';
  return true;
end
$$;
comment on function dossier.disable_embeddings(boolean) is
  'Drops the table page_embeddings. If it has rows, requires discard. Returns false if it does not exist. Owner only.';

create function dossier_private.save_embeddings(embeddings jsonb, model text) returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write embeddings only through this function.
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
      message = 'The name of a model must have at most 200 characters',
      detail = format('This name has %s.', char_length(model)),
      hint = 'Send the name that your provider uses.';
  end if;

  select item.place, case jsonb_typeof(item.value -> 'embedding') when 'array' then jsonb_array_length(item.value -> 'embedding') end as length
  into wrong
  from jsonb_array_elements(embeddings) with ordinality as item (value, place)
  where jsonb_typeof(item.value -> 'embedding') is distinct from 'array'
    or jsonb_array_length(item.value -> 'embedding') <> kept.dimensions
    or jsonb_path_exists(item.value, format( -- Postgres would write the nine characters 1e-131071 out as 131072 digits
      '$.embedding[*] ? (@.type() != "number" || @ > %1$s || @ < -%1$s || (@ > -1e-60 && @ < 1e-60 && @ != 0))', largest)::jsonpath)
    or not jsonb_path_exists(item.value, '$.embedding[*] ? (@ > 1e-30 || @ < -1e-30)')
  order by item.place
  limit 1;
  if found then
    raise exception using
      errcode = 'PT400',
      message = format('An embedding must be an array of %s numbers, not all of them zero', kept.dimensions),
      detail = format('The embedding of item %s %s.', wrong.place, case
        when wrong.length is null then 'is missing or not an array'
        when wrong.length <> kept.dimensions then format('has %s', wrong.length)
        else format('must contain only numbers up to %s, and not only zeros', largest) end),
      hint = 'Use the model that embeddings were enabled for.';
  end if;

  -- Lock the documents, so that none is extracted again meanwhile. Sort first, so that two calls cannot deadlock.
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
      hint = 'A new extraction can change pages. To skip outdated pages, send the digest from pages_without_embedding().';
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
  'Saves embeddings of up to 1000 pages, all or none, and replaces existing ones: [{"document_id", "page", "embedding": [0.1, '
  '…], "digest"}]. With the digest that pages_without_embedding() returned, skips pages whose text has changed since. Returns '
  'how many were saved. Services, and members of the documents'' organizations.';

create function dossier.pages_without_embedding(
  limit_count integer default 100, model text default null, organization_id uuid default null
) returns table (document_id uuid, page integer, text text, digest text)
language plpgsql stable security definer set search_path = '' rows 100
as $$
-- Definer: reads the pages of all tenants. Granted to service_role alone.
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
  'Returns pages that have text but no embedding, or none by this model, of the newest documents first: the next work of a '
  'worker. Send digest with save_embeddings(). If all pages have one, reads all of them. Services only.';

revoke all on function
  dossier_private.require_pgvector, dossier_private.require_embeddings, dossier.enable_embeddings, dossier.disable_embeddings,
  dossier_private.save_embeddings, dossier.save_embeddings, dossier.pages_without_embedding
  from public, anon, authenticated, service_role;
grant execute on function dossier.save_embeddings, dossier_private.save_embeddings to authenticated, service_role;
grant execute on function dossier.pages_without_embedding to service_role;

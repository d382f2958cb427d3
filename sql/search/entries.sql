-- Entries of the search index: the words of each page and context.
--
-- Besides its words, the vector of an entry contains one lexeme for its organization and one for its session, both with the
-- name of its text search configuration. They begin with a space, which no word of a text does. So the index intersects the
-- short list of a tenant with the long lists of common words, and each language's reading of a query matches only entries of
-- that language.
--
-- A text whose language is unknown, and every context, is read twice: as whole words, and with the stems of the language of the
-- texts around it. Its configuration is simple+english, for example, and it has the lexemes of both.
--
-- Further lexemes have no place in the text: names of stop words, the endings of compounds, and joined numbers and compounds.

create table dossier_private.search_entries (
  id bigint not null generated always as identity,
  organization_id uuid not null,
  session_id uuid not null,
  document_id uuid,
  page integer,
  config text not null,
  search tsvector not null,
  constraint search_entries_pkey primary key (id),
  constraint search_entries_session_fkey foreign key (organization_id, session_id)
    references dossier.sessions (organization_id, id) on delete cascade,
  constraint search_entries_page_fkey foreign key (organization_id, document_id, page)
    references dossier.document_pages (organization_id, document_id, page) on delete cascade,
  constraint search_entries_page_check check ((document_id is null) = (page is null))
);
comment on table dossier_private.search_entries is
  'Words of each page of ready documents, and of each context. Written by index_document() and index_context().';
comment on column dossier_private.search_entries.id is 'Key. Ascends with age, so that the newest entries are found first.';
comment on column dossier_private.search_entries.organization_id is 'The organization.';
comment on column dossier_private.search_entries.session_id is 'The session.';
comment on column dossier_private.search_entries.document_id is 'The document, or null for the context of the session.';
comment on column dossier_private.search_entries.page is 'Number of the page.';
comment on column dossier_private.search_entries.config is
  'Text search configuration of its language in pg_catalog, or simple, or both as in simple+english if its language is a guess.';
comment on column dossier_private.search_entries.search is
  'Words of the first 100000 characters (fewer if they exceed the 1 MB of a tsvector), and the lexemes of its scopes.';

-- Compressing a vector costs half as much as making it, saves a quarter of its size, and makes every ranking slower.
alter table dossier_private.search_entries alter column search set storage external;

create index search_entries_organization_id_session_id_idx on dossier_private.search_entries (organization_id, session_id);
create index search_entries_organization_id_config_idx on dossier_private.search_entries (organization_id, config);
create index search_entries_organization_id_document_id_page_idx on dossier_private.search_entries (organization_id, document_id, page);
create unique index search_entries_context_session_id_idx
  on dossier_private.search_entries (organization_id, session_id) where document_id is null;
-- New words stay in the pending list of the index, which every search reads: see index_pending_words().
create index search_entries_search_idx on dossier_private.search_entries using gin (search);

-- Writing entries.

create function dossier_private.scope_lexeme(scope_id uuid, config text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return format(' %s %s', scope_id, config);
end
$$;
comment on function dossier_private.scope_lexeme(uuid, text) is
  'Returns the lexeme of all entries of an organization or a session with a text search configuration.';

create function dossier_private.search_vector(config text, text text, scopes uuid[]) returns tsvector
-- Suppress the notice about a word that is too long to be indexed.
language plpgsql stable security invoker set search_path = '' set client_min_messages = 'warning'
as $$
declare
  configs constant text[] := string_to_array(config, '+');
  configuration regconfig;
  original text := dossier_private.part_words("left"(text, 100000));
  joined constant text := dossier_private.fold_letters(dossier_private.joined_compounds("left"(text, 100000)));
  folded text;
  words tsvector;
  plain tsvector; -- the words as they are, if they are read as such
  added text[];
  further text[]; -- lexemes without a place
  scope uuid;
  vector tsvector;
begin
  -- Statements that are expressions are cheap: they stay prepared. Those with a subquery start an executor each time.
  loop
    begin
      vector := null;
      plain := null;
      further := '{}';
      folded := dossier_private.pair_letters(dossier_private.fold_letters(original));
      foreach config in array configs loop
        configuration := 'pg_catalog.' || config;
        words := to_tsvector(configuration, folded);
        if config = 'simple' then
          plain := words;
          added := '{}';
        else
          added := dossier_private.stop_lexemes(config, folded, coalesce(plain, to_tsvector('pg_catalog.simple', folded)));
        end if;
        if dossier_private.stems_by_accents(config, original) then
          words := concat_ws(' ', words, dossier_private.fold_letters(
            to_tsvector(configuration, dossier_private.pair_letters(normalize(original, nfc)))::text))::tsvector;
        end if;
        if joined is not null then
          words := words || strip(to_tsvector(configuration, joined));
        end if;
        if dossier_private.has_compounds(config) then
          added := added || array(
            select dossier_private.ending_lexeme(stem.lexeme)
            from unnest(tsvector_to_array(words)) as stem (lexeme)
            where char_length(stem.lexeme) >= 8 and stem.lexeme ~ '^[[:alpha:]]+$');
        end if;
        further := further || added;
        foreach scope in array scopes loop
          further := further || dossier_private.scope_lexeme(scope, config);
        end loop;
        -- As text: || would move the positions of the second reading behind those of the first.
        vector := case when vector is null then words else concat_ws(' ', vector, words)::tsvector end;
      end loop;
      return vector || array_to_tsvector(further || dossier_private.joined_numbers(original));
    exception when program_limit_exceeded then -- a vector has at most a megabyte
      original := "left"(original, char_length(original) * 3 / 4);
    end;
  end loop;
end
$$;
comment on function dossier_private.search_vector(text, text, uuid[]) is
  'Returns the vector of a text: as much of its first 100000 characters as fits.';

create function dossier_private.guessed_config(organization_id uuid, session_id uuid) returns text
language plpgsql stable security invoker set search_path = ''
as $$
#variable_conflict use_variable
declare
  guess text;
begin
  select dossier_private.search_config(coalesce(s.language, o.language)) into guess
  from dossier.organizations as o
  left join dossier.sessions as s on s.organization_id = o.id and s.id = session_id
  where o.id = organization_id and coalesce(s.language, o.language) is not null;
  if found then -- not a guess
    return guess;
  end if;

  select near.config into guess
  from (
    (select 1 as distance, dossier_private.search_config(d.language) as config
      from dossier.documents as d
      where d.session_id = session_id and d.language is not null
      order by d.created_at desc limit 20)
    union all
    (select 2, dossier_private.search_config(d.language)
      from dossier.documents as d
      where d.organization_id = organization_id and d.language is not null
      order by d.created_at desc limit 20)
    union all
    select 3, c.cfgname::text
    from pg_catalog.pg_ts_config as c
    where c.oid = pg_catalog.get_current_ts_config() and c.cfgnamespace = 'pg_catalog'::regnamespace
  ) as near
  group by near.distance, near.config
  order by near.distance, count(*) desc, near.config
  limit 1;
  return case when guess <> 'simple' then 'simple+' || guess else 'simple' end;
end
$$;
comment on function dossier_private.guessed_config(uuid, uuid) is
  'Returns the text search configurations for a text of unknown language: that of its session or organization, if set_language() '
  'was called for it. Otherwise simple, and that of most of the session''s newest '
  'documents, else of the organization''s, else the database''s default_text_search_config.';

create function dossier_private.context_words(text_context text, context_metadata jsonb) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return concat_ws(E'\n', nullif(text_context, ''), (
    with recursive item (key, value, place) as (
      select null::text, context_metadata, '{}'::bigint[]
      union all
      select coalesce(member.key, item.key), member.value, item.place || member.number
      from item
      cross join lateral (
        select e.key, e.value, e.number
        from jsonb_each(case jsonb_typeof(item.value) when 'object' then item.value else '{}' end) with ordinality as e (key, value, number)
        union all
        select null, e.value, e.number
        from jsonb_array_elements(case jsonb_typeof(item.value) when 'array' then item.value else '[]' end)
          with ordinality as e (value, number)
      ) as member
    )
    select string_agg(concat_ws(': ', item.key, item.value #>> '{}'), E'\n' order by item.place)
    from item
    where jsonb_typeof(item.value) = 'string'));
end
$$;
comment on function dossier_private.context_words(text, jsonb) is
  'Returns the searchable parts of a context: its text, and a line for each string of its metadata, with its key.';

create function dossier_private.index_context(saved dossier.session_context) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by write_context().
declare
  config constant text := dossier_private.guessed_config(saved.organization_id, saved.session_id);
begin
  insert into dossier_private.search_entries as entry (organization_id, session_id, config, search)
  values (
    saved.organization_id, saved.session_id, config,
    dossier_private.search_vector(config,
      dossier_private.context_words(saved.text_context, saved.context_metadata),
      array[saved.organization_id, saved.session_id]))
  on conflict (organization_id, session_id) where document_id is null do update
  set search = excluded.search, config = excluded.config
  where entry.search <> excluded.search;
end
$$;
comment on function dossier_private.index_context(dossier.session_context) is 'Writes the entry of a saved context.';

create function dossier_private.document_config(document_id uuid)
returns table (id uuid, organization_id uuid, session_id uuid, config text)
language plpgsql stable security invoker set search_path = '' rows 1
as $$
#variable_conflict use_column
begin
  return query
    select d.id, d.organization_id, d.session_id,
      case when d.language is null then dossier_private.guessed_config(d.organization_id, d.session_id)
        else dossier_private.search_config(d.language) end
    from dossier.documents as d
    where d.id = document_config.document_id;
end
$$;
comment on function dossier_private.document_config(uuid) is
  'Returns a document with the text search configuration for its language, or a guess.';

create function dossier_private.index_document(document_id uuid) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by definer functions and a trigger.
begin
  delete from dossier_private.search_entries as entry
  using dossier.documents as document
  where document.id = index_document.document_id
    and entry.organization_id = document.organization_id and entry.document_id = document.id;

  -- stage_pages() may have made the vectors while the file was still being read.
  insert into dossier_private.search_entries (organization_id, session_id, document_id, page, config, search)
  select document.organization_id, document.session_id, document.id, page.page, document.config, coalesce(staged.search,
    dossier_private.search_vector(document.config, page.text, array[document.organization_id, document.session_id]))
  from dossier_private.document_config(index_document.document_id) as document
  join dossier.document_pages as page on page.document_id = document.id and page.organization_id = document.organization_id
  left join dossier_private.staged_pages as staged on staged.organization_id = document.organization_id
    and staged.document_id = document.id and staged.page = page.page and staged.config = document.config and staged.text = page.text
  order by page.page;
end
$$;
comment on function dossier_private.index_document(uuid) is
  'Writes the entries of a document''s pages again, in its current language.';

create function dossier_private.index_missing(most integer default 50) returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by the owner of the database, but reads what row level security could hide.
declare
  document_id uuid;
  context dossier.session_context;
  indexed integer := 0;
begin
  for document_id in
    select d.id
    from dossier.documents as d
    where d.status = 'ready' and exists (
      select from dossier.document_pages as page
      where page.document_id = d.id and page.organization_id = d.organization_id
        and not exists (
          select from dossier_private.search_entries as entry
          where entry.document_id = page.document_id and entry.organization_id = page.organization_id and entry.page = page.page))
    limit most
    for no key update skip locked
  loop
    perform dossier_private.index_document(document_id);
    indexed := indexed + 1;
  end loop;
  for context in
    select c.*
    from dossier.session_context as c
    where not exists (
      select from dossier_private.search_entries as entry
      where entry.session_id = c.session_id and entry.organization_id = c.organization_id and entry.document_id is null)
    limit most - indexed
    for no key update skip locked
  loop
    perform dossier_private.index_context(context);
    indexed := indexed + 1;
  end loop;
  return indexed;
end
$$;
comment on function dossier_private.index_missing(integer) is
  'Writes the missing entries of up to this many documents and contexts. Returns how many it indexed. Call it in transactions of '
  'their own until it returns 0: the fix of the doctor''s check search.';

create function dossier_private.index_page(document_id uuid, page integer) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by definer functions.
begin
  delete from dossier_private.search_entries as entry
  using dossier.documents as document
  where document.id = index_page.document_id
    and entry.organization_id = document.organization_id and entry.document_id = document.id and entry.page = index_page.page;

  insert into dossier_private.search_entries (organization_id, session_id, document_id, page, config, search)
  select document.organization_id, document.session_id, document.id, p.page, document.config,
    dossier_private.search_vector(document.config, p.text, array[document.organization_id, document.session_id])
  from dossier_private.document_config(index_page.document_id) as document
  join dossier.document_pages as p on p.document_id = document.id and p.organization_id = document.organization_id
  where p.page = index_page.page;
end
$$;
comment on function dossier_private.index_page(uuid, integer) is
  'Writes the entry of one page again, in the current language of its document.';

create function dossier_private.index_ready_document() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write entries.
begin
  perform dossier_private.index_document(new.id);
  return null;
end
$$;
comment on function dossier_private.index_ready_document() is 'Trigger: makes a document searchable when it becomes ready.';

create trigger documents_index_ready
  after update of status on dossier.documents
  for each row when (new.status = 'ready' and old.status <> 'ready')
  execute function dossier_private.index_ready_document();

alter table dossier_private.search_entries enable row level security;
create policy search_entries_all_nobody on dossier_private.search_entries for all to authenticated using (false);

revoke all on dossier_private.search_entries from public, anon, authenticated, service_role;
revoke all on sequence dossier_private.search_entries_id_seq from public, anon, authenticated, service_role;
create function dossier.index_pending_words() returns bigint
language plpgsql security definer set search_path = ''
as $$
-- Definer: only the owner may do this to an index. Granted to service_role alone.
declare
  index_id constant regclass := to_regclass('dossier_private.search_entries_search_idx');
begin
  return (
    select coalesce(sum(pg_catalog.gin_clean_pending_list(part.oid)), 0)
    from pg_catalog.pg_class as part
    where part.relkind = 'i' -- the index of a partitioned table is an I, and its parts have an i
      and (part.oid = index_id or part.oid in (select tree.relid from pg_catalog.pg_partition_tree(index_id) as tree)));
end
$$;
comment on function dossier.index_pending_words() is
  'Moves pending words into the search index. Returns how many pages of 8 KiB they took. Searches find pending words, too, but '
  'the write that exceeds gin_pending_list_limit (4 MB) has to wait until all are in the index. Workers call it between jobs. '
  'Services only.';

revoke all on function
  dossier.index_pending_words,
  dossier_private.scope_lexeme, dossier_private.search_vector,
  dossier_private.guessed_config, dossier_private.context_words, dossier_private.index_context, dossier_private.document_config,
  dossier_private.index_document, dossier_private.index_page, dossier_private.index_missing,
  dossier_private.index_ready_document
  from public, anon, authenticated, service_role;
grant execute on function dossier.index_pending_words to service_role;

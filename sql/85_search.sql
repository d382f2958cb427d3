-- Search: the words of pages and contexts in one index, found and ranked within what the caller may see.
--
-- Row level security cannot use a full text index: the operator @@ is not leakproof, so the policy is
-- evaluated on every row of the tenant first. find_entries() therefore runs as a definer and asks the index
-- for the words together with the tenant. Each entry's vector holds, besides its words, one lexeme for its
-- organization and one for its session, both with the name of its text search configuration. They begin with
-- a space, which no word of a text does. The index intersects the short list of a tenant with the long lists
-- of common words, and each language's reading of a query meets only entries of that language.
--
-- Invariant: a lexeme narrows, the column organization_id decides; every entry is checked against it.

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
  constraint search_entries_page_fkey foreign key (document_id, page)
    references dossier.document_pages (document_id, page) on delete cascade,
  constraint search_entries_page_check check ((document_id is null) = (page is null))
);
comment on table dossier_private.search_entries is
  'Words of each page of a document that is ready, and of each context. Written by index_document() and index_context().';
comment on column dossier_private.search_entries.id is 'Key; ascends with age, so that the newest entries are found first.';
comment on column dossier_private.search_entries.organization_id is 'The organization.';
comment on column dossier_private.search_entries.session_id is 'The session.';
comment on column dossier_private.search_entries.document_id is 'The document, or null for the context of the session.';
comment on column dossier_private.search_entries.page is 'Number of the page.';
comment on column dossier_private.search_entries.config is 'Text search configuration of pg_catalog that its language has, else simple.';
comment on column dossier_private.search_entries.search is
  'Words of the first 100000 characters (more could pass the megabyte that a tsvector holds), and the lexemes of its scopes.';

create index search_entries_organization_id_session_id_idx on dossier_private.search_entries (organization_id, session_id);
create index search_entries_organization_id_config_idx on dossier_private.search_entries (organization_id, config);
create index search_entries_document_id_page_idx on dossier_private.search_entries (document_id, page);
create unique index search_entries_context_session_id_idx on dossier_private.search_entries (session_id) where document_id is null;
-- What is pending is read by every search; half a megabyte of it is read in a few milliseconds.
create index search_entries_search_idx on dossier_private.search_entries using gin (search) with (gin_pending_list_limit = 512);

-- Writing entries.

create function dossier_private.search_config(language text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case language
    when 'ara' then 'arabic' when 'cat' then 'catalan' when 'dan' then 'danish' when 'deu' then 'german'
    when 'ell' then 'greek' when 'eng' then 'english' when 'eus' then 'basque' when 'fin' then 'finnish'
    when 'fra' then 'french' when 'gle' then 'irish' when 'hin' then 'hindi' when 'hun' then 'hungarian'
    when 'hye' then 'armenian' when 'ind' then 'indonesian' when 'ita' then 'italian' when 'lit' then 'lithuanian'
    when 'nep' then 'nepali' when 'nld' then 'dutch' when 'nno' then 'norwegian' when 'nob' then 'norwegian'
    when 'nor' then 'norwegian' when 'por' then 'portuguese' when 'ron' then 'romanian' when 'rus' then 'russian'
    when 'spa' then 'spanish' when 'srp' then 'serbian' when 'swe' then 'swedish' when 'tam' then 'tamil'
    when 'tur' then 'turkish' when 'yid' then 'yiddish'
    else 'simple'
  end;
end
$$;
comment on function dossier_private.search_config(text) is
  'Name of the text search configuration in pg_catalog for a language (ISO 639-3); simple, which compares whole words, for the rest.';

create function dossier_private.fold(text text) returns text
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
begin
  -- The parser of text search passes over what looks like a tag of HTML.
  text := translate(text, '<>', '  ');
  if octet_length(text) = char_length(text) then
    return text;
  end if;
  -- Only after Latin letters: elsewhere a mark makes another letter, as in Cyrillic.
  return normalize(regexp_replace(normalize(text, nfd), '([A-Za-z])[\u0300-\u036f]+', '\1', 'g'), nfc);
end
$$;
comment on function dossier_private.fold(text) is
  'A text as search reads it: without the accents of Latin letters, so that cafe finds café, and without angle brackets. '
  'Of a text in NFC each character stays one character.';

create function dossier_private.scope_lexeme(scope_id uuid, config text) returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select format(' %s %s', scope_id, config);
end;
comment on function dossier_private.scope_lexeme(uuid, text) is
  'The lexeme of all entries of an organization or a session that have a configuration.';

create function dossier_private.search_vector(config text, text text, scopes uuid[]) returns tsvector
-- A word that is too long to be indexed is no news to anybody.
language plpgsql stable parallel safe security invoker set search_path = '' set client_min_messages = 'warning'
as $$
begin
  return to_tsvector(('pg_catalog.' || config)::regconfig, dossier_private.fold("left"(text, 100000)))
    || array_to_tsvector(array(select dossier_private.scope_lexeme(scope.id, config) from unnest(scopes) as scope (id)));
end
$$;
comment on function dossier_private.search_vector(text, text, uuid[]) is 'What the index has of a text.';

create function dossier_private.context_words(text_context text, context_metadata jsonb) returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select concat_ws(E'\n', nullif(text_context, ''), (
    select string_agg(said.value #>> '{}', E'\n')
    from jsonb_path_query(context_metadata, 'strict $.** ? (@.type() == "string")') as said (value)));
end;
comment on function dossier_private.context_words(text, jsonb) is 'What of a context can be searched: its text, and the strings of its metadata.';

create function dossier_private.index_context(saved dossier.session_context) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by write_context().
begin
  insert into dossier_private.search_entries as entry (organization_id, session_id, config, search)
  values (
    saved.organization_id, saved.session_id, 'simple',
    dossier_private.search_vector('simple',
      dossier_private.context_words(saved.text_context, saved.context_metadata),
      array[saved.organization_id, saved.session_id]))
  on conflict (session_id) where document_id is null do update
  set search = excluded.search
  where entry.search <> excluded.search;
end
$$;
comment on function dossier_private.index_context(dossier.session_context) is 'Writes the entry of a context that has been saved.';

create function dossier_private.index_document(document_id uuid) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by definer functions and a trigger.
begin
  delete from dossier_private.search_entries as entry where entry.document_id = index_document.document_id;

  insert into dossier_private.search_entries (organization_id, session_id, document_id, page, config, search)
  select document.organization_id, document.session_id, document.id, page.page, document.config,
    dossier_private.search_vector(document.config, page.text, array[document.organization_id, document.session_id])
  from (
    select d.id, d.organization_id, d.session_id, dossier_private.search_config(d.language) as config
    from dossier.documents as d
    where d.id = index_document.document_id
  ) as document
  join dossier.document_pages as page on page.document_id = document.id;
end
$$;
comment on function dossier_private.index_document(uuid) is 'Writes the entries of a document''s pages anew, in the language that it has now.';

create function dossier_private.index_ready_document() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: whoever makes a document ready, nobody may write entries.
begin
  perform dossier_private.index_document(new.id);
  return null;
end
$$;
comment on function dossier_private.index_ready_document() is 'Trigger: a document that becomes ready can be searched.';

create trigger documents_index_ready
  after update of status on dossier.documents
  for each row when (new.status = 'ready' and old.status <> 'ready')
  execute function dossier_private.index_ready_document();

-- Reading a query.

create function dossier_private.parse_search(config text, query text) returns tsquery
-- A query of stop words alone is no news to anybody.
language plpgsql stable parallel safe security invoker set search_path = '' set client_min_messages = 'warning'
as $$
declare
  configuration constant regconfig := 'pg_catalog.' || config;
  readable text := dossier_private.fold(query);
  parsed text;
  word text;
  stem text;
  stand_ins integer := 0;
begin
  -- A word with a star is a prefix, which websearch_to_tsquery() does not know. A stand-in, which no
  -- configuration stems since it has a digit, holds its place among operators and quotation marks.
  loop
    word := substring(readable from '([[:alnum:]]{3,})\*');
    exit when word is null;
    stand_ins := stand_ins + 1;
    readable := regexp_replace(readable, '[[:alnum:]]{3,}\*', format('zq%szq', stand_ins));
    parsed := concat_ws(E'\n', parsed, lower(word));
  end loop;

  readable := websearch_to_tsquery(configuration, readable)::text;
  for i in 1 .. stand_ins loop
    word := split_part(parsed, E'\n', i);
    stem := plainto_tsquery(configuration, word)::text;
    readable := replace(readable, format('''zq%szq''', i),
      case when stem in ('', format('''%s''', word)) then format('''%s'':*', word) else format('( ''%s'':* | %s )', word, stem) end);
  end loop;
  return readable::tsquery;
end
$$;
comment on function dossier_private.parse_search(text, text) is
  'A query as people type it: words, "a phrase", or, -not, and prefixes of three letters or more with a star.';

-- Showing what was found.

create function dossier_private.escape_html(text text) returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select replace(replace(replace(replace(text, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;');
end;
comment on function dossier_private.escape_html(text) is 'A text as HTML.';

create function dossier_private.highlight(config text, text text, query tsquery) returns text
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
declare
  configuration constant regconfig := 'pg_catalog.' || config;
  window_size constant integer := 20000;
  -- Two private characters mark matches until the text is escaped.
  options constant text := format('StartSel=%s, StopSel=%s, MaxWords=36, MinWords=18, ShortWord=3', U&'\E000', U&'\E001');
  original text;
  folded text;
  excerpt text;
  place integer;
  originals text[];
  letter text;
  result text := '';
begin
  for start in 0 .. 4 loop
    original := substr(text, start * window_size + 1, window_size);
    exit when original = '';
    if octet_length(original) <> char_length(original) then
      original := normalize(translate(original, U&'\E000\E001', '  '), nfc);
    end if;
    folded := dossier_private.fold(original);
    excerpt := ts_headline(configuration, folded, query, options);
    exit when position(U&'\E000' in excerpt) > 0;
  end loop;
  if coalesce(position(U&'\E000' in excerpt), 0) = 0 then -- a match across windows, or of what a text is without
    excerpt := "left"(translate(text, U&'\E000\E001', '  '), 240);
  elsif folded <> original and char_length(folded) = char_length(original) then
    -- The excerpt as it was written: the same characters of the original.
    place := position(translate(excerpt, U&'\E000\E001', '') in folded);
    if place > 0 then
      originals := string_to_array(substr(original, place, char_length(excerpt)), null);
      place := 1;
      foreach letter in array string_to_array(excerpt, null) loop
        if letter not in (U&'\E000', U&'\E001') then
          letter := originals[place];
          place := place + 1;
        end if;
        result := result || letter;
      end loop;
      excerpt := result;
    end if;
  end if;

  return replace(replace(dossier_private.escape_html(excerpt), U&'\E000', '<mark>'), U&'\E001', '</mark>');
end
$$;
comment on function dossier_private.highlight(text, text, tsquery) is
  'Some words around the first match, as HTML: the text escaped, matches in <mark>. Reads 100000 characters at most.';

-- Finding.

create function dossier_private.searchable_organizations(session_id uuid, organization_id uuid) returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads membership. It says what the policies of pages and contexts say.
declare
  owning_organization_id uuid := organization_id;
  mine uuid[];
begin
  if session_id is not null then
    select s.organization_id into owning_organization_id
    from dossier.sessions as s
    where s.id = searchable_organizations.session_id
      and s.organization_id = coalesce(searchable_organizations.organization_id, s.organization_id);
    perform dossier_private.require_role(owning_organization_id, 'viewer', 'session', session_id);
    return array[owning_organization_id];
  elsif organization_id is not null then
    perform dossier_private.require_role(
      (select o.id from dossier.organizations as o where o.id = searchable_organizations.organization_id),
      'viewer', 'organization', organization_id);
    return array[organization_id];
  end if;

  mine := array(select dossier_private.my_organizations());
  if mine = '{}' and dossier_private.is_service() then
    raise exception using
      errcode = 'PT400',
      message = 'Say where to search',
      detail = 'A service belongs to no organization.',
      hint = 'Send the parameter organization_id or session_id.';
  end if;
  return mine;
end
$$;
comment on function dossier_private.searchable_organizations(uuid, uuid) is
  'The organizations that a search may look into: the one named, the session''s, or all of the caller''s; PT404 for what is invisible.';

create function dossier_private.search_configs(organizations uuid[]) returns text[]
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read entries.
begin
  -- The recursion hops from one configuration to the next by the index, however many entries each has.
  return array(
    select distinct used.config
    from unnest(organizations) as mine (id)
    cross join lateral (
      with recursive hops (config) as (
        (select e.config from dossier_private.search_entries as e
          where e.organization_id = mine.id order by e.config limit 1)
        union all
        select (select e.config from dossier_private.search_entries as e
          where e.organization_id = mine.id and e.config > hops.config order by e.config limit 1)
        from hops
        where hops.config is not null
      )
      select hops.config from hops where hops.config is not null
    ) as used
  );
end
$$;
comment on function dossier_private.search_configs(uuid[]) is 'Text search configurations that entries of these organizations have.';

create function dossier_private.find_entries(
  query text, organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (session_id uuid, document_id uuid, page integer, config text, terms tsquery, rank real)
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: API roles cannot read entries; see the head of this file.
#variable_conflict use_column
declare
  configs text[] := '{}';
  readings tsquery[] := '{}';
  needle tsquery;
  scope tsquery;
  reading tsquery;
  language text;
begin
  foreach language in array dossier_private.search_configs(organizations) loop
    reading := dossier_private.parse_search(language, query);
    continue when numnode(reading) = 0;
    select string_agg(quote_literal(dossier_private.scope_lexeme(place.id, language)), ' | ')::tsquery into scope
    from unnest(case when in_session is null then organizations else array[in_session] end) as place (id);
    configs := configs || language;
    readings := readings || reading;
    needle := coalesce(needle || (reading && scope), reading && scope);
  end loop;
  if needle is null then
    return;
  end if;

  return query
    -- By the index alone: were the tenant's column named here, the planner could read all of the tenant's vectors.
    with matched as materialized (
      select entry.id, entry.organization_id, entry.session_id, entry.document_id
      from dossier_private.search_entries as entry
      where entry.search @@ needle
      limit 50000
    -- Ranking reads whole vectors, so it is for the newest thousand.
    ), newest as materialized (
      select matched.id
      from matched
      where matched.organization_id = any (organizations)
        and matched.session_id = coalesce(in_session, matched.session_id)
        and (coalesce(of_type, since::text, until::text) is null
          or exists (
            select from dossier.documents as document
            where document.id = matched.document_id
              and (of_type is null or document.media_type like replace(replace(of_type, '_', '\_'), '*', '%'))
              and (since is null or document.created_at >= since)
              and (until is null or document.created_at < until))
          or (of_type is null and matched.document_id is null and exists (
            select from dossier.session_context as context
            where context.session_id = matched.session_id
              and (since is null or context.updated_at >= since)
              and (until is null or context.updated_at < until))))
      order by matched.id desc
      limit 1000
    )
    select entry.session_id, entry.document_id, entry.page, entry.config, known.terms,
      ts_rank_cd(entry.search, known.terms, 1 | 32)
    from newest
    join dossier_private.search_entries as entry on entry.id = newest.id
    join unnest(configs, readings) as known (config, terms) on known.config = entry.config;
end
$$;
comment on function dossier_private.find_entries(text, uuid[], uuid, text, timestamptz, timestamptz) is
  'The newest thousand entries in these organizations, or in one session of them, that match a query, with their ranks from 0 to 1.';

create function dossier_private.find_names(
  query text, organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (session_id uuid, document_id uuid, name text, rank real)
language plpgsql stable security definer set search_path = '' rows 10
as $$
-- Definer: see find_entries.
#variable_conflict use_column
declare
  -- What is excluded from texts is no part of a name.
  wanted constant text := lower(dossier_private.fold(regexp_replace(query, '(^|\s)-\S+', ' ', 'g')));
  words constant text[] := array(select distinct word[1] from regexp_matches(wanted, '[[:alnum:]]+', 'g') as word limit 20);
  trigrams constant text := (
    select namespace.nspname
    from pg_catalog.pg_extension as extension
    join pg_catalog.pg_namespace as namespace on namespace.oid = extension.extnamespace
    where extension.extname = 'pg_trgm'
  );
begin
  if words = '{}' then
    return;
  end if;
  return query execute format($query$
    select named.session_id, named.id, named.name, named.rank
    from (
      select candidate.session_id, candidate.id, candidate.name, case
        when not exists (select from unnest($1) as w (word) where strpos(candidate.folded, w.word) = 0) then 1::real
        else %s
      end as rank
      from (
        select document.session_id, document.id, document.name, lower(dossier_private.fold(document.name)) as folded
        from dossier.documents as document
        where document.organization_id = any ($3)
          and ($4 is null or document.session_id = $4)
          and document.status <> 'uploading'
          and ($5 is null or document.media_type like replace(replace($5, '_', '\_'), '*', '%%'))
          and ($6 is null or document.created_at >= $6)
          and ($7 is null or document.created_at < $7)
        order by document.created_at desc
        limit 2000
      ) as candidate
    ) as named
    where named.rank >= 0.6
    order by named.rank desc, named.id desc
    limit 100
    $query$,
    case when trigrams is null then '0::real' else format('%I.word_similarity($2, candidate.folded)', trigrams) end)
  using words, wanted, organizations, in_session, of_type, since, until;
end
$$;
comment on function dossier_private.find_names(text, uuid[], uuid, text, timestamptz, timestamptz) is
  'Documents, of the newest two thousand, whose names have all words of a query; with pg_trgm also names that are like it.';

create function dossier_private.find_text(
  query text, in_session uuid, in_organization uuid, limit_count integer, after text,
  of_type text, since timestamptz, until timestamptz
) returns table (
  kind text, session_id uuid, document_id uuid, document_name text, page integer, rank real, snippet text, cursor text
)
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read entries; searchable_organizations() says what the caller may see.
#variable_conflict use_column
declare
  most constant integer := dossier_private.check_limit(limit_count, 100);
  organizations constant uuid[] := dossier_private.searchable_organizations(in_session, in_organization);
  after_rank real;
  after_key text;
begin
  if coalesce(char_length(query) > 1000 or query !~ '\S', true) then
    raise exception using
      errcode = 'PT400',
      message = 'A search needs a query of 1 to 1000 characters',
      detail = format('This one has %s.', coalesce(char_length(query), 0)),
      hint = 'Send words, "a phrase", or, -not, a prefix*.';
  end if;
  if after is not null then
    if after !~ '^[0-9]+(\.[0-9]+)?(e-[0-9]{1,2})? [a-z]+ [0-9a-f-]{36}( [0-9]+)?$' then
      raise exception using
        errcode = 'PT400',
        message = 'after is no cursor of a search',
        detail = format('It is %L.', left(after, 80)),
        hint = 'Send the cursor of the last row of the page before, or leave it out.';
    end if;
    after_rank := split_part(after, ' ', 1)::real;
    after_key := substring(after from ' (.*)$');
  end if;

  return query
    with found as materialized (
      select * from dossier_private.find_entries(query, organizations, in_session, of_type, since, until)
    ), hits as (
      select case when found.document_id is null then 'context' else 'page' end as kind,
        found.session_id, found.document_id, null as name, found.page, found.rank, found.config, found.terms,
        case when found.document_id is null
          then format('context %s', found.session_id)
          else format('page %s %s', found.document_id, found.page)
        end collate "C" as key
      from found
      union all
      select 'name', named.session_id, named.document_id, named.name, null, named.rank, null, null,
        format('name %s', named.document_id)
      from dossier_private.find_names(query, organizations, in_session, of_type, since, until) as named
    ), wanted as materialized (
      select * from hits
      where after is null or hits.rank < after_rank or (hits.rank = after_rank and hits.key > after_key)
      order by hits.rank desc, hits.key
      limit most
    )
    select wanted.kind, wanted.session_id, wanted.document_id, coalesce(wanted.name, document.name), wanted.page, wanted.rank,
      case wanted.kind
        when 'name' then dossier_private.escape_html(wanted.name)
        when 'page' then dossier_private.highlight(wanted.config, page.text, wanted.terms)
        else dossier_private.highlight(wanted.config,
          dossier_private.context_words(context.text_context, context.context_metadata), wanted.terms)
      end,
      format('%s %s', wanted.rank, wanted.key)
    from wanted
    left join dossier.documents as document on document.id = wanted.document_id
    left join dossier.document_pages as page on page.document_id = wanted.document_id and page.page = wanted.page
    left join dossier.session_context as context on wanted.kind = 'context' and context.session_id = wanted.session_id
    order by wanted.rank desc, wanted.key;
end
$$;
comment on function dossier_private.find_text(text, uuid, uuid, integer, text, text, timestamptz, timestamptz) is 'Body of dossier.search().';

create function dossier.search(
  query text,
  session_id uuid default null,
  organization_id uuid default null,
  limit_count integer default 20,
  after text default null,
  media_type text default null,
  since timestamptz default null,
  until timestamptz default null
) returns table (
  kind text, session_id uuid, document_id uuid, document_name text, page integer, rank real, snippet text, cursor text
)
language sql stable security invoker set search_path = ''
begin atomic
  select hit.kind, hit.session_id, hit.document_id, hit.document_name, hit.page, hit.rank, hit.snippet, hit.cursor
  from dossier_private.find_text(query, session_id, organization_id, limit_count, after, media_type, since, until) as hit;
end;
comment on function dossier.search(text, uuid, uuid, integer, text, text, timestamptz, timestamptz) is
  'Searches pages (kind page), contexts (context) and names of documents (name) in a session, an organization, or all of '
  'the caller''s: words in the language of each text, "a phrase", or, -not, prefix*; accents do not matter. Best first; '
  'snippet is HTML with the matches in <mark>. media_type may have a star (image/*); since and until are when a document '
  'was begun or a context saved. For the next rows send the last cursor as after. Of more than a thousand matches the newest count (of more than fifty thousand, any).';

alter table dossier_private.search_entries enable row level security;
create policy search_entries_all_nobody on dossier_private.search_entries for all to authenticated using (false);

revoke all on dossier_private.search_entries from public, anon, authenticated, service_role;
revoke all on sequence dossier_private.search_entries_id_seq from public, anon, authenticated, service_role;
revoke all on function
  dossier_private.search_config, dossier_private.fold, dossier_private.scope_lexeme, dossier_private.search_vector,
  dossier_private.context_words, dossier_private.index_context, dossier_private.index_document,
  dossier_private.index_ready_document, dossier_private.parse_search, dossier_private.escape_html,
  dossier_private.highlight, dossier_private.searchable_organizations, dossier_private.search_configs,
  dossier_private.find_entries, dossier_private.find_names, dossier_private.find_text, dossier.search
  from public, anon, authenticated, service_role;
grant execute on function dossier.search, dossier_private.find_text to authenticated, service_role;

-- Packing: selects the context for a prompt about a session within a budget of tokens.
--
-- pack_start() takes the context, choose_pages() decides on each page, quote_pages() orders the chosen pages, and
-- explain_left_out() says why the others are missing.
--
-- Invariant: the parts are counted one by one, each with its heading and the blank line after it. The estimate of the whole is
-- never more than the sum of its parts (it is linear and rounded up), so the pack stays within the budget.
--
-- Invariant: tokens are those of what is sent: pages count as they are quoted, which for PDFs is Markdown.
--
-- Documents are selected by their session alone. With the organization in the condition as well, Postgres would assume that
-- the two are independent, and read all documents of a large organization in its index.

alter table dossier_private.settings add constraint settings_max_pack_tokens_check
  check (name <> 'max_pack_tokens' or (jsonb_typeof(value) = 'number' and value between '1' and '10000000'));
insert into dossier_private.settings (name, value, default_value, description) values
  ('max_pack_tokens', '1000000', '1000000',
    'Largest budget of pack_context() in tokens, up to 10000000.');

create function dossier_private.cut_to_tokens(text text, max_tokens integer) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  -- No text has fewer tokens than two for seven characters.
  fits integer := 0;
  too_many integer := least(char_length(text), max_tokens::bigint * 7 / 2) + 1;
  middle integer;
  kept text;
  half_word integer;
begin
  while too_many - fits > 1 loop
    middle := (fits + too_many) / 2;
    if dossier.estimate_tokens("left"(text, middle)) <= max_tokens then
      fits := middle;
    else
      too_many := middle;
    end if;
  end loop;
  if fits >= char_length(text) then
    return text;
  end if;
  kept := "left"(text, fits);
  half_word := char_length(substring("right"(kept, 100) from '\S*$'));
  return rtrim("left"(kept, fits - case when half_word < least(fits, 100) then half_word else 0 end), E' \n');
end
$$;
comment on function dossier_private.cut_to_tokens(text, integer) is
  'Returns the beginning of a text with at most this many tokens, cut between words unless they are very long.';

create function dossier_private.escape_headings(text text) returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select regexp_replace(text, '^( {0,3})(#{1,2}\s+(Context|Metadata|[^\n]*, pages? [0-9]))', '\1\\\2', 'gn');
end;
comment on function dossier_private.escape_headings(text) is
  'Escapes lines that look like a heading of a pack, so that quoted text cannot pretend to be another document.';

create function dossier_private.ranked_pages(query text, embedding real[], in_organization uuid, in_session uuid)
returns table (document_id uuid, page integer, rank real, contained text[], missing text[], corrected jsonb)
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: see find_entries and nearest_pages.
#variable_conflict use_column
begin
  if embedding is null then
    return query
      select found.document_id, found.page, found.rank, found.contained, found.missing, found.corrected
      from dossier_private.find_entries(query, array[in_organization], in_session, null, null, null) as found
      where found.document_id is not null;
  else
    return query
      with said as materialized (
        select found.*, row_number() over (order by found.rank desc, found.document_id, found.page) as place
        from dossier_private.find_entries(query, array[in_organization], in_session, null, null, null) as found
        where query is not null and found.document_id is not null
      ), meant as materialized (
        select near.*, row_number() over (order by near.similarity desc, near.document_id, near.page) as place
        from dossier_private.nearest_pages(embedding, array[in_organization], in_session, null, null, null, 100) as near
      )
      -- By reciprocal rank fusion, as in hybrid_search().
      select coalesce(said.document_id, meant.document_id), coalesce(said.page, meant.page),
        (coalesce(1.0 / (60 + said.place), 0) + coalesce(1.0 / (60 + meant.place), 0))::real,
        said.contained, said.missing, said.corrected
      from said
      full join meant on meant.document_id = said.document_id and meant.page = said.page;
  end if;
end
$$;
comment on function dossier_private.ranked_pages(text, real[], uuid, uuid) is
  'Returns the pages of a session for a query, for an embedding, or for both, with the words of the query that each contains.';

create function dossier_private.pack_candidates(query text, embedding real[], in_organization uuid, in_session uuid)
returns table (
  document_id uuid, name text, page integer, text text, rank real, contained text[], missing text[], corrected jsonb
)
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: see find_entries.
#variable_conflict use_column
begin
  if query is null and embedding is null then
    return query
      select document.id, document.name, p.page, dossier.page_markdown(p, false), null::real, null::text[], null::text[], null::jsonb
      from dossier.documents as document
      join dossier.document_pages as p on p.document_id = document.id and p.organization_id = document.organization_id
      where document.session_id = in_session
        -- While a document is extracted again, its old pages are still there.
        and document.status in ('ready', 'stored', 'extracting')
      order by document.created_at, document.id, p.page
      limit 2000;
  else
    return query
      select document.id, document.name, page.page, page.text, ranked.rank, ranked.contained, ranked.missing, ranked.corrected
      from dossier_private.ranked_pages(query, embedding, in_organization, in_session) as ranked
      join dossier.documents as document on document.id = ranked.document_id
      -- Page by page: the offset keeps the planner from a hash join, for which it would read every page of the table.
      cross join lateral (
        select p.page, dossier.page_markdown(p, false) as text from dossier.document_pages as p
        where p.organization_id = in_organization and p.document_id = ranked.document_id and p.page = ranked.page
        offset 0
      ) as page
      order by ranked.rank desc, document.created_at, document.id, page.page;
  end if;
end
$$;
comment on function dossier_private.pack_candidates(text, real[], uuid, uuid) is
  'Returns at most two thousand pages of a session that may be quoted, in order of preference: the best for the query and the '
  'embedding or, without both, the first in the order of documents and pages.';

create type dossier_private.pack_page as (
  document_id uuid, name text, page integer, text text, rank real, truncated boolean, reason text,
  contained text[], missing text[], corrected jsonb
);
comment on type dossier_private.pack_page is
  'A page that was considered for a pack: as it is quoted, or with the reason why it is not.';

create function dossier_private.pack_start(
  context dossier.session_context, max_tokens integer, out part text, out described jsonb
)
language plpgsql immutable security invoker set search_path = ''
as $$
declare
  escaped constant text := coalesce(dossier_private.escape_headings(context.text_context), '');
  context_text text := escaped;
  context_part text := '';
  metadata_part text := '';
begin
  if context_text <> '' then
    context_part := format(E'# Context\n\n%s\n\n', context_text);
    if dossier.estimate_tokens(context_part) > max_tokens then
      context_text := dossier_private.cut_to_tokens(context_text, max_tokens - dossier.estimate_tokens(E'# Context\n\n\n\n'));
      context_part := case when context_text <> '' then format(E'# Context\n\n%s\n\n', context_text) else '' end;
    end if;
  end if;
  if context.context_metadata <> '{}' then
    metadata_part := format(E'# Metadata\n\n%s\n\n', context.context_metadata);
    if dossier.estimate_tokens(metadata_part) > max_tokens - dossier.estimate_tokens(context_part) then
      metadata_part := '';
    end if;
  end if;

  part := context_part || metadata_part;
  described := jsonb_build_object(
    'text_context', context_text,
    'context_metadata', case when metadata_part <> '' then context.context_metadata else '{}' end,
    'version', coalesce(context.version, 0),
    'truncated', context_text <> escaped,
    'metadata_left_out', metadata_part = '' and coalesce(context.context_metadata, '{}') <> '{}');
end
$$;
comment on function dossier_private.pack_start(dossier.session_context, integer) is
  'Returns the beginning of a pack: as much of the context as fits, then its metadata if it fits, and their description.';

create function dossier_private.choose_pages(query text, embedding real[], in_organization uuid, in_session uuid, max_tokens integer)
returns setof dossier_private.pack_page
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: see find_entries.
declare
  tokens_left integer := max_tokens;
  candidate record;
  chosen dossier_private.pack_page;
  cost integer;
  digest text;
  seen jsonb := '{}';
  any_cut boolean := false;
begin
  for candidate in select * from dossier_private.pack_candidates(query, embedding, in_organization, in_session) loop
    chosen := (candidate.document_id, candidate.name, candidate.page, '', candidate.rank, false, null,
      candidate.contained, candidate.missing, candidate.corrected);
    if tokens_left < 10 then
      chosen.reason := 'budget';
    else
      chosen.text := dossier_private.escape_headings(candidate.text);
      digest := md5(regexp_replace(chosen.text, '\s+', ' ', 'g'));
      cost := dossier.estimate_tokens(format(E'## %s, page %s\n\n%s\n\n', chosen.name, chosen.page, chosen.text));
      chosen.reason := case
        when chosen.text !~ '\S' then 'empty'
        when seen ? digest then 'duplicate'
        when cost > tokens_left then 'budget'
      end;
    end if;
    -- The first page that does not fit is cut, if enough of it remains to be useful.
    if chosen.reason = 'budget' and not any_cut and tokens_left >= 100 then
      chosen.text := dossier_private.cut_to_tokens(chosen.text,
        tokens_left - dossier.estimate_tokens(format(E'## %s, page %s\n\n\n\n', chosen.name, chosen.page)));
      if chosen.text ~ '\S' then
        cost := dossier.estimate_tokens(format(E'## %s, page %s\n\n%s\n\n', chosen.name, chosen.page, chosen.text));
        chosen.truncated := true;
        chosen.reason := null;
        any_cut := true;
      end if;
    end if;

    if chosen.reason is null then
      tokens_left := tokens_left - cost;
      seen := seen || jsonb_build_object(digest, true);
    else
      chosen.text := '';
    end if;
    return next chosen;
  end loop;
end
$$;
comment on function dossier_private.choose_pages(text, real[], uuid, uuid, integer) is
  'Returns the candidates of a pack in their order. Those to quote have no reason, and together at most this many tokens.';

create function dossier_private.quote_pages(pages dossier_private.pack_page[], out part text, out quotes jsonb)
language plpgsql stable security invoker set search_path = ''
as $$
begin
  -- Adjacent pages make one quote. Documents are in the order of their best page, quotes in the order of pages.
  with chosen as (
    select page.document_id, page.name, page.page, page.text, page.rank, page.truncated,
      page.contained, page.missing, page.corrected,
      page.page - row_number() over (partition by page.document_id order by page.page) as island,
      min(page.place) over (partition by page.document_id) as document_place
    from unnest(pages) with ordinality as page (document_id, name, page, text, rank, truncated, reason, contained, missing, corrected, place)
    where page.reason is null
  ), quoted as (
    select chosen.document_id, chosen.name, chosen.document_place,
      min(chosen.page) as first_page, max(chosen.page) as last_page, max(chosen.rank) as rank,
      bool_or(chosen.truncated) as truncated,
      jsonb_agg(to_jsonb(chosen.contained)) filter (where chosen.contained is not null) as contained,
      jsonb_agg(to_jsonb(chosen.missing)) filter (where chosen.missing is not null) as missing,
      max(chosen.corrected::text)::jsonb as corrected, -- the same on each page
      string_agg(chosen.text, E'\n\n' order by chosen.page) as text
    from chosen
    group by chosen.document_id, chosen.name, chosen.document_place, chosen.island
  ), headed as (
    select quoted.*, format(E'## %s, %s\n\n%s\n\n', quoted.name,
      case when quoted.first_page = quoted.last_page
        then format('page %s', quoted.first_page)
        else format('pages %s-%s', quoted.first_page, quoted.last_page)
      end, quoted.text) as part,
      (select jsonb_agg(distinct word) from jsonb_path_query(quoted.contained, '$[*][*]') as word) as words
    from quoted
  )
  select
    coalesce(string_agg(headed.part, '' order by headed.document_place, headed.first_page), ''),
    coalesce(jsonb_agg(jsonb_build_object(
      'document_id', headed.document_id, 'document_name', headed.name,
      'first_page', headed.first_page, 'last_page', headed.last_page,
      'heading', dossier_private.nearest_heading(headed.document_id, headed.first_page), 'text', headed.text,
      'tokens', dossier.estimate_tokens(headed.part), 'rank', headed.rank, 'truncated', headed.truncated,
      'contained', headed.words,
      'missing', case when headed.missing is not null then (
        select coalesce(jsonb_agg(distinct word), '[]')
        from jsonb_path_query(headed.missing, '$[*][*]') as word
        where not coalesce(headed.words @> word, false)) end,
      'corrected', headed.corrected
    ) order by headed.document_place, headed.first_page), '[]')
  into part, quotes
  from headed;
end
$$;
comment on function dossier_private.quote_pages(dossier_private.pack_page[]) is
  'Returns the quotes of a pack as Markdown, and as a list for the result.';

create function dossier_private.explain_left_out(in_session uuid, searched boolean, pages dossier_private.pack_page[]) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: called by definer functions, which have checked the session.
begin
  -- By document and reason, in runs of pages. Other pages did not match, or ranked too low.
  return (
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'document_id', missing.id, 'document_name', missing.name, 'reason', missing.reason, 'status', missing.status,
        'pages', (
          select jsonb_agg(jsonb_build_object('first', lower(run), 'last', upper(run) - 1))
          from unnest(missing.pages) as run
        ))) order by missing.created_at, missing.id, missing.reason), '[]')
    from (
      select document.id, document.name, document.created_at, null as status,
        coalesce(known.reason, case when searched then 'no_match' else 'budget' end) as reason,
        range_agg(int4range(page.page, page.page, '[]')) as pages
      from dossier.documents as document
      join dossier.document_pages as page on page.document_id = document.id and page.organization_id = document.organization_id
      left join unnest(pages) as known on known.document_id = page.document_id and known.page = page.page
      where document.session_id = in_session
        and document.status in ('ready', 'stored', 'extracting')
        and (known.document_id is null or known.reason is not null)
      group by document.id, document.name, document.created_at, 5
      union all
      select document.id, document.name, document.created_at, document.status, 'not_ready', null
      from dossier.documents as document
      where document.session_id = in_session
        and document.status <> 'ready'
        and (document.status not in ('stored', 'extracting')
          or not exists (
            select from dossier.document_pages as page
            where page.document_id = document.id and page.organization_id = document.organization_id))
    ) as missing
  );
end
$$;
comment on function dossier_private.explain_left_out(uuid, boolean, dossier_private.pack_page[]) is
  'Returns the reason why each other page of a session was omitted from its pack, by document and reason.';

create function dossier_private.pack_context(in_session uuid, query text, max_tokens integer, embedding real[]) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads entries. It checks what the policies of sessions, pages and contexts check.
declare
  owning_organization_id constant uuid := dossier_private.session_organization(in_session);
  context dossier.session_context;
  start record;
  pages dossier_private.pack_page[];
  quoted record;
  packed text;
  most constant integer := dossier_private.setting('max_pack_tokens')::integer;
begin
  perform dossier_private.require_role(owning_organization_id, 'viewer', 'session', in_session);
  if coalesce(max_tokens not between 1 and most, true) then
    raise exception using
      errcode = 'PT400',
      message = format('max_tokens must be between 1 and %s', most),
      detail = format('It is %s. This is a limit of the database (max_pack_tokens).', coalesce(max_tokens::text, 'null')),
      hint = 'Send the part of your model''s window that is available for context.';
  end if;
  if char_length(query) > 1000 or query !~ '\S' then
    raise exception using
      errcode = 'PT400',
      message = 'The query must have 1 to 1000 characters',
      detail = format('It has %s.', char_length(query)),
      hint = 'Omit it to take pages in their order.';
  end if;

  select c.* into context from dossier.session_context as c
  where c.session_id = in_session and c.organization_id = owning_organization_id;
  start := dossier_private.pack_start(context, max_tokens);
  pages := array(
    select chosen from dossier_private.choose_pages(
      query, embedding, owning_organization_id, in_session, max_tokens - dossier.estimate_tokens(start.part)) as chosen);
  quoted := dossier_private.quote_pages(pages);

  packed := rtrim(start.part || quoted.part, E'\n');
  return jsonb_build_object(
    'text', packed,
    'tokens', dossier.estimate_tokens(packed),
    'max_tokens', max_tokens,
    'context', start.described,
    'quotes', quoted.quotes,
    'left_out', dossier_private.explain_left_out(in_session, query is not null or embedding is not null, pages));
end
$$;
comment on function dossier_private.pack_context(uuid, text, integer, real[]) is 'Runs dossier.pack_context() with its owner''s rights.';

create function dossier.pack_context(
  session_id uuid, query text default null, max_tokens integer default 8000, embedding real[] default null
) returns jsonb
language sql stable security invoker set search_path = ''
begin atomic
  select dossier_private.pack_context(session_id, query, max_tokens, embedding);
end;
comment on function dossier.pack_context(uuid, text, integer, real[]) is
  'Returns the context for a prompt about a session within max_tokens (by estimate_tokens(), up to the setting max_pack_tokens): {text, tokens, max_tokens, '
  'context, quotes, left_out}. text is everything as Markdown: the context, its metadata, then the best pages for the query '
  '(with the syntax of search()) and the embedding (as in hybrid_search()), or pages in their order without both. Adjacent pages make one quote, and equal pages '
  'appear once. quotes lists the same for citing: {document_id, document_name, first_page, last_page, heading, text, tokens, rank, '
  'truncated, contained, missing, corrected}, of which the last three are as in search(), and heading is the one that the quote begins under. Pages of PDFs are quoted as Markdown without running heads, other pages as their text. Lines that look like a heading of the pack are escaped (\#). left_out gives the reason for every other page: '
  '{document_id, document_name, pages, reason}, where reason is budget, no_match, duplicate, empty or not_ready.';

revoke all on function
  dossier_private.cut_to_tokens, dossier_private.escape_headings, dossier_private.ranked_pages, dossier_private.pack_candidates,
  dossier_private.pack_start, dossier_private.choose_pages, dossier_private.quote_pages, dossier_private.explain_left_out,
  dossier_private.pack_context, dossier.pack_context
  from public, anon, authenticated, service_role;
grant execute on function dossier.pack_context, dossier_private.pack_context to authenticated, service_role;

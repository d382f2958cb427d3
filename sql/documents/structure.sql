-- The structure of pages: headings, running heads, tables, and the page as Markdown.
--
-- Workers detect it in PDFs. Invariant: what is stored has the shape that tidy_structure() returns, whether a worker or a
-- bundle sent it, so readers need no checks.

create function dossier_private.is_box(value jsonb) returns boolean
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return jsonb_typeof(value) = 'array'
    and (select count(*) = 4 and bool_and(jsonb_typeof(corner.value) = 'number' and abs(corner.value::numeric) < 1000000)
      from jsonb_array_elements(value) as corner);
end
$$;
comment on function dossier_private.is_box(jsonb) is 'Whether a JSON value is a box: left, top, right and bottom.';

create function dossier_private.is_count(value jsonb, lowest integer, highest integer) returns boolean
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case when value::text ~ '^[0-9]{1,9}$' then value::text::integer between lowest and highest else false end;
end
$$;
comment on function dossier_private.is_count(jsonb, integer, integer) is 'Whether a JSON value is a whole number in a range.';

create function dossier_private.tidy_table(reported jsonb) returns jsonb
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  is_table constant boolean := dossier_private.is_count(reported -> 'rows', 1, 1000000)
    and dossier_private.is_count(reported -> 'columns', 1, 10000)
    and dossier_private.is_count(reported -> 'header_rows', 0, 1000000)
    and (reported ->> 'evidence') in ('grid', 'rules', 'alignment')
    and jsonb_typeof(reported -> 'confidence') = 'number' and dossier_private.is_box(reported -> 'box');
  cells jsonb;
begin
  if is_table is not true or (reported ->> 'confidence')::numeric not between 0 and 1 then
    return null;
  end if;
  select jsonb_agg(jsonb_build_object('row', cell -> 'row', 'column', cell -> 'column', 'row_span', cell -> 'row_span',
    'column_span', cell -> 'column_span', 'text', cell -> 'text', 'box', cell -> 'box') order by place)
  into cells
  from jsonb_array_elements(case jsonb_typeof(reported -> 'cells') when 'array' then reported -> 'cells' else '[]' end)
    with ordinality as c (cell, place)
  where jsonb_typeof(cell -> 'text') = 'string' and dossier_private.is_box(cell -> 'box')
    and dossier_private.is_count(cell -> 'row', 0, (reported ->> 'rows')::integer - 1)
    and dossier_private.is_count(cell -> 'column', 0, (reported ->> 'columns')::integer - 1)
    and dossier_private.is_count(cell -> 'row_span', 1, (reported ->> 'rows')::integer - (cell ->> 'row')::integer)
    and dossier_private.is_count(cell -> 'column_span', 1, (reported ->> 'columns')::integer - (cell ->> 'column')::integer);
  return jsonb_build_object('rows', reported -> 'rows', 'columns', reported -> 'columns', 'header_rows', reported -> 'header_rows',
    'evidence', reported -> 'evidence', 'confidence', reported -> 'confidence', 'box', reported -> 'box', 'cells', coalesce(cells, '[]'));
end
$$;
comment on function dossier_private.tidy_table(jsonb) is 'Returns a table with its well-formed cells; null for anything else.';

create function dossier_private.tidy_structure(structure jsonb) returns jsonb
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  headings jsonb;
  running_heads jsonb;
  tables jsonb;
begin
  if jsonb_typeof(structure) is distinct from 'object' then
    return null;
  end if;
  select jsonb_agg(jsonb_build_object('level', found.value -> 'level', 'text', found.value -> 'text') order by found.place) into headings
  from jsonb_array_elements(case jsonb_typeof(structure -> 'headings') when 'array' then structure -> 'headings' else '[]' end)
    with ordinality as found (value, place)
  where jsonb_typeof(found.value -> 'text') = 'string' and dossier_private.is_count(found.value -> 'level', 1, 6);
  select jsonb_agg(found.value order by found.place) into running_heads
  from jsonb_array_elements(case jsonb_typeof(structure -> 'running_heads') when 'array' then structure -> 'running_heads' else '[]' end)
    with ordinality as found (value, place)
  where jsonb_typeof(found.value) = 'string';
  select jsonb_agg(tidy.value order by found.place) into tables
  from jsonb_array_elements(case jsonb_typeof(structure -> 'tables') when 'array' then structure -> 'tables' else '[]' end)
    with ordinality as found (value, place)
  cross join lateral dossier_private.tidy_table(found.value) as tidy (value)
  where tidy.value is not null;
  return nullif(jsonb_strip_nulls(jsonb_build_object('headings', headings, 'running_heads', running_heads, 'tables', tables,
    'markdown', case jsonb_typeof(structure -> 'markdown') when 'string' then structure -> 'markdown' end)), '{}');
end
$$;
comment on function dossier_private.tidy_structure(jsonb) is
  'Returns the well-formed parts of a page''s structure, or null without any.';

create function dossier.page_markdown(page dossier.document_pages, running_heads boolean default true) returns text
language plpgsql stable security invoker set search_path = ''
as $$
declare
  markdown constant text := coalesce(page.structure ->> 'markdown', page.text);
begin
  if coalesce(running_heads, true) or not coalesce(page.structure ? 'running_heads', false) then
    return markdown;
  end if;
  return btrim(regexp_replace(markdown, '^<(header|footer)>.*</\1>$\n*', '', 'gn'), E'\n');
end
$$;
comment on function dossier.page_markdown(dossier.document_pages, boolean) is
  'Returns a page as Markdown, with headings, lists and tables if they were detected (PDFs only), or else its text. Tables whose '
  'cells span others are HTML. Running heads are the elements header and footer; running_heads => false omits them.';

create function dossier.list_tables(document_id uuid, on_page integer default null)
returns table (
  page integer, number integer, rows integer, columns integer, header_rows integer, evidence text, confidence real, box real[], cells jsonb
)
language plpgsql stable security invoker set search_path = '' rows 10
as $$
-- Invoker: row level security decides which pages are visible.
#variable_conflict use_column
begin
  return query
    select p.page, found.place::integer, (found.value ->> 'rows')::integer, (found.value ->> 'columns')::integer,
      (found.value ->> 'header_rows')::integer, found.value ->> 'evidence', (found.value ->> 'confidence')::real,
      array(select corner.value::real from jsonb_array_elements(found.value -> 'box') with ordinality as corner (value, place) order by corner.place),
      found.value -> 'cells'
    from dossier.document_pages as p
    cross join lateral jsonb_array_elements(p.structure -> 'tables') with ordinality as found (value, place)
    where p.document_id = list_tables.document_id and (on_page is null or p.page = on_page)
    order by p.page, found.place;
end
$$;
comment on function dossier.list_tables(uuid, integer) is
  'Returns the tables of a document, or of one of its pages (on_page), in reading order. evidence is how a table was detected: grid (rules around its '
  'cells), rules (between rows) or alignment (of words). confidence is from 0 to 1. cells is [{row, column, row_span, column_span, '
  'text, box}], from row and column 0; positions that a span covers have no cell. It is empty on pages with too many cells. box is '
  'left, top, right and bottom in points from the top left of the page. Viewers of the document''s organization.';

create function dossier_private.one_line(text text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return btrim(regexp_replace(dossier_private.join_lines(text), '\s+', ' ', 'g'));
end
$$;
comment on function dossier_private.one_line(text) is
  'Returns a text in one line with single spaces, and words that were divided at line ends joined.';

create function dossier_private.nearest_heading(document_id uuid, page integer, snippet text default '') returns text
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: called by definer functions, which have checked the document.
declare
  -- Headings of earlier pages are looked for on so many pages.
  most constant integer := 50;
  -- The snippet is HTML. Its first match decides, or its beginning if nothing is marked.
  excerpt constant text := replace(replace(replace(replace(
    replace(snippet, '</mark>', ''), '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&amp;', '&');
  words constant text := dossier_private.one_line(replace(excerpt, '<mark>', ''));
  ahead constant text := dossier_private.one_line(case when position('<mark>' in excerpt) > 0 then split_part(excerpt, '<mark>', 1) else '' end);
  current dossier.document_pages;
  content text;
  heading text;
  nearest text;
  word_place integer;
  place integer;
  last integer := 0;
begin
  select p.* into current
  from dossier.document_pages as p
  where p.document_id = nearest_heading.document_id and p.page = nearest_heading.page;
  if current.structure ? 'headings' then
    content := dossier_private.one_line(current.text);
    word_place := position(words in content);
    if word_place = 0 then
      return null;
    end if;
    for heading in
      select known.value ->> 'text'
      from jsonb_array_elements(current.structure -> 'headings') with ordinality as known (value, place)
      order by known.place
    loop
      place := position(dossier_private.one_line(heading) in substr(content, last + 1));
      exit when last + place > word_place + char_length(ahead) + 1;
      if place > 0 and heading ~ '\S' then
        nearest := heading;
        last := last + place;
      end if;
    end loop;
  end if;
  return coalesce(nearest, (
    select p.structure #>> '{headings,-1,text}'
    from dossier.document_pages as p
    where p.document_id = nearest_heading.document_id
      and p.page between nearest_heading.page - most and nearest_heading.page - 1
      and p.structure ? 'headings'
    order by p.page desc
    limit 1
  ));
end
$$;
comment on function dossier_private.nearest_heading(uuid, integer, text) is
  'Returns the heading that the first match in a snippet of a page stands under, or without a snippet, the heading that the '
  'beginning of the page stands under. It may be on an earlier page. Otherwise null.';

revoke all on function
  dossier_private.is_box, dossier_private.is_count, dossier_private.tidy_table, dossier_private.tidy_structure,
  dossier_private.one_line, dossier_private.nearest_heading, dossier.page_markdown, dossier.list_tables
  from public, anon, authenticated, service_role;
grant execute on function dossier.page_markdown, dossier.list_tables to authenticated, service_role;

-- The difference between two versions of a context.
--
-- Lines are matched by patience diff. Lines that occur once in each text, and keep their order, are fixed points. Matches grow
-- from them, and the remaining lines between them are compared one by one within a budget. So comparing two texts of a
-- megabyte costs about as much as sorting their lines, whatever they contain.

create function dossier_private.longest_ascent(numbers integer[]) returns integer[]
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  -- smallest[n]: the position where the ascent of n numbers with the lowest last number ends so far.
  smallest integer[] := '{}';
  previous integer[] := '{}';
  best integer := 0;
  low integer;
  high integer;
  middle integer;
  ascent integer[] := '{}';
  place integer;
begin
  for i in 1 .. coalesce(cardinality(numbers), 0) loop
    if best = 0 or numbers[i] > numbers[smallest[best]] then
      best := best + 1;
      low := best;
    else
      low := 1;
      high := best;
      while low < high loop
        middle := (low + high) / 2;
        if numbers[smallest[middle]] < numbers[i] then
          low := middle + 1;
        else
          high := middle;
        end if;
      end loop;
    end if;
    smallest[low] := i;
    previous[i] := case when low > 1 then smallest[low - 1] end;
  end loop;

  place := smallest[best];
  for i in reverse best .. 1 loop
    ascent[i] := place;
    place := previous[place];
  end loop;
  return ascent;
end
$$;
comment on function dossier_private.longest_ascent(integer[]) is
  'Returns the positions of a longest ascending subsequence of distinct numbers, in order, in n log n.';

create function dossier_private.common_lines(
  from_lines text[], to_lines text[], from_offset integer, from_count integer, to_offset integer, to_count integer
) returns integer[]
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  width constant integer := to_count + 1;
  -- lengths[i * width + j + 1]: how many lines the rest after line i of the first and line j of the second have in common.
  lengths integer[] := array_fill(0, array[(from_count + 1) * width]);
  partners integer[] := array_fill(null::integer, array[from_count]);
  i integer := 0;
  j integer := 0;
begin
  for x in reverse from_count - 1 .. 0 loop
    for y in reverse to_count - 1 .. 0 loop
      lengths[x * width + y + 1] := case
        when from_lines[from_offset + x + 1] = to_lines[to_offset + y + 1] then lengths[(x + 1) * width + y + 2] + 1
        else greatest(lengths[(x + 1) * width + y + 1], lengths[x * width + y + 2])
      end;
    end loop;
  end loop;

  while i < from_count and j < to_count loop
    if from_lines[from_offset + i + 1] = to_lines[to_offset + j + 1] then
      i := i + 1;
      j := j + 1;
      partners[i] := to_offset + j;
    elsif lengths[(i + 1) * width + j + 1] >= lengths[i * width + j + 2] then
      i := i + 1;
    else
      j := j + 1;
    end if;
  end loop;
  return partners;
end
$$;
comment on function dossier_private.common_lines(text[], text[], integer, integer, integer, integer) is
  'Returns, for each of from_count lines after from_offset, the number of its equal among to_count lines after to_offset, along '
  'a longest common subsequence. Costs the product of the counts, so use it for short stretches only.';

create function dossier_private.match_lines(from_lines text[], to_lines text[]) returns integer[]
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  partners integer[] := array_fill(null::integer, array[cardinality(from_lines)]);
  -- All lines up to here are matched, or known to have no partner.
  i integer := 0;
  j integer := 0;
  -- The common last lines begin after these.
  from_last integer := cardinality(from_lines);
  to_last integer := cardinality(to_lines);
  -- Lines that occur once in each text, in the order of the first.
  once_i integer[];
  once_j integer[];
  anchor integer;
  next_i integer;
  next_j integer;
  last_i integer;
  last_j integer;
  comparisons integer := 250000; -- a third of a second
  between integer[];
begin
  while i < least(from_last, to_last) and from_lines[i + 1] = to_lines[j + 1] loop
    i := i + 1;
    j := j + 1;
    partners[i] := j;
  end loop;
  while from_last > i and to_last > j and from_lines[from_last] = to_lines[to_last] loop
    partners[from_last] := to_last;
    from_last := from_last - 1;
    to_last := to_last - 1;
  end loop;

  select array_agg(once.i order by once.i), array_agg(once.j order by once.i) into once_i, once_j
  from (
    select max(line.i) as i, max(line.j) as j
    from (
      select f.line, i + f.n::integer as i, null::integer as j
      from unnest(from_lines[i + 1:from_last]) with ordinality as f (line, n)
      union all
      select t.line, null, j + t.n::integer
      from unnest(to_lines[j + 1:to_last]) with ordinality as t (line, n)
    ) as line
    group by line.line
    having count(line.i) = 1 and count(line.j) = 1
  ) as once;

  foreach anchor in array dossier_private.longest_ascent(once_j) || null::integer loop
    next_i := coalesce(once_i[anchor], from_last + 1);
    next_j := coalesce(once_j[anchor], to_last + 1);
    if anchor is not null then
      partners[next_i] := next_j;
    end if;

    while i + 1 < next_i and j + 1 < next_j and from_lines[i + 1] = to_lines[j + 1] loop
      i := i + 1;
      j := j + 1;
      partners[i] := j;
    end loop;
    last_i := next_i - 1;
    last_j := next_j - 1;
    while last_i > i and last_j > j and from_lines[last_i] = to_lines[last_j] loop
      partners[last_i] := last_j;
      last_i := last_i - 1;
      last_j := last_j - 1;
    end loop;

    if last_i > i and last_j > j and (last_i - i)::bigint * (last_j - j) <= comparisons then
      comparisons := comparisons - (last_i - i) * (last_j - j);
      between := dossier_private.common_lines(from_lines, to_lines, i, last_i - i, j, last_j - j);
      for n in 1 .. cardinality(between) loop
        partners[i + n] := between[n];
      end loop;
    end if;
    i := next_i;
    j := next_j;
  end loop;
  return partners;
end
$$;
comment on function dossier_private.match_lines(text[], text[]) is
  'Returns, for each line of the first text, the number of the corresponding line of the second, ascending, or null.';

create function dossier_private.diff_text(from_text text, to_text text, context_lines integer)
returns table (hunk integer, change text, from_line integer, to_line integer, line text)
language plpgsql immutable security invoker set search_path = ''
as $$
declare
  from_lines constant text[] := string_to_array(from_text, E'\n');
  to_lines constant text[] := string_to_array(to_text, E'\n');
  partners constant integer[] := dossier_private.match_lines(from_lines, to_lines);
  from_count constant integer := cardinality(from_lines);
  to_count constant integer := cardinality(to_lines);
  -- The last lines that were returned, or skipped because nothing near them changed.
  i integer := 0;
  j integer := 0;
  hunks integer := 0;
  -- Unchanged lines up to the next change, and how many of them to show after the last change and before the next one.
  same integer;
  shown_after integer;
  shown_before integer;
  apart boolean;
  at_last boolean;
begin
  loop
    same := 0;
    while partners[i + same + 1] = j + same + 1 loop
      same := same + 1;
    end loop;
    at_last := i + same = from_count and j + same = to_count;
    shown_after := case when hunks = 0 then 0 else least(same, context_lines) end;
    shown_before := case when at_last then 0 else least(same - shown_after, context_lines) end;
    apart := hunks = 0 or same > shown_after + shown_before;

    change := 'same';
    hunk := hunks;
    for n in 1 .. same loop
      continue when n > shown_after and n <= same - shown_before;
      if n > shown_after and apart then
        hunk := hunks + 1;
      end if;
      from_line := i + n;
      to_line := j + n;
      line := from_lines[from_line];
      return next;
    end loop;
    exit when at_last;

    i := i + same;
    j := j + same;
    if apart then
      hunks := hunks + 1;
    end if;
    hunk := hunks;

    change := 'removed';
    to_line := null;
    while i < from_count and partners[i + 1] is null loop
      i := i + 1;
      from_line := i;
      line := from_lines[i];
      return next;
    end loop;
    change := 'added';
    from_line := null;
    while j < coalesce(partners[i + 1] - 1, to_count) loop
      j := j + 1;
      to_line := j;
      line := to_lines[j];
      return next;
    end loop;
  end loop;
end
$$;
comment on function dossier_private.diff_text(text, text, integer) is
  'Returns removed and added lines, with up to context_lines unchanged lines around them. Changes near each other share a hunk.';

create function dossier_private.diff_metadata(from_metadata jsonb, to_metadata jsonb)
returns table (change text, line text)
language sql immutable security invoker set search_path = ''
begin atomic
  select side.change, to_json(key)::text || ': ' || side.value::text
  from jsonb_each(from_metadata) as old (key, value)
  full join jsonb_each(to_metadata) as new (key, value) using (key)
  cross join lateral (values ('removed', 1, old.value), ('added', 2, new.value)) as side (change, place, value)
  where old.value is distinct from new.value and side.value is not null
  order by key, side.place;
end;
comment on function dossier_private.diff_metadata(jsonb, jsonb) is
  'Returns the keys of the outermost objects that were removed, were added or have another value, as lines "key": value.';

create function dossier_private.diff_context(session_id uuid, from_version integer, to_version integer, context_lines integer)
returns table (part text, hunk integer, change text, from_line integer, to_line integer, line text)
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: see read_context_version.
declare
  old dossier.session_context_versions;
  new dossier.session_context_versions;
begin
  if coalesce(context_lines not between 0 and 1000000, true) then
    raise exception using
      errcode = 'PT400',
      message = 'context_lines must be between 0 and 1000000',
      detail = format('It is %s.', coalesce(context_lines::text, 'null')),
      hint = 'Omit it for 3 lines.';
  end if;
  new := dossier_private.read_context_version(session_id, coalesce(to_version, (
    select c.version from dossier.session_context as c where c.session_id = diff_context.session_id)));
  if from_version = 0 then -- the empty context before the first version
    old.text_context := '';
    old.context_metadata := '{}';
  else
    old := dossier_private.read_context_version(session_id, from_version);
  end if;

  return query
    select 'text', d.hunk, d.change, d.from_line, d.to_line, d.line
    from dossier_private.diff_text(old.text_context, new.text_context, context_lines) as d
    union all
    select 'metadata', null, d.change, null, null, d.line
    from dossier_private.diff_metadata(old.context_metadata, new.context_metadata) as d;
end
$$;
comment on function dossier_private.diff_context(uuid, integer, integer, integer) is
  'Runs dossier.diff_context() with its owner''s rights.';

create function dossier.diff_context(
  session_id uuid,
  from_version integer,
  to_version integer default null,
  context_lines integer default 3
) returns table (part text, hunk integer, change text, from_line integer, to_line integer, line text)
language sql stable security invoker set search_path = ''
begin atomic
  select diff.part, diff.hunk, diff.change, diff.from_line, diff.to_line, diff.line
  from dossier_private.diff_context(session_id, from_version, to_version, context_lines) as diff;
end;
comment on function dossier.diff_context(uuid, integer, integer, integer) is
  'Returns the difference from one version to another in reading order. The second defaults to the current version. 0 is the '
  'empty context before the first. First the lines of the text (part text; change removed, added, or same for the context_lines '
  'around them), then the metadata (part metadata) by key. Returns no rows if nothing changed.';

revoke all on function
  dossier_private.longest_ascent, dossier_private.common_lines, dossier_private.match_lines,
  dossier_private.diff_text, dossier_private.diff_metadata, dossier_private.diff_context, dossier.diff_context
  from public, anon, authenticated, service_role;
grant execute on function dossier.diff_context, dossier_private.diff_context to authenticated, service_role;

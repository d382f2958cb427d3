-- Quotas: how much an organization may store and extract. They are counted under a lock, so that two uploads cannot both take
-- the last place.

create table dossier.quotas (
  organization_id uuid not null,
  max_bytes bigint,
  max_documents bigint,
  max_documents_a_day bigint,
  max_extraction_seconds_a_day bigint,
  reserved_at timestamptz not null default now(),
  constraint quotas_pkey primary key (organization_id),
  constraint quotas_organization_id_fkey
    foreign key (organization_id) references dossier.organizations (id) on delete cascade,
  constraint quotas_max_bytes_check check (max_bytes >= 0),
  constraint quotas_max_documents_check check (max_documents >= 0),
  constraint quotas_max_documents_a_day_check check (max_documents_a_day >= 0),
  constraint quotas_max_extraction_seconds_a_day_check check (max_extraction_seconds_a_day >= 0)
);
comment on table dossier.quotas is
  'Quotas of organizations. Null, or no row, means no quota. Written only from the setting default_quotas, when an organization '
  'is created, and by set_quota(), which only services may call.';
comment on column dossier.quotas.organization_id is 'The organization.';
comment on column dossier.quotas.max_bytes is 'Bytes of everything that usage() counts.';
comment on column dossier.quotas.max_documents is 'Number of documents.';
comment on column dossier.quotas.max_documents_a_day is 'Uploads begun per day (UTC), finished or not.';
comment on column dossier.quotas.max_extraction_seconds_a_day is
  'Seconds of extraction per day (UTC). Once they are used up, no upload begins.';
comment on column dossier.quotas.reserved_at is
  'When an upload last reserved quota. Updating it makes uploads wait for each other.';

alter table dossier_private.settings add constraint settings_default_quotas_check check (
  name <> 'default_quotas' or (jsonb_typeof(value) = 'object'
    and value - array['max_bytes', 'max_documents', 'max_documents_a_day', 'max_extraction_seconds_a_day'] = '{}'
    and not jsonb_path_exists(value, '$.* ? (@.type() != "number" || @ < 0 || @ > 9223372036854775807)')));
insert into dossier_private.settings (name, value, default_value, description) values
  ('default_quotas', '{}', '{}',
    'Quotas of new organizations: {"max_bytes", "max_documents", "max_documents_a_day", "max_extraction_seconds_a_day"}.');

create function dossier_private.set_default_quotas() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write quotas only through functions.
declare
  quotas constant jsonb := dossier_private.setting('default_quotas');
begin
  if quotas <> '{}' and not dossier_private.is_restoring() then
    insert into dossier.quotas (organization_id, max_bytes, max_documents, max_documents_a_day, max_extraction_seconds_a_day)
    values (new.id, (quotas ->> 'max_bytes')::numeric, (quotas ->> 'max_documents')::numeric,
      (quotas ->> 'max_documents_a_day')::numeric, (quotas ->> 'max_extraction_seconds_a_day')::numeric);
  end if;
  return null;
end
$$;
comment on function dossier_private.set_default_quotas() is 'Trigger: gives a new organization the quotas of the setting default_quotas.';

create trigger organizations_set_default_quotas
  after insert on dossier.organizations
  for each row execute function dossier_private.set_default_quotas();

create table dossier_private.usage_events (
  id bigint not null generated always as identity,
  organization_id uuid not null,
  kind text not null,
  amount real not null,
  created_at timestamptz not null default now(),
  constraint usage_events_pkey primary key (id),
  constraint usage_events_organization_id_fkey
    foreign key (organization_id) references dossier.organizations (id) on delete cascade,
  constraint usage_events_kind_check check (kind in ('upload', 'extraction')),
  constraint usage_events_amount_check check (amount >= 0)
);
comment on table dossier_private.usage_events is
  'Usage per day. Rows are added and never changed, so that no request waits, and outlive the documents. Swept after 32 days.';
comment on column dossier_private.usage_events.id is 'Key.';
comment on column dossier_private.usage_events.organization_id is 'The organization.';
comment on column dossier_private.usage_events.kind is 'upload: an upload began; extraction: a job ended or was lost.';
comment on column dossier_private.usage_events.amount is 'Number of uploads, or seconds.';
comment on column dossier_private.usage_events.created_at is 'When it happened.';

create index usage_events_organization_id_kind_created_at_idx
  on dossier_private.usage_events (organization_id, kind, created_at) include (amount);
create index usage_events_created_at_idx on dossier_private.usage_events using brin (created_at);
create function dossier_private.stored(
  organization_id uuid, out bytes bigint, out documents bigint, out arriving_bytes bigint, out amounts jsonb
)
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read these tables.
begin
  select coalesce(sum(kind.amount) filter (where kind.name <> 'documents'), 0),
    coalesce(sum(kind.amount) filter (where kind.name = 'documents'), 0),
    coalesce(jsonb_object_agg(kind.name, kind.amount), '{}')
  into bytes, documents, amounts
  from (
    select stored_amount.kind, sum(stored_amount.amount)
    from dossier_private.stored_amounts as stored_amount
    where stored_amount.organization_id = stored.organization_id
    group by stored_amount.kind
  ) as kind (name, amount);

  select coalesce(sum(arriving.bytes), 0) into arriving_bytes
  from dossier_private.arriving_uploads as arriving
  where arriving.organization_id = stored.organization_id;
end
$$;
comment on function dossier_private.stored(uuid) is
  'Returns what an organization stores, including the trash and unfinished uploads with a declared size: bytes in all, the number '
  'of documents, and the amounts by kind. arriving_bytes is the stored part of the other unfinished uploads.';

create function dossier_private.stored_in_trash(organization_id uuid, out bytes bigint, out documents bigint)
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: see stored.
begin
  select coalesce(sum(document.size_bytes), 0), count(*) into bytes, documents
  from dossier.sessions as session
  join dossier.documents as document on document.session_id = session.id
  where session.organization_id = stored_in_trash.organization_id and session.deleted_at is not null;
end
$$;
comment on function dossier_private.stored_in_trash(uuid) is
  'Returns the documents that are in the trash, and the bytes of their files.';

create function dossier_private.used_today(organization_id uuid, kind text) returns double precision
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read the table.
begin
  return (
    select coalesce(sum(event.amount::double precision), 0)
    from dossier_private.usage_events as event
    where event.organization_id = used_today.organization_id
      and event.kind = used_today.kind
      and event.created_at >= date_trunc('day', now(), 'UTC')
  );
end
$$;
comment on function dossier_private.used_today(uuid, text) is
  'Returns the uploads, or seconds of extraction, of an organization since midnight UTC.';

create function dossier_private.sweep_usage() returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles delete records of usage only through functions.
declare
  removed integer;
begin
  delete from dossier_private.usage_events as event
  where event.id in (
    select old.id from dossier_private.usage_events as old
    where old.created_at < now() - interval '32 days'
    limit 10000
    for update skip locked);
  get diagnostics removed = row_count;
  return removed;
end
$$;
comment on function dossier_private.sweep_usage() is
  'Removes records of usage older than 32 days, in batches. Returns how many. Part of dossier.sweep().';

create function dossier_private.reserve_quota(organization_id uuid) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the table. An update, not just a lock: at higher isolation levels a waiting upload then
-- fails to serialize. With a lock it would count without the other upload.
begin
  update dossier.quotas as quota set reserved_at = now() where quota.organization_id = reserve_quota.organization_id;
end
$$;
comment on function dossier_private.reserve_quota(uuid) is
  'Makes uploads of an organization with quotas wait for each other until they commit. Call it before checking quotas.';

create function dossier_private.refuse_quota(quota_name text, used numeric, added bigint, most bigint, what text) returns void
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if used + added > most then
    raise exception using
      errcode = case when quota_name like '%_a_day' then 'PT429' else 'PT403' end,
      message = format('The quota of the organization is exhausted: %s of %s %s', used, most, what),
      detail = json_build_object('quota', quota_name, 'limit', most, 'used', used, 'needed', added)::text,
      hint = case when quota_name like '%_a_day'
        then 'Retry after midnight UTC, or ask the operator to raise the quota with set_quota().'
        else 'Delete documents, or delete sessions permanently, or ask the operator to raise the quota with set_quota().'
      end;
  end if;
end
$$;
comment on function dossier_private.refuse_quota(text, numeric, bigint, bigint, text) is
  'Refuses an amount that exceeds a quota: PT403, or PT429 if there will be room tomorrow.';

create function dossier_private.check_stored(organization_id uuid, added bigint default 0) returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads tables that API roles cannot.
declare
  most constant bigint := (select q.max_bytes from dossier.quotas as q where q.organization_id = check_stored.organization_id);
  held record;
begin
  if most is not null then
    held := dossier_private.stored(organization_id);
    perform dossier_private.refuse_quota(
      'max_bytes', held.bytes + held.arriving_bytes - added, added, most, 'bytes stored');
  end if;
end
$$;
comment on function dossier_private.check_stored(uuid, bigint) is
  'Refuses (PT403) to store more than max_bytes, after the transaction has added this many bytes.';

create function dossier_private.check_quota(quota_name text, organization_id uuid, size_bytes bigint, documents bigint default 1)
returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads tables that API roles cannot.
declare
  quota constant dossier.quotas := (
    select q from dossier.quotas as q where q.organization_id = check_quota.organization_id
  );
  held record;
  most bigint;
  used bigint;
  added bigint := documents;
  what text;
begin
  most := case quota_name
    when 'max_bytes' then quota.max_bytes
    when 'max_documents' then quota.max_documents
    when 'max_documents_a_day' then quota.max_documents_a_day
    when 'max_extraction_seconds_a_day' then quota.max_extraction_seconds_a_day
  end;
  if most is null then
    return;
  end if;

  case quota_name
    when 'max_bytes' then
      held := dossier_private.stored(organization_id);
      -- An upload that ends does not wait for others that are arriving, so neither number includes those.
      used := held.bytes + case when documents > 0 then held.arriving_bytes else 0 end;
      added := greatest(size_bytes, documents); -- a file of unknown size has at least one byte
      what := 'bytes stored';
    when 'max_documents' then
      used := (dossier_private.stored(organization_id)).documents;
      what := 'documents stored';
    when 'max_documents_a_day' then
      used := dossier_private.used_today(organization_id, 'upload');
      what := 'documents uploaded today';
    when 'max_extraction_seconds_a_day' then
      used := floor(dossier_private.used_today(organization_id, 'extraction'));
      added := 1;
      what := 'seconds of extraction today';
  end case;
  perform dossier_private.refuse_quota(quota_name, used, added, most, what);
end
$$;
comment on function dossier_private.check_quota(text, uuid, bigint, bigint) is
  'Refuses one or more uploads that exceed a quota: PT403, or PT429 if there will be room tomorrow. Detail {"quota", "limit", '
  '"used", "needed"}. When an upload ends, documents is 0: the document is already counted, but its bytes are not.';

create function dossier.set_quota(
  organization_id uuid,
  max_bytes bigint default null,
  max_documents bigint default null,
  max_documents_a_day bigint default null,
  max_extraction_seconds_a_day bigint default null
) returns dossier.quotas
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write the table only through this function. Granted to service_role alone, so tenants cannot raise quotas.
declare
  quota dossier.quotas;
begin
  perform dossier_private.require_admin(set_quota.organization_id);
  if least(max_bytes, max_documents, max_documents_a_day, max_extraction_seconds_a_day) < 0 then
    raise exception using
      errcode = 'PT400',
      message = 'A quota must not be negative',
      detail = format('The lowest value is %s.',
        least(max_bytes, max_documents, max_documents_a_day, max_extraction_seconds_a_day)),
      hint = 'Omit a quota to remove it. 0 allows nothing.';
  end if;

  -- An organization of the app gets default_quotas when it is adopted. One statement could not write that row twice.
  perform dossier_private.adopt(set_quota.organization_id);
  insert into dossier.quotas (organization_id, max_bytes, max_documents, max_documents_a_day, max_extraction_seconds_a_day)
  values (set_quota.organization_id, set_quota.max_bytes, set_quota.max_documents, set_quota.max_documents_a_day,
    set_quota.max_extraction_seconds_a_day)
  on conflict on constraint quotas_pkey do update set
    max_bytes = excluded.max_bytes, max_documents = excluded.max_documents,
    max_documents_a_day = excluded.max_documents_a_day,
    max_extraction_seconds_a_day = excluded.max_extraction_seconds_a_day
  returning * into quota;
  return quota;
end
$$;
comment on function dossier.set_quota(uuid, bigint, bigint, bigint, bigint) is
  'Sets all quotas of an organization. Omitted quotas are removed. Stored documents stay. Services only.';

create function dossier_private.usage(in_organization uuid)
returns table (
  bytes bigint, documents bigint, documents_today bigint, extraction_seconds_today double precision,
  max_bytes bigint, max_documents bigint, max_documents_a_day bigint, max_extraction_seconds_a_day bigint,
  trashed_bytes bigint, trashed_documents bigint,
  file_bytes bigint, text_bytes bigint, context_bytes bigint, metadata_bytes bigint, thumbnail_bytes bigint, import_bytes bigint
)
language plpgsql stable security definer set search_path = '' rows 1
as $$
-- Definer: reads tables that API roles cannot.
begin
  perform dossier_private.require_role(
    dossier_private.known_organization(in_organization), 'viewer', 'organization', in_organization);
  return query
    select held.bytes + held.arriving_bytes, held.documents,
      dossier_private.used_today(in_organization, 'upload')::bigint,
      dossier_private.used_today(in_organization, 'extraction'),
      quota.max_bytes, quota.max_documents, quota.max_documents_a_day, quota.max_extraction_seconds_a_day,
      trashed.bytes, trashed.documents,
      coalesce((held.amounts ->> 'files')::bigint, 0) + held.arriving_bytes,
      coalesce((held.amounts ->> 'text')::bigint, 0), coalesce((held.amounts ->> 'contexts')::bigint, 0),
      coalesce((held.amounts ->> 'metadata')::bigint, 0), coalesce((held.amounts ->> 'thumbnails')::bigint, 0),
      coalesce((held.amounts ->> 'imports')::bigint, 0)
    from dossier_private.stored(in_organization) as held
    cross join dossier_private.stored_in_trash(in_organization) as trashed
    left join dossier.quotas as quota on quota.organization_id = in_organization;
end
$$;
comment on function dossier_private.usage(uuid) is 'Runs dossier.usage() with its owner''s rights.';

create function dossier.usage(organization_id uuid)
returns table (
  bytes bigint, documents bigint, documents_today bigint, extraction_seconds_today double precision,
  max_bytes bigint, max_documents bigint, max_documents_a_day bigint, max_extraction_seconds_a_day bigint,
  trashed_bytes bigint, trashed_documents bigint,
  file_bytes bigint, text_bytes bigint, context_bytes bigint, metadata_bytes bigint, thumbnail_bytes bigint, import_bytes bigint
)
language sql stable security invoker set search_path = '' rows 1
begin atomic
  select used.bytes, used.documents, used.documents_today, used.extraction_seconds_today,
    used.max_bytes, used.max_documents, used.max_documents_a_day, used.max_extraction_seconds_a_day,
    used.trashed_bytes, used.trashed_documents,
    used.file_bytes, used.text_bytes, used.context_bytes, used.metadata_bytes, used.thumbnail_bytes, used.import_bytes
  from dossier_private.usage(organization_id) as used;
end;
comment on function dossier.usage(uuid) is
  'Returns the stored bytes and documents of an organization, its usage since midnight UTC, and its quotas. A null quota is '
  'unlimited. bytes is the sum of file_bytes (documents), text_bytes (extracted or imported), context_bytes (with all kept '
  'versions), metadata_bytes (names, titles and metadata), thumbnail_bytes and import_bytes (imports in progress). The trash counts '
  'until it is purged; trashed_documents and trashed_bytes, the bytes of their files, are its part. Members and services only.';

alter table dossier.quotas enable row level security;
alter table dossier_private.usage_events enable row level security;
create policy quotas_select_viewer on dossier.quotas
  for select to authenticated
  using (organization_id = any (array(select dossier_private.my_organizations())));
create policy usage_events_all_nobody on dossier_private.usage_events for all to authenticated using (false);

revoke all on dossier.quotas, dossier_private.usage_events from public, anon, authenticated, service_role;
revoke all on sequence dossier_private.usage_events_id_seq from public, anon, authenticated, service_role;
grant select on dossier.quotas to authenticated, service_role;

revoke all on function
  dossier_private.set_default_quotas, dossier_private.refuse_quota, dossier_private.check_stored, dossier_private.stored, dossier_private.stored_in_trash, dossier_private.used_today, dossier_private.sweep_usage, dossier_private.reserve_quota, dossier_private.check_quota,
  dossier.set_quota, dossier_private.usage, dossier.usage
  from public, anon, authenticated, service_role;
grant execute on function dossier.usage, dossier_private.usage to authenticated, service_role;
grant execute on function dossier.set_quota to service_role;

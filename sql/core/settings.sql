-- Settings: limits that the owner of the database may change. Each file adds the settings that it reads, with a check.

create table dossier_private.settings (
  name text not null,
  value jsonb not null,
  default_value jsonb,
  description text not null default '',
  constraint settings_pkey primary key (name)
);
comment on table dossier_private.settings is
  'One row per setting. To change a limit: update dossier_private.settings set value = … where name = …';
comment on column dossier_private.settings.name is 'Name of the setting.';
comment on column dossier_private.settings.value is 'Current value.';
comment on column dossier_private.settings.default_value is
  'Default of this version of Dossier. pg_dump saves only rows that differ from it.';
comment on column dossier_private.settings.description is 'What the setting controls, with its unit.';

alter table dossier_private.settings enable row level security;
create policy settings_all_nobody on dossier_private.settings for all to authenticated using (false);

create function dossier_private.settings_replace_seeded() returns trigger
language plpgsql security invoker set search_path = ''
as $$
begin
  update dossier_private.settings
  set value = new.value
  where name = new.name;

  if found then
    return null;
  end if;
  return new;
end
$$;
comment on function dossier_private.settings_replace_seeded() is
  'Trigger: inserting an existing setting changes its value, so that a dump can be restored over the rows that create extension '
  'has already added.';

create trigger settings_replace_seeded
  before insert on dossier_private.settings
  for each row execute function dossier_private.settings_replace_seeded();

create function dossier_private.setting(name text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read the table.
declare
  found_value jsonb;
begin
  select s.value into found_value from dossier_private.settings as s where s.name = setting.name;
  if found_value is null then
    raise exception using
      errcode = 'PT500',
      message = format('The setting %s is missing', setting.name),
      detail = 'Without it, Dossier cannot enforce a limit.',
      hint = format('As the owner: insert into dossier_private.settings (name, value) values (%L, …)', setting.name);
  end if;
  return found_value;
end
$$;
comment on function dossier_private.setting(text) is
  'Returns the value of a setting. Fails if it is missing, so that no limit is skipped.';

create function dossier_private.chunk_bytes() returns integer
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select 262144;
end;
comment on function dossier_private.chunk_bytes() is
  'Returns the size of every chunk of a document except the last. Not a setting, because stored documents depend on it.';

create function dossier_private.limits() returns jsonb
language sql stable security definer set search_path = ''
-- Definer: API roles cannot read the table.
begin atomic
  select jsonb_build_object(
    'max_file_bytes', dossier_private.setting('max_file_bytes'),
    'chunk_bytes', dossier_private.chunk_bytes(),
    'allowed_media_types', dossier_private.setting('allowed_media_types'),
    'max_name_length', dossier_private.setting('max_name_length'),
    'max_context_bytes', dossier_private.setting('max_context_bytes'),
    'max_pack_tokens', dossier_private.setting('max_pack_tokens')
  );
end;
comment on function dossier_private.limits() is 'Runs dossier.limits() with its owner''s rights.';

create function dossier.limits() returns jsonb
language sql stable security invoker set search_path = ''
begin atomic
  select dossier_private.limits();
end;
comment on function dossier.limits() is
  'Returns the limits of uploads, contexts and packs: {max_file_bytes, chunk_bytes, allowed_media_types, max_name_length, '
  'max_context_bytes, max_pack_tokens}.';

revoke all on dossier_private.settings from public, anon, authenticated, service_role;
revoke all on function
  dossier_private.settings_replace_seeded, dossier_private.setting, dossier_private.chunk_bytes,
  dossier_private.limits, dossier.limits
  from public, anon, authenticated, service_role;
grant execute on function dossier.limits, dossier_private.limits to anon, authenticated, service_role;

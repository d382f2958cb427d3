-- Changes of every kind that a next version could make, for the rehearsal of upgrades in scripts/upgrades.sh. Written like
-- an upgrade script (CONTRIBUTING.md), to a version that will never be released.

create or replace function dossier.version() returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select 'rehearsal';
end;

alter table dossier.sessions add column rehearsed boolean not null default true;
comment on column dossier.sessions.rehearsed is 'A rehearsal of upgrades adds this.';
create index sessions_rehearsed_idx on dossier.sessions (organization_id, rehearsed);

create table dossier_private.rehearsals (
  organization_id uuid not null,
  note text not null,
  constraint rehearsals_pkey primary key (organization_id),
  constraint rehearsals_organization_fkey foreign key (organization_id) references dossier.organizations (id) on delete cascade
);
comment on table dossier_private.rehearsals is 'A rehearsal of upgrades makes this, with a row for each organization that it finds.';
comment on column dossier_private.rehearsals.organization_id is 'The organization.';
comment on column dossier_private.rehearsals.note is 'Its name at the time.';
alter table dossier_private.rehearsals enable row level security;
create policy rehearsals_all_nobody on dossier_private.rehearsals for all to authenticated using (false);
revoke all on dossier_private.rehearsals from public, anon, authenticated, service_role;
insert into dossier_private.rehearsals (organization_id, note)
select o.id, o.name from dossier.organizations as o;

-- begin native
select pg_catalog.pg_extension_config_dump('dossier_private.rehearsals', '');
-- end native

select dossier_private.record_schema();

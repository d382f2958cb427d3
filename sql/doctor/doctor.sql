-- The doctor: finds the errors of an installation, and says how to fix them.
--
-- Each check is a function doctor_<name>() that returns findings. A warning costs time or comfort. An error means that
-- something is refused, lost or visible to the wrong users. The status ok gives information. The rules of the linter
-- (doctor/lint.sql) are checks, too. `dossier-edge check` covers what only an edge can, such as the keys of tokens.

create function dossier_private.doctor_checks() returns table (name text, area text, fix text)
language plpgsql immutable parallel safe security invoker set search_path = '' rows 30
as $$
begin
  return query values
    ('version', 'catalogue', 'Run alter extension dossier update, or install the newer migration. Use a tested version of PostgreSQL.'),
    ('roles', 'catalogue', 'Run docker/roles.sql as a superuser. On Supabase, restore the original attributes of the roles.'),
    ('ownership', 'catalogue',
      'Run the listed alter … owner statements: owners bypass row level security, and definer functions run as their owner.'),
    ('login', 'catalogue',
      'Run docker/roles.sql as a superuser: authenticator may become anon, authenticated and service_role, and inherits from none of them.'),
    ('rights', 'catalogue', 'Revoke or grant the listed rights. They may come from grants to public or from default privileges.'),
    ('constraints', 'catalogue', 'alter table … validate constraint …'),
    ('triggers', 'catalogue', 'alter table … enable trigger …'),
    ('views', 'catalogue',
      'alter view … set (security_invoker = true). For a materialized view: revoke select on … from anon, authenticated.'),
    ('dumps', 'catalogue', 'As a superuser: select pg_extension_config_dump(…) within an upgrade script, or reinstall this version.'),
    ('api', 'catalogue', 'Expose the schema dossier in PostgREST''s db-schemas, and never dossier_private.'),
    ('schema', 'schema',
      'Restore these objects from the SQL of this version (one file in dist/). '
      'If the change is intended, run as the owner: select dossier_private.record_schema().'),
    ('settings', 'rows', 'As the owner of the database: insert into dossier_private.settings (name, value) values (…).'),
    ('membership', 'services',
      'Grant the missing rights, create the index, or call use_membership() with the current names of the table and its columns.'),
    ('owners', 'rows', 'Insert an owner into dossier.organization_members.'),
    ('reader', 'services',
      'Put dossier-extract-worker in the same folder as postgres, or set dossier.worker_path. See docs/guides/install.md.'),
    ('sandbox', 'services',
      'Run a kernel with every sandbox layer (5.13 or newer, with landlock and seccomp), and set dossier.sandbox to require.'),
    ('limits', 'services',
      'Run alter system set dossier.extract_input = …; select pg_reload_conf(); or lower max_file_bytes in dossier_private.settings.'),
    ('workers', 'rows', 'Start an edge with EXTRACT_WORKERS above 0. If one is running, see its log.'),
    ('uploads', 'rows', 'Call dossier.sweep(). A running edge does so every few minutes.'),
    ('trash', 'rows', 'Call dossier.sweep() until it removes no more sessions. A running edge does so every few minutes.'),
    ('store', 'rows', 'See the log of the worker that deletes from this store. It claims deletions with claim_store_deletions().'),
    ('jobs', 'rows', 'Call dossier.request_extraction() for these documents.'),
    ('bytes', 'rows', 'Restore lost bytes from a backup. Delete rows that belong to no document.'),
    ('search', 'rows',
      'Run as the owner until it returns 0: select dossier_private.index_missing(). Each call indexes up to fifty documents.'),
    ('realtime', 'services', null),
    ('durability', 'rows', 'Enable the setting. Without it, a crash of the machine can lose uploads that were reported as stored.');
end
$$;
comment on function dossier_private.doctor_checks() is
  'Returns the checks that are functions doctor_<name>(), in the order of doctor(): what each checks, and how to fix its '
  'findings.';

create function dossier.doctor() returns table (check_name text, status text, findings text[], fix text)
language plpgsql stable security definer set search_path = '' rows 50
as $$
-- Definer: reads tables that API roles may not. Granted to service_role alone.
#variable_conflict use_column
declare
  severities constant text[] := array['ok', 'warning', 'error'];
  checked record;
  worst integer;
begin
  for checked in select * from dossier_private.doctor_checks() loop
    -- Dynamic: the check names the function. For roles it is:
    --   select coalesce(array_agg(f.finding order by f.finding), '{}'), max(array_position($1, f.status))
    --   from dossier_private.doctor_roles() as f
    execute format($check$
      select coalesce(array_agg(f.finding order by f.finding), '{}'), max(array_position($1, f.status))
      from dossier_private.%I() as f
      $check$, 'doctor_' || checked.name)
    into findings, worst
    using severities;
    check_name := checked.name;
    status := severities[coalesce(worst, 1)];
    fix := case when worst > 1 then checked.fix end;
    return next;
  end loop;

  return query
    select rule.rule, case when count(broken.finding) > 0 then rule.status else 'ok' end,
      coalesce(array_agg(broken.finding order by broken.finding) filter (where broken.finding is not null), '{}'),
      case when count(broken.finding) > 0 then rule.fix end
    from dossier_private.lint_rules() with ordinality as rule (rule, status, fix, place)
    left join dossier_private.lint(array['dossier', 'dossier_private']) as broken on broken.rule = rule.rule
    group by rule.rule, rule.status, rule.fix, rule.place
    order by rule.place;
end
$$;
comment on function dossier.doctor() is
  'Checks the installation. Returns one row per check, with its status (ok, warning or error), its findings, and how to fix '
  'them (fix). Counts rows of every table, so do not call it every minute. Services and the owner of the database only.';

revoke all on function dossier_private.doctor_checks, dossier.doctor from public, anon, authenticated, service_role;
grant execute on function dossier.doctor to service_role;

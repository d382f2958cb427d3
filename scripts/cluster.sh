# A private Postgres cluster in a folder: created, started, stopped, wiped. Sourced.
# Clusters listen on a Unix socket in a folder that only their owner (and root) may enter, and on a
# loopback port with a password; nobody else on the machine can reach them.
# shellcheck shell=bash

# cluster_start NAME: starts the cluster, creates it first if necessary, and sets pg_socket and pg_port.
cluster_start() {
  local home
  home=$(home_of "$1")
  pg_socket=$home/socket
  if [ ! -e "$home/ready" ]; then # nothing, or what a killed run left half-built
    cluster_stop "$1"
    rm -rf "${home:?}"/*
    [ "$(id -u)" != 0 ] || chown postgres: "$home"
    chmod 700 "$home"
    as_postgres mkdir "$home/socket"
    quietly initdb as_postgres "$pg_bin/initdb" -D "$home/data" -U postgres --auth-local=trust --auth-host=scram-sha-256 \
      --encoding=UTF8 --locale=C.UTF-8 --data-checksums
    as_postgres touch "$home/ready"
  fi
  if ! as_postgres "$pg_bin/pg_ctl" status -D "$home/data" >/dev/null 2>&1; then
    local port
    port=$(cat "$home/port" 2>/dev/null || echo 54320)
    # -w waits; a postmaster.pid left by a killed run is recognised as stale by Postgres itself.
    until
      port=$(free_port "$port")
      echo "$port" | as_postgres tee "$home/port" >/dev/null
      as_postgres "$pg_bin/pg_ctl" start -w -s -D "$home/data" -l "$home/postgres.log" -o "-p $port -k $pg_socket -h 127.0.0.1" \
        9>&- >/dev/null 2>&1
    do
      # Another program may have taken the port meanwhile.
      port_taken "$port" || fail "Postgres did not start" "see $home/postgres.log"
    done
  fi
  pg_port=$(cat "$home/port")
}

# in_cluster NAME COMMAND…
in_cluster() {
  cluster_start "$1"
  shift
  "$@"
}

# cluster_stop NAME
cluster_stop() {
  local home=$dev/$1
  [ -e "$home/data/postmaster.pid" ] || return 0
  as_postgres "$pg_bin/pg_ctl" stop -w -s -m fast -D "$(readlink -f "$home")/data" >/dev/null 2>&1 || true
}

# cluster_wipe NAME
cluster_wipe() {
  local home=$dev/$1
  cluster_stop "$1"
  if [ -L "$home" ]; then rm -rf "$(readlink -f "$home")"; fi
  if [ "$(id -u)" = 0 ] || [ ! -e "$home" ] || [ -O "$home" ]; then rm -rf "$home"; else as_root rm -rf "$home"; fi
}

# sql DATABASE [psql arguments]: as a superuser, stopping at the first error.
sql() { sql_as postgres "$@"; }

# sql_as ROLE DATABASE [psql arguments]
sql_as() {
  local role=$1 database=$2
  shift 2
  "$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$pg_socket" -p "$pg_port" -U "$role" -d "$database" "$@"
}

# database_exists NAME
database_exists() { [ "$(sql postgres -Atc "select count(*) from pg_database where datname = '$1'")" = 1 ]; }

# empty_database NAME native|hosted: with Supabase's roles; the owner of a hosted one is not a superuser.
empty_database() {
  sql postgres -c "create database $1"
  PGOPTIONS='-c client_min_messages=warning' sql "$1" -f "$root/docker/roles.sql"
  [ "$2" = native ] || PGOPTIONS='-c client_min_messages=warning' sql "$1" -f "$root/tests/hosted/project.sql"
}

# install_dossier DATABASE native|hosted
install_dossier() {
  case $2 in
    native) sql "$1" -c 'create extension dossier' ;;
    hosted)
      "$root/scripts/dist" >/dev/null
      sql_as project "$1" --single-transaction -o /dev/null -f "$root/dist/dossier--$dossier_version.sql"
      ;;
  esac
}

# enable_extensions DATABASE: creates the optional extensions that Dossier uses, and prints the names of those that this
# Postgres has. On Supabase projects can create them, on plain Postgres only a superuser; the schema is Supabase's.
enable_extensions() {
  sql "$1" -At <<'SQL'
create schema extensions;
grant usage on schema extensions to public;
select format('create extension %I with schema extensions', name)
from pg_available_extensions
where name in ('vector', 'pg_trgm', 'unaccent')
\gexec
select extname from pg_extension where extnamespace = 'extensions'::regnamespace order by extname;
SQL
}

# create_database NAME native|hosted: Dossier in one of its two install modes.
create_database() {
  empty_database "$1" "$2"
  install_dossier "$1" "$2"
}

# database_owner native|hosted: the role that installed Dossier.
database_owner() {
  case $1 in
    native) echo postgres ;;
    hosted) echo project ;;
  esac
}

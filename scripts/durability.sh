# Checks that data survives a dump and a new cluster. Sourced; needs a running test cluster.
# shellcheck shell=bash

# rows DATABASE: one line per table and sequence.
rows() { sql "$1" -At -f "$root/tests/durability/state.sql"; }

# same WHAT FILE FILE
same() { diff -U1 "$2" "$3" >&2 || fail "$1" "lines with - are before, those with + after"; }

# still_works DATABASE OWNER
still_works() { sql_as "$2" "$1" -o /dev/null -f "$root/tests/durability/works.sql"; }

# fill DATABASE OWNER: rows in every table.
fill() {
  sql_as "$2" "$1" -o /dev/null -f "$root/tests/durability/data.sql"
  if rows "$1" | grep '^0 rows' >&2; then
    fail "these tables are empty, so nothing is tested about them" "insert rows in tests/durability/data.sql"
  fi
}

# names_missing_roles native|hosted: on a cluster without Supabase's roles the error names the script that creates them.
names_missing_roles() {
  local said
  sql postgres -c 'create role project login createdb' -c 'create database bare owner project'
  said=$(install_dossier bare "$1" 2>&1) && fail "a $1 install succeeds without the API roles"
  [[ $said == *"roles that do not exist: anon, authenticated, service_role"*docker/roles.sql* ]] ||
    fail "a $1 install does not name the missing roles, or the script that creates them" "$said"
  sql postgres -c 'drop database bare' -c 'drop role project'
}

# dump_and_restore native|hosted
dump_and_restore() {
  local owner
  owner=$(database_owner "$1")
  create_database kept "$1"
  enable_extensions kept >/dev/null
  fill kept "$owner"
  still_works kept "$owner"
  survives_a_dump kept "$1"
  sql postgres -c 'drop database kept'
}

# survives_a_dump DATABASE native|hosted: restored elsewhere it is unchanged, also in the next version of PostgreSQL.
survives_a_dump() {
  local database=$1 mode=$2 owner work=$dev/durability
  owner=$(database_owner "$mode")
  mkdir -p "$work"
  rows "$database" >"$work/rows"
  schema_text "$database" -v bodies=true >"$work/schema"
  "$pg_bin/pg_dump" -h "$pg_socket" -p "$pg_port" -U "$owner" -Fc -f "$work/dump" "$database"
  restored_elsewhere "$mode" "$owner" "$work"
  [ "$pg_version" = 17 ] || with_postgres17 restored_elsewhere "$mode" "$owner" "$work"
  rm -rf "$work"
}

# restored_elsewhere native|hosted OWNER WORK: from WORK/dump, into a cluster that has never seen Dossier.
restored_elsewhere() {
  local mode=$1 owner=$2 work=$3
  # In a subshell, because cluster_start selects another cluster.
  (
    trap 'cluster_wipe restored' EXIT
    cluster_wipe restored
    cluster_start restored
    names_missing_roles "$mode"
    empty_database restored "$mode"
    # Only a superuser may create these, so they exist already.
    enable_extensions restored >/dev/null
    "$pg_bin/pg_restore" -l "$work/dump" | sed -E '/ (SCHEMA|EXTENSION) (- )?(extensions|vector|pg_trgm|unaccent) /d' >"$work/list"
    "$pg_bin/pg_restore" -L "$work/list" -h "$pg_socket" -p "$pg_port" -U "$owner" --exit-on-error -d restored "$work/dump"
    rows restored | same "a dump of a $mode install and its restore lose or change rows" "$work/rows" -
    schema_text restored -v bodies=true | same "a restored $mode install has another schema" "$work/schema" -
    still_works restored "$owner"
  )
}

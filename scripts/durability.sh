# What must outlive a dump, a new cluster, an upgrade and a careless hand. Sourced; needs a running test cluster.
# shellcheck shell=bash

# rows DATABASE: a line for each table and sequence.
rows() { sql "$1" -At -f "$root/tests/durability/state.sql"; }

# same WHAT FILE FILE
same() { diff -U1 "$2" "$3" >&2 || fail "$1" "lines with - are before, those with + after"; }

# still_works DATABASE OWNER
still_works() { sql_as "$2" "$1" -o /dev/null -f "$root/tests/durability/works.sql"; }

# fill DATABASE OWNER: rows in every table.
fill() {
  sql_as "$2" "$1" -o /dev/null -f "$root/tests/durability/data.sql"
  if rows "$1" | grep '^0 rows' >&2; then
    fail "these tables are empty, so nothing is known about them" "give them rows in tests/durability/data.sql"
  fi
}

# names_missing_roles native|hosted: on a cluster without Supabase's roles the refusal says what makes them.
names_missing_roles() {
  local said
  sql postgres -c 'create role project login createdb' -c 'create database bare owner project'
  said=$(install_dossier bare "$1" 2>&1) && fail "a $1 install goes through without the API roles"
  [[ $said == *"roles that do not exist: anon, authenticated, service_role"*docker/roles.sql* ]] ||
    fail "a $1 install does not say which roles are missing, or what makes them" "$said"
  sql postgres -c 'drop database bare' -c 'drop role project'
}

# dump_and_restore native|hosted: into a cluster that has never seen Dossier.
dump_and_restore() {
  local mode=$1 owner work=$dev/durability
  owner=$(database_owner "$mode")
  mkdir -p "$work"
  create_database "kept_$mode" "$mode"
  fill "kept_$mode" "$owner"
  still_works "kept_$mode" "$owner"
  rows "kept_$mode" >"$work/rows"
  schema_text "kept_$mode" -v bodies=true >"$work/schema"
  "$pg_bin/pg_dump" -h "$pg_socket" -p "$pg_port" -U "$owner" -Fc -f "$work/dump" "kept_$mode"

  # In a subshell: cluster_start changes which cluster is meant.
  (
    trap 'cluster_wipe restored' EXIT
    cluster_wipe restored
    cluster_start restored
    names_missing_roles "$mode"
    empty_database restored "$mode"
    "$pg_bin/pg_restore" -h "$pg_socket" -p "$pg_port" -U "$owner" --exit-on-error -d restored "$work/dump"
    rows restored | same "a dump of a $mode install and its restore lose or change rows" "$work/rows" -
    schema_text restored -v bodies=true | same "a restored $mode install has another schema" "$work/schema" -
    still_works restored "$owner"
  )
  rm -rf "$work"
}

# upgrade_from VERSION: a hosted install of a released version, with rows in it, becomes what sql/ makes today.
upgrade_from() {
  local from=$1 at=$1 old=$dev/upgrade step
  rm -rf "$old"
  mkdir -p "$old"
  git -C "$root" archive "v$from" sql tests/durability/data.sql | tar -x -C "$old"
  empty_database upgraded hosted
  cat "$old"/sql/*.sql | sql_as project upgraded --single-transaction -f -
  sql_as project upgraded -o /dev/null -f "$old/tests/durability/data.sql"
  while [ "$at" != "$dossier_version" ]; do
    step=$(find "$root/dist" -name "dossier--$at--*.sql")
    [ -n "$step" ] || fail "nothing leads from version $at to $dossier_version" \
      "write pg-extension/sql/dossier--$at--$dossier_version.sql; CONTRIBUTING.md says how"
    sql_as project upgraded --single-transaction -f "$step"
    at=$(basename "$step" .sql)
    at=${at##*--}
  done
  still_works upgraded project
  sql_as project upgraded -o /dev/null -c 'select dossier.use_own_membership()'
  schema_text sql_hosted -v bodies=true >"$old/schema"
  schema_text upgraded -v bodies=true | same "version $from, upgraded, is not what sql/ makes" "$old/schema" -
  sql postgres -c 'drop database upgraded'
  rm -rf "$old"
}

# upgrades: from every release to this version. The database sql_hosted is a fresh install of it.
upgrades() {
  local from released
  [ "$(sql sql_hosted -Atc 'select dossier.version()')" = "$dossier_version" ] ||
    fail "sql/05_version.sql does not say $dossier_version, the version in Cargo.toml"
  released=$(git -C "$root" tag --list 'v*' --sort version:refname 2>/dev/null) || true
  [ -n "$released" ] || note "there is no released version (tag v*) to upgrade from"
  for from in $released; do
    note "from ${from#v}"
    upgrade_from "${from#v}"
  done
}

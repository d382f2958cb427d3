# Upgrades of databases that hold rows, in both install modes: rehearsed, and from each release. Sourced; needs a running
# test cluster of PostgreSQL 17, whose extension is unpacked below .dev/, so versions may be added.
# shellcheck shell=bash

# upgrade native|hosted FROM TO FOLDER: creates the database "upgraded" in version FROM, fills it with FOLDER/data.sql, and upgrades
# it to TO. Hosted: FOLDER/install.sql creates it, FOLDER/dossier--*--*.sql upgrade it.
upgrade() {
  local mode=$1 at=$2 to=$3 folder=$4 owner step
  owner=$(database_owner "$mode")
  empty_database upgraded "$mode"
  if [ "$mode" = native ]; then
    sql upgraded -c "create extension dossier version '$at'"
    sql upgraded -o /dev/null -f "$folder/data.sql" -c "alter extension dossier update to '$to'"
  else
    sql_as project upgraded -o /dev/null --single-transaction -f "$folder/install.sql"
    sql_as project upgraded -o /dev/null -f "$folder/data.sql"
    while [ "$at" != "$to" ]; do
      step=$(find "$folder" -name "dossier--$at--*.sql")
      [ -n "$step" ] || fail "there is no upgrade script from version $at to $to" \
        "write pg-extension/upgrades/dossier--$at--$to.sql; see CONTRIBUTING.md"
      sql_as project upgraded -o /dev/null --single-transaction -f "$step"
      at=$(basename "$step" .sql)
      at=${at##*--}
    done
  fi
  [ "$(sql upgraded -Atc 'select dossier.version()')" = "$to" ] || fail "after an upgrade to $to, dossier.version() returns another version"
  [ "$(sql upgraded -Atc "select status from dossier.doctor() where check_name = 'schema'")" = ok ] ||
    fail "after an upgrade to $to the doctor reports a changed schema" "end the script with: select dossier_private.record_schema();"
  still_works upgraded "$owner"
}

# rehearse_upgrade native|hosted: to a made-up version that changes one object of each kind.
rehearse_upgrade() {
  local mode=$1 work=$dev/upgrade said
  upgrade "$mode" "$dossier_version" rehearsal "$work"
  [ "$(sql upgraded -Atc 'select count(*) from dossier_private.rehearsals join dossier.organizations on id = organization_id and name = note')" = \
    "$(sql upgraded -Atc 'select count(*) from dossier.organizations')" ] || fail "an upgrade in $mode mode does not see the existing rows"
  if [ "$mode" = hosted ]; then
    said=$(sql_as project upgraded --single-transaction -f "$work/dossier--$dossier_version--rehearsal.sql" 2>&1) &&
      fail "a migration runs on a version that it does not start from"
    [[ $said == *"is for Dossier $dossier_version, and version rehearsal is installed"* ]] || fail "the error of a migration does not name the version that it starts from" "$said"
  fi
  schema_text upgraded -v bodies=true >"$work/schema-$mode"
  survives_a_dump upgraded "$mode"
  sql postgres -c 'drop database upgraded'
}

# rehearse_upgrades: in both modes, with the same result.
rehearse_upgrades() {
  local work=$dev/upgrade script=dossier--$dossier_version--rehearsal.sql extension
  extension=$("$pg_bin/pg_config" --sharedir)/extension
  step "upgrades: a rehearsal"
  rm -rf "$work"
  mkdir -p "$work"
  cp "$root/tests/durability/data.sql" "$work/data.sql"
  cp "$root/dist/dossier--$dossier_version.sql" "$work/install.sql"
  cp "$root/tests/durability/upgrade.sql" "$extension/$script"
  upgrade_migration "$extension/$script" >"$work/$script"
  # A restored database has the default version. If this run is killed, the next one places these files again.
  sed -i "s/^default_version = .*/default_version = 'rehearsal'/" "$extension/dossier.control"
  rehearse_upgrade hosted
  rehearse_upgrade native
  same "a hosted and a native install are not upgraded to the same schema" "$work/schema-hosted" "$work/schema-native"
  sed -i "s/^default_version = .*/default_version = '$dossier_version'/" "$extension/dossier.control"
  rm -rf "$work" "${extension:?}/$script"
}

# upgrade_from VERSION: upgrades a release, and compares it with a fresh install.
upgrade_from() {
  local from=$1 work=$dev/upgrade script=pg-extension/releases/dossier--$1.sql mode
  rm -rf "$work"
  mkdir -p "$work"
  git -C "$root" archive "v$from" sql tests/durability/data.sql | tar -x -C "$work"
  "$root/scripts/schema-files" "$work/sql" | xargs -d '\n' cat >"$work/install.sql"
  mv "$work/tests/durability/data.sql" "$work/data.sql"
  cp "$root"/dist/dossier--*--*.sql "$work"
  [ -e "$root/$script" ] || fail "the install script of version $from is missing" "add it as $script; see CONTRIBUTING.md"
  cp "$root/$script" "$("$pg_bin/pg_config" --sharedir)/extension/"
  for mode in hosted native; do
    upgrade "$mode" "$from" "$dossier_version" "$work"
    sql upgraded -o /dev/null -c 'select dossier.use_own_membership()'
    schema_text "sql_$mode" -v bodies=true >"$work/schema"
    schema_text upgraded -v bodies=true | same "version $from, upgraded in $mode mode, differs from a fresh install" "$work/schema" -
    sql postgres -c 'drop database upgraded'
  done
  rm -rf "$work"
}

# upgrades: compared with the databases sql_hosted and sql_native, fresh installs of this version.
upgrades() {
  local from released mode
  for mode in hosted native; do
    database_exists "sql_$mode" || create_database "sql_$mode" "$mode"
  done
  [ "$(sql sql_hosted -Atc 'select dossier.version()')" = "$dossier_version" ] ||
    fail "sql/core/version.sql and Cargo.toml ($dossier_version) have different versions"
  rehearse_upgrades
  released=$(git -C "$root" tag --list 'v*' --sort version:refname 2>/dev/null) || true
  [ -n "$released" ] || note "there is no released version (tag v*) to upgrade from"
  for from in $released; do
    step "upgrades: from ${from#v}"
    upgrade_from "${from#v}"
  done
}

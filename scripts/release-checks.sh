# What must hold before a release is built. Sourced; needs dry_run.
# shellcheck shell=bash disable=SC2154 # dry_run is set by the script that sources this

# changelog_part NAME: the lines below the heading "## [NAME]".
changelog_part() { awk -v heading="## [$1]" 'index($0, "## [") == 1 { on = index($0, heading) == 1; next } on' "$root/CHANGELOG.md"; }

# release_notes: of this version, or the unreleased ones before the version has a part of its own.
release_notes() {
  if [ -n "$(changelog_part "$dossier_version")" ]; then changelog_part "$dossier_version"; else changelog_part Unreleased; fi
}

# check_release: reports every problem, not only the first.
check_release() {
  step "checking version $dossier_version"
  local wrong=() changes tag=v$dossier_version previous
  changes=$(git -C "$root" status --porcelain)
  [ -z "$changes" ] || wrong+=("the tree has uncommitted changes: $(head -n 3 <<<"$changes" | tr '\n' ' ')")
  grep -q "select '$dossier_version';" "$root/sql/core/version.sql" || wrong+=("sql/core/version.sql has another version than Cargo.toml")
  grep -A1 '^name = "dossier-edge"$' "$root/Cargo.lock" | grep -qx "version = \"$dossier_version\"" ||
    wrong+=("Cargo.lock has another version than Cargo.toml")
  previous=$(git -C "$root" tag --list 'v*' --sort=version:refname | { grep -vx "$tag" || true; } | tail -n 1)
  [ -z "$previous" ] || [ -e "$root/pg-extension/upgrades/dossier--${previous#v}--$dossier_version.sql" ] ||
    wrong+=("nothing leads from ${previous#v}: pg-extension/upgrades/dossier--${previous#v}--$dossier_version.sql is missing")
  [ -n "$(release_notes)" ] || wrong+=("CHANGELOG.md says nothing about this version")
  if [ "$dry_run" = no ]; then
    git -C "$root" tag --points-at HEAD | grep -qx "$tag" || wrong+=("the current commit is not tagged $tag")
    grep -qE "^## \[${dossier_version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" "$root/CHANGELOG.md" ||
      wrong+=("CHANGELOG.md has no heading \"## [$dossier_version] - <date>\"")
  fi
  [ ${#wrong[@]} = 0 ] || fail "$(printf '%s\n       ' "${wrong[@]}" | sed '$d')" "RELEASE.md describes the steps"
}

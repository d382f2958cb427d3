# PostgreSQL 17, pgTAP and pgvector of Debian 13 in a folder of a Debian 12 machine, for tests. Sourced.
# Invariant: nothing outside the folder changes. apt keeps its lists, its packages and its record of installed packages in
# the folder, and accepts only packages that Debian has signed.
# Invariant: a new folder is completed next to the old one, then replaces it. A killed run leaves the old one intact.
# shellcheck shell=bash

# Packages that Postgres needs only as a system service or for JIT compilation. Test servers do neither, so apt learns that
# these are installed.
pg17_goes_without=(clang-19 debconf libllvm19 libssl-dev llvm-19-dev locales postgresql-client-common postgresql-common ssl-cert tzdata)
pg17_packages=(postgresql-17 postgresql-17-pgtap postgresql-17-pgvector postgresql-server-dev-17)

# with_postgres17 COMMAND…: runs COMMAND with the clusters, clients and extension of PostgreSQL 17.
with_postgres17() {
  # shellcheck disable=SC2034 # scripts/cluster.sh, if it is in use, sets and reads the last two
  local pg_version=17 pg_bin pg_headers pg_socket pg_port
  pg_bin=$(home_of postgresql-17)/root/usr/lib/postgresql/17/bin
  pg_headers=$pg_bin/pg_config
  "$@"
}

# install_postgres17: creates the folder, and again if Debian has something newer or a file is missing.
install_postgres17() {
  local home
  home=$(home_of postgresql-17)
  pg17_configure_apt "$home"
  if ! pg17_apt update -q >"$home/update.log" 2>&1; then
    [ -e "$home/root" ] || fail "Debian's mirror, the source of PostgreSQL 17, is not available" "$(tail -n 5 "$home/update.log")"
    note "Debian's mirror is not available; PostgreSQL 17 was not updated: $(tail -n 1 "$home/update.log")"
  fi
  # The names contain the versions. This file defines what is done with the packages.
  { pg17_apt install -qq --print-uris "${pg17_packages[@]}" && cat "$root/scripts/postgres17.sh"; } >"$home/source.new"
  ! pg17_is_whole "$home" || return 0
  step "fetching PostgreSQL 17 for the tests"
  quietly postgresql-17 pg17_unpack "$home"
}

# pg17_is_whole HOME: its packages and this script are unchanged, and no file is missing.
pg17_is_whole() {
  cmp -s "$1/source" "$1/source.new" && [ -z "$(pg17_files "$1/root" | LC_ALL=C comm -13 - "$1/files" 2>&1)" ]
}
pg17_files() { (cd "$1" && find . ! -type d | LC_ALL=C sort); }

# pg17_configure_apt HOME: configures an apt for the folder, with the mirror of this machine's apt.
pg17_configure_apt() {
  local apt=$1/apt mirror package
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  # shellcheck disable=SC2016 # apt-get expands it
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' 'Created-By: Packages' | sed -n 1p)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} trixie main" >"$apt/sources.list"
  for package in "${pg17_goes_without[@]}"; do
    printf 'Package: %s\nStatus: install ok installed\nVersion: 99:0\nArchitecture: all\nMulti-Arch: foreign\n\n' "$package"
  done >"$apt/status"
  # Read after the machine's settings, so that those of a proxy, for example, still apply.
  cat >"$apt/apt.conf" <<TEXT
Dir::State "$apt/";
Dir::State::status "$apt/status";
Dir::Cache "$apt/";
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
#clear APT::Update::Post-Invoke;
TEXT
}
pg17_apt() { apt-get -c "$(home_of postgresql-17)/apt/apt.conf" "$@"; }

# pg17_unpack HOME
pg17_unpack() {
  local home=$1 new=$1/root.new package
  rm -rf "$new"
  mkdir -p "$new"
  pg17_apt install -q -y --download-only "${pg17_packages[@]}"
  while read -r _ package _; do
    dpkg-deb -x "$home/apt/archives/$package" "$new"
  done < <(grep "^'" "$home/source.new")
  rm "$new/usr/lib/postgresql/17/lib/llvmjit.so"
  pg17_wrap_programs "$new" "$home/root"
  chmod 755 "$new"
  rm -rf "$home/root" "$home/source"
  pg17_files "$new" >"$home/files"
  mv "$new" "$home/root"
  mv "$home/source.new" "$home/source"
  pg17_apt clean
}

# pg17_wrap_programs FOLDER PLACE: runs the programs with their own C library, which is newer than the
# machine's, from the folder's final place. Postgres finds its other files relative to the name of its program.
pg17_wrap_programs() {
  local bin=$1/usr/lib/postgresql/17/bin libraries loader program
  loader=$(cd "$1" && echo usr/lib/*/ld-linux-*.so.*)
  libraries=$(dirname "$loader")
  mv "$bin" "$bin.programs"
  mkdir "$bin"
  for program in "$bin.programs"/*; do
    program=$(basename "$program")
    # shellcheck disable=SC2016 # the program expands it
    printf '#!/bin/sh\nexec %q --library-path %q --argv0 "$0" %q "$@"\n' \
      "$2/$loader" "$2/$libraries" "$2/usr/lib/postgresql/17/bin.programs/$program" >"$bin/$program"
    chmod 755 "$bin/$program"
  done
}

# Builds the three programs and the extension, and puts the extension where a Postgres finds it. Sourced.
# shellcheck shell=bash

# Everything is compiled with this one selection of packages, tests included. Cargo unifies the features of shared
# dependencies over the packages that it is given, and would compile hundreds of them again for another selection.
packages=(-p dossier-extract -p dossier-extract-worker -p dossier-edge -p dossier-word-export -p dossier --no-default-features)

# need_disk: space for the first build; later builds need little.
need_disk() {
  local free
  [ ! -x "$target/release/dossier-edge" ] || return 0
  mkdir -p "$target"
  free=$(df -Pm "$target" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge 3000 ] || fail "the build needs about 3 GB in $target, where $free MB are free" "free some space, or set CARGO_TARGET_DIR"
}

# build PG_CONFIG: the three programs, and the extension's library against the headers that PG_CONFIG names.
build() {
  local version
  version=$(pg_major "$1")
  step "building the edge, the extraction worker, and the extension for PostgreSQL $version"
  PGRX_PG_CONFIG_PATH=$1 cargo_build build "${packages[@]}" --features "dossier/pg$version"
}

# cargo_build LOG [ARGUMENTS…]
cargo_build() {
  # For show_progress, which reads the bar from the log.
  CARGO_TERM_PROGRESS_WHEN=always CARGO_TERM_PROGRESS_WIDTH=80 quietly "$1" \
    cargo build --release --locked --manifest-path "$root/Cargo.toml" "${@:2}"
}

# test_crates: the extension has no tests that cargo could run. It is named for its features.
test_crates() {
  PGRX_PG_CONFIG_PATH=$pg_headers \
    cargo test --release --locked --manifest-path "$root/Cargo.toml" "${packages[@]}" --features "dossier/pg$(pg_major "$pg_headers")"
}

# pg_major PG_CONFIG: "PostgreSQL 15.14 (Debian …)" is 15.
pg_major() { "$1" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/'; }

# place_extension PG_CONFIG [FOLDER]: copies the files of the extension that was built last to the paths that PG_CONFIG
# names, below FOLDER if there is one. A file is replaced, not written to: it may be a link, or in use.
place_extension() {
  local extension library programs file
  extension=${2:-}$("$1" --sharedir)/extension
  library=${2:-}$("$1" --pkglibdir)
  programs=${2:-}$("$1" --bindir)
  mkdir -p "$extension" "$library" "$programs"
  rm -f "$extension"/dossier--*
  extension_script | install -m 644 /dev/stdin "$extension/dossier--$dossier_version.sql"
  for file in "$root"/pg-extension/upgrades/*.sql; do
    [ ! -e "$file" ] || install -m 644 "$file" "$extension/"
  done
  sed "s/@VERSION@/$dossier_version/" "$root/pg-extension/dossier.control" | install -m 644 /dev/stdin "$extension/dossier.control"
  install -C -m 755 "$target/release/libdossier.so" "$library/dossier.so"
  install -C -m 755 "$target/release/dossier-extract-worker" "$programs/dossier-extract-worker"
}

# install_extension: builds everything for the Postgres in use, and places the extension there.
install_extension() {
  build "$pg_headers"
  place_extension "$pg_bin/pg_config"
}

# extension_script: what `create extension dossier` runs.
extension_script() {
  cat <<'SQL'
-- Dossier as an extension, generated from sql/ and pg-extension/sql/.
\echo Run "create extension dossier" to load this file. \quit

SQL
  { "$root/scripts/schema-files" && "$root/scripts/schema-files" "$root/pg-extension/sql"; } | xargs -d '\n' cat
}

# schema_fingerprint: of everything that a new database gets.
schema_fingerprint() { extension_script | sha256sum | cut -c1-16; }

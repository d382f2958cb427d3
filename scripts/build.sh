# Builds the three binaries and the extension, and installs the extension where Postgres looks. Sourced.
# shellcheck shell=bash

build_binaries() {
  step "building the edge and the extraction worker (the first time takes ten minutes or more)"
  cargo build --release --locked --manifest-path "$root/Cargo.toml" >&2 ||
    fail "the build failed" "the messages above say where"
}

# The fingerprint of everything the installed extension is made of.
extension_fingerprint() {
  (cd "$root" && find Cargo.lock sql pg-extension extract/src -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
}

# The extension, its SQL and the worker go to Postgres's own folders: before 18 it loads from nowhere else.
install_extension() {
  local fingerprint worker=$target/release/dossier-extract-worker pg_config=$pg_bin/pg_config package=$dev/package-$pg_version installed
  fingerprint=$(extension_fingerprint)
  installed=$("$pg_config" --sharedir)/extension/dossier.fingerprint
  if [ "$(cat "$installed" 2>/dev/null)" != "$fingerprint" ]; then
    step "building and installing the extension for PostgreSQL $pg_version"
    rm -rf "$package"
    (cd "$root/pg-extension" &&
      quietly "extension-$pg_version" cargo pgrx package --pg-config "$pg_config" --out-dir "$package" \
        --no-default-features --features "pg$pg_version")
    (cd "$package" && find . -type f -printf '%P\n') | while read -r file; do
      into_postgres install -D -m "$(case $file in *.so) echo 755 ;; *) echo 644 ;; esac)" "$package/$file" "/$file"
    done
    echo "$fingerprint" | into_postgres tee "$installed" >/dev/null
  fi
  cmp -s "$worker" "$("$pg_config" --bindir)/dossier-extract-worker" ||
    into_postgres install -m 755 "$worker" "$("$pg_config" --bindir)/dossier-extract-worker"
}

# into_postgres COMMAND…: as who may write Postgres's folders.
into_postgres() {
  if [ -w "$pg_bin" ]; then "$@"; else as_root "$@"; fi
}

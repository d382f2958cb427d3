# Installs missing packages and checks the tools for building and testing. Sourced.
# shellcheck shell=bash disable=SC2034 # settings are read by the scripts that source this

# cmake: zlib-ng, which pingora builds. tesseract-ocr: loaded when a page needs OCR.
build_packages=(build-essential cmake curl pkg-config libclang-dev tesseract-ocr "postgresql-$pg_version" "postgresql-server-dev-$pg_version")
test_packages=("postgresql-$pg_version-pgtap" libtap-parser-sourcehandler-pgtap-perl pgbouncer nginx haproxy)

install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null ||
    fail "missing packages: ${missing[*]}" "./dev installs them on Debian 12. Elsewhere, install their equivalents and PostgreSQL $pg_version yourself."
  can_be_root || fail "missing packages: ${missing[*]}" "Run ./dev as root or with sudo rights, or install them: apt-get install ${missing[*]}"
  step "installing ${missing[*]}"
  # The server package would create and start a cluster, which Dossier does not use.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  quietly apt-update as_root apt-get update -q
  # In runlevel 1, packages do not start their servers.
  quietly apt-install as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

need_rust() {
  command -v cargo >/dev/null || fail "cargo is missing" "install Rust 1.95 or newer: https://rustup.rs"
}

need_node() {
  command -v node >/dev/null || fail "node is missing" "install Node 20 or newer: https://nodejs.org"
  [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || fail "node $(node -v) is too old" "install Node 20 or newer"
}

install_build_tools() {
  need_rust
  need_node
  install_packages "${build_packages[@]}"
}

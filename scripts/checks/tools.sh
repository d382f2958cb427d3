# Tools that only ./dev lint needs. Each is installed once per machine and version, outside the checkout. Sourced.
# shellcheck shell=bash

tools=${XDG_CACHE_HOME:-$HOME/.cache}/dossier
cargo_deny_version=0.20.2

# install_rust_components: rustup reads rust-toolchain.toml and adds them by itself; other installs of Rust do not.
install_rust_components() {
  need_rust
  (cd "$root" && cargo fmt --version && cargo clippy --version) >/dev/null 2>&1 ||
    fail "rustfmt or clippy is missing" "run: rustup component add rustfmt clippy"
}

# install_cargo_deny: sets cargo_deny. Built without optimization, which takes a quarter of the time; a check takes seconds.
install_cargo_deny() {
  local home=$tools/cargo-deny-$cargo_deny_version
  cargo_deny=$home/bin/cargo-deny
  [ ! -x "$cargo_deny" ] || return 0
  need_rust
  step "building cargo-deny $cargo_deny_version (one to three minutes, once per machine)"
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    quietly cargo-deny cargo install --locked --version "$cargo_deny_version" --root "$home" --target-dir "$home/build" cargo-deny
  rm -rf "$home/build"
}

# install_typos: sets typos. A binary that comes as a Python package; its digest is in requirements.txt.
install_typos() {
  local requirements=$root/scripts/checks/requirements.txt home
  home=$tools/typos-$(sha256sum "$requirements" | cut -c1-12)
  typos=$home/bin/typos
  [ ! -x "$typos" ] || return 0
  install_packages python3-venv
  step "installing typos"
  quietly typos-venv /usr/bin/python3 -m venv --clear "$home"
  quietly typos "$home/bin/pip" install --disable-pip-version-check --require-hashes --only-binary :all: -r "$requirements"
}

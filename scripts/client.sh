# The packages of client/: installed, built and checked. Sourced.
# shellcheck shell=bash

client=$root/client

# install_npm FOLDER WHAT: what the folder's package-lock.json names, once per version of that file. No package runs scripts of
# its own.
install_npm() {
  local folder=$1 what=$2 wanted
  need_node
  wanted=$(sha256sum <"$folder/package-lock.json")
  [ "$(cat "$folder/node_modules/.installed" 2>/dev/null)" != "$wanted" ] || return 0
  step "installing the npm packages of $what"
  quietly npm npm --prefix "$folder" ci --ignore-scripts --no-audit --no-fund
  echo "$wanted" >"$folder/node_modules/.installed"
}

install_client() { install_npm "$client" "the client"; }

build_client() {
  step "client: build"
  (cd "$client" && npm run --silent build >&2) || fail "the client does not compile" "the messages above say where"
}

# build_demo: the page that the edge embeds, with npm, if its sources have changed since the last time. Call it before build.
build_demo() {
  local built=$root/edge-proxy/demo/.built sources
  sources=$(cd "$client" && find demo packages package-lock.json -name node_modules -prune -o -name dist -prune -o \
    -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
  [ "$(cat "$built" 2>/dev/null)" != "$sources" ] || return 0
  step "building the demo"
  install_client
  quietly demo npm --prefix "$client" run build --workspace demo
  echo "$sources" >"$built"
}

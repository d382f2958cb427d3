# The throw-away stack that tests and benchmarks run on: cluster .dev/test, edge .dev/test-edge. Sourced.
# shellcheck shell=bash

# test_cluster: a new cluster, once per run. Everything stops when the script ends, even if it fails or is interrupted.
test_cluster() {
  [ -z "${test_cluster_made:-}" ] || return 0
  test_cluster_made=yes
  trap wipe_test_stack EXIT
  trap 'exit 130' INT TERM
  step "starting a Postgres $pg_version for the tests"
  wipe_test_stack
  cluster_start test
}

wipe_test_stack() {
  edge_stop "$dev/test-edge"
  cluster_wipe test
  cluster_wipe test-17
  rm -rf "$dev/test-edge"
}

# test_edge DATABASE: an edge for DATABASE, and the environment variables of tests/e2e and bench/.
test_edge() {
  local home=$dev/test-edge password edge_port
  mkdir -p "$home"
  chmod 700 "$home"
  password=$(random_hex 16)
  sql "$1" -v password="$password" <<<"alter role authenticator with login password :'password'"
  DOSSIER_JWT_SECRET=$(random_hex 32)
  cat >"$home/env" <<TEXT
DATABASE_URL=postgres://authenticator:$password@127.0.0.1:$pg_port/$1
JWT_SECRET=$DOSSIER_JWT_SECRET
LOG_FORMAT=json
TEXT
  edge_start_anywhere "$home" 18080
  DOSSIER_EDGE_PID=$(edge_pid "$home")
  DOSSIER_URL=http://127.0.0.1:$edge_port
  DOSSIER_EDGE_BIN=$home/dossier-edge
  DOSSIER_WORKER_BIN=$home/dossier-extract-worker
  DOSSIER_FIXTURES=$dev/fixtures
  "$root/scripts/dist" >/dev/null
  DOSSIER_HOSTED_SQL=$root/dist/dossier--$dossier_version.sql
  # The edge's own login, and the owner's through the socket, for looking at rows.
  DOSSIER_EDGE_DATABASE_URL=postgres://authenticator:$password@127.0.0.1:$pg_port/$1
  DOSSIER_DATABASE_URL="postgresql://postgres@/$1?host=$pg_socket&port=$pg_port"
  export DOSSIER_JWT_SECRET DOSSIER_EDGE_PID DOSSIER_URL DOSSIER_EDGE_BIN DOSSIER_WORKER_BIN DOSSIER_FIXTURES DOSSIER_HOSTED_SQL \
    DOSSIER_EDGE_DATABASE_URL DOSSIER_DATABASE_URL
}

# Shared by the scripts beside it: messages, settings, and running commands as root or postgres. Sourced, never run.
# Knows nothing of clusters, builds or edges; those have files of their own.
# shellcheck shell=bash disable=SC2034 # settings are read by the scripts that source this
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
dev=${DOSSIER_DEV:-$root/.dev}
pg_version=15 # Debian 12's; scripts/postgres17.sh switches to another for a while
debian_postgres=/usr/lib/postgresql/$pg_version
pg_bin=$(readlink -m "$dev/postgresql-$pg_version")/root$debian_postgres/bin # scripts/postgres15.sh creates it
pg_headers=$debian_postgres/bin/pg_config # the pg_config of the Postgres that the extension is built against
target=${CARGO_TARGET_DIR:-$root/target}
dossier_version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)

# Nothing in the caller's environment may point a test or a demo at another database.
unset PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGSERVICE PGOPTIONS PGPASSFILE
# A server started with it would show backtraces to its clients.
unset RUST_BACKTRACE

step() { printf '\033[1;34m==>\033[0m %s\n' "$*" >&2; }
note() { printf '    %s\n' "$*" >&2; }
# fail MESSAGE [WHAT TO DO]
fail() {
  printf '\033[1;31merror:\033[0m %s\n' "$1" >&2
  [ $# -gt 1 ] && printf '       %s\n' "$2" >&2
  exit 1
}

# quietly NAME COMMAND…: runs a long command and shows its progress. Its output is shown only if it fails.
quietly() {
  local log=$dev/log/$1.log started=$SECONDS ticker status=0
  shift
  mkdir -p "$dev/log"
  : >"$log"
  show_progress "$log" 9>&- &
  ticker=$!
  "$@" >"$log" 2>&1 || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  [ ! -t 2 ] || printf '\r\033[K' >&2
  if [ "$status" != 0 ]; then
    tr '\r' '\n' <"$log" | grep -v '^ *Building \[' | tail -n 40 >&2
    fail "command failed: $*" "the complete output is in $log"
  fi
  [ $((SECONDS - started)) -lt 2 ] || note "done in $(duration $((SECONDS - started)))"
}

# show_progress LOG: runs until killed. On a terminal it updates one line every second; elsewhere it prints a line every 30 seconds.
show_progress() {
  local started=$SECONDS every=30 crates
  [ ! -t 2 ] || every=1
  while sleep "$every"; do
    # Cargo's own progress bar ends with "123/390: names of crates".
    crates=$(tail -c 500 "$1" | grep -oE '[0-9]+/[0-9]+:' | tail -n 1 | sed -E 's|(.*)/(.*):|, \1 of \2 crates|') || true
    if [ -t 2 ]; then
      printf '\r\033[K    %s%s' "$(duration $((SECONDS - started)))" "$crates" >&2
    else
      note "$(duration $((SECONDS - started)))$crates"
    fi
  done
}

# duration SECONDS: 75 is "1 min 15 s".
duration() { if [ "$1" -lt 60 ]; then echo "$1 s"; else echo "$(($1 / 60)) min $(($1 % 60)) s"; fi; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "$1 needs root, and sudo is not installed" "run ./dev as root, or install sudo and add your user to its group"
  fi
}

# can_be_root: if sudo needs a password, it asks for it now.
can_be_root() { [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -v; }; }

# Postgres refuses to run as root, so root lends its clusters to the user postgres.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && exec runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# home_of NAME: a folder that the user postgres can reach. If that user cannot enter the checkout (below /root, for example),
# the folder is in /var/tmp and .dev/NAME is a link to it.
home_of() {
  local home=$dev/$1
  mkdir -p "$dev"
  if [ ! -e "$home" ] && [ "$(id -u)" = 0 ] && ! as_postgres test -x "$dev"; then
    local elsewhere
    elsewhere=/var/tmp/dossier-$(echo "$home" | sha256sum | cut -c1-12)
    mkdir -p "$elsewhere"
    ln -sfn "$elsewhere" "$home"
  fi
  [ -d "$home" ] || mkdir -p "$home"
  (cd "$home" && pwd -P)
}

# free_port FROM: the first port on which no process listens, counted from FROM.
free_port() {
  local port=$1
  while port_taken "$port"; do port=$((port + 1)); done
  echo "$port"
}
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

random_hex() { head -c "$1" /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# wait_for SECONDS WHAT COMMAND…: until COMMAND succeeds.
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt "$deadline" ] || fail "$what did not come up"
    sleep 0.1
  done
}

# Only one ./dev at a time changes .dev/. The lock of a killed run is released with its process.
lock() {
  mkdir -p "$dev"
  exec 9>"$dev/lock"
  if ! flock -n 9; then
    note "waiting for another ./dev command in this checkout"
    flock 9
  fi
}

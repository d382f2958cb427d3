# Starts and stops an edge as a background process, by a pid file that is never trusted blindly. Sourced.
# shellcheck shell=bash

# edge_pid HOME: the running edge's pid; fails when there is none, whatever a stale pid file says.
edge_pid() {
  local pid
  pid=$(cat "$1/edge.pid" 2>/dev/null) || return 1
  [ "$(readlink "/proc/$pid/exe" 2>/dev/null | sed 's/ (deleted)$//')" = "$1/dossier-edge" ] && echo "$pid"
}

# edge_start HOME PORT: reads HOME/env. The binary is copied first, so that a rebuild never changes what runs.
edge_start() {
  local home=$1 port=$2
  install -m 755 "$target/release/dossier-edge" "$target/release/dossier-extract-worker" "$home/"
  (
    set -a
    # shellcheck disable=SC1091
    . "$home/env"
    export LISTEN=127.0.0.1:$port
    exec setsid "$home/dossier-edge" 9>&- </dev/null >>"$home/edge.log" 2>&1
  ) &
  echo $! >"$home/edge.pid"
  local deadline=$((SECONDS + 30))
  until curl -fsS -o /dev/null "http://127.0.0.1:$port/readyz" 2>/dev/null; do
    if ! edge_pid "$home" >/dev/null || [ $SECONDS -ge $deadline ]; then
      tail -n 20 "$home/edge.log" >&2
      fail "the edge did not become ready" "its log is $home/edge.log"
    fi
    sleep 0.1
  done
}

# edge_stop HOME: asks, waits for what is in flight, and only then insists.
edge_stop() {
  local pid deadline=$((SECONDS + 20))
  pid=$(edge_pid "$1") || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null; do
    if [ $SECONDS -ge $deadline ]; then
      kill -KILL "$pid" 2>/dev/null || true
    fi
    sleep 0.1
  done
  rm -f "$1/edge.pid"
}

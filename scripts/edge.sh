# Starts and stops an edge as a background process. Its pid file is checked against /proc before each use. Sourced.
# shellcheck shell=bash

# edge_pid HOME: the running edge's pid. Fails if no edge runs, even if there is a stale pid file.
edge_pid() {
  local pid
  pid=$(cat "$1/edge.pid" 2>/dev/null) || return 1
  [ "$(readlink "/proc/$pid/exe" 2>/dev/null | sed 's/ (deleted)$//')" = "$1/dossier-edge" ] && echo "$pid"
}

# edge_start HOME PORT: reads HOME/env and, if it exists, HOME/demo-users (JSON, for DEMO_USERS). The binary is copied first,
# so that a rebuild never changes the running program.
edge_start() {
  edge_try "$1" "$2" || fail "port $2 is in use by another program" "stop it, or choose another port"
}

# edge_start_anywhere HOME PORT: on the first free port, counted from PORT; sets edge_port.
edge_start_anywhere() {
  edge_port=$(free_port "$2")
  # Another program may take the port between the check and the start.
  until edge_try "$1" "$edge_port"; do edge_port=$(free_port "$edge_port"); done
}

# edge_try HOME PORT: returns 1 if another process has the port. Any other failure ends the script.
edge_try() {
  local home=$1 port=$2
  install -m 755 "$target/release/dossier-edge" "$target/release/dossier-extract-worker" "$home/" ||
    fail "the edge could not be copied to $home"
  (
    set -a
    # shellcheck disable=SC1091
    . "$home/env"
    if [ -e "$home/demo-users" ]; then
      DEMO_USERS=$(cat "$home/demo-users")
      export DEMO_USERS
    fi
    export LISTEN=127.0.0.1:$port
    exec setsid "$home/dossier-edge" 9>&- </dev/null >>"$home/edge.log" 2>&1
  ) &
  local pid=$! deadline=$((SECONDS + 30))
  echo "$pid" >"$home/edge.pid"
  # A response on the port is not enough: it may come from another edge.
  until listens "$pid" "$port" && curl -fsS -o /dev/null "http://127.0.0.1:$port/readyz" 2>/dev/null; do
    if ! kill -0 "$pid" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
      ! port_taken "$port" || listens "$pid" "$port" || return 1
      tail -n 20 "$home/edge.log" >&2
      fail "the edge did not become ready" "its log is $home/edge.log"
    fi
    sleep 0.1
  done
}

# listens PID PORT: whether the process has the port open, on the loopback address or on any.
listens() {
  local socket
  while read -r socket; do
    [ -z "$(find "/proc/$1/fd" -lname "socket:\\[$socket\\]" 2>/dev/null)" ] || return 0
  done < <(awk -v port="$(printf ':%04X' "$2")" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }' /proc/net/tcp)
  return 1
}

# edge_stop HOME: asks it to finish its requests and to stop; kills it after 20 seconds.
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

# shellcheck shell=bash
# A private PostgreSQL cluster: its own folder, its own port on loopback, its own password. It never touches a
# PostgreSQL that the system runs.

# use_postgres: finds the newest installed PostgreSQL and a place for the cluster.
use_postgres() {
  PG_BIN=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)
  PG_BIN=${PG_BIN%/initdb}
  [ -n "$PG_BIN" ] || fail "no PostgreSQL server found in /usr/lib/postgresql"
  # PostgreSQL refuses to run as root.
  PG_USER=$(id -un)
  if [ "$(id -u)" -eq 0 ]; then
    PG_USER=postgres
    id -u "$PG_USER" >/dev/null 2>&1 || PG_USER=nobody
  fi
  set_postgres_identity
  PG_HOME=$PWD/.local/postgres
  mkdir -p .local
  if ! as_postgres test -x "$PWD/.local"; then
    PG_HOME=/var/tmp/fluxora-$(printf '%s' "$PWD" | sha256sum | head -c 12)/postgres
    note "user $PG_USER can't reach $PWD: the database goes to $PG_HOME"
  fi
  PG_DATA=$PG_HOME/data
}

# PG_IDENTITY: setpriv's arguments for being that user.
set_postgres_identity() {
  PG_IDENTITY=()
  if [ "$(id -un)" != "$PG_USER" ]; then
    PG_IDENTITY=(--reuid="$PG_USER" --regid="$(id -g "$PG_USER")" --clear-groups)
  fi
}

# as_postgres COMMAND...: as the user that owns the cluster, in a folder that this user can enter.
as_postgres() {
  (cd / && setpriv "${PG_IDENTITY[@]}" -- "$@")
}

# prepare_postgres: makes the cluster when there is none, chooses a port, and sets PG_PORT, PGPASSWORD and
# PG_COMMAND, the command that runs it in the foreground.
prepare_postgres() {
  local made_by
  make_cluster
  made_by=$(as_postgres cat "$PG_DATA/PG_VERSION")
  PG_BIN=/usr/lib/postgresql/$made_by/bin
  [ -x "$PG_BIN/postgres" ] || fail "the cluster in $PG_HOME was made by PostgreSQL $made_by, which is gone" \
    "It holds the demo's data only: remove that folder to start with a new one."
  # One that runs without this script was left behind by a start that could not end in order.
  if as_postgres "$PG_BIN/pg_ctl" -D "$PG_DATA" status >/dev/null 2>&1; then
    as_postgres "$PG_BIN/pg_ctl" -D "$PG_DATA" -m fast -w -t 30 stop >/dev/null 2>&1 || true
  fi
  PGPASSWORD=$(as_postgres cat "$PG_HOME/password")
  export PGPASSWORD
  PG_PORT=$(free_port)
  # shellcheck disable=SC2034  # scripts/run starts it
  PG_COMMAND=(env -C / "$PG_BIN/postgres" -D "$PG_DATA" -p "$PG_PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories=)
}

# postgres_answers: does it take connections yet?
postgres_answers() {
  "$PG_BIN/pg_isready" -q -h 127.0.0.1 -p "$PG_PORT" -U fluxora -d postgres
}

make_cluster() {
  if as_postgres test -f "$PG_DATA/PG_VERSION"; then return 0; fi
  say "PostgreSQL: making a private cluster in $PG_HOME"
  mkdir -p "$(dirname "$PG_HOME")"
  if [ -e "$PG_HOME" ]; then
    # Of an interrupted start; under /var/tmp somebody else could also have put it there.
    [ "$(stat -c %U "$PG_HOME")" = "$PG_USER" ] || fail "$PG_HOME belongs to somebody else" "Remove it, then start again."
    rm -rf "$PG_HOME"
  fi
  mkdir -m 700 "$PG_HOME"
  (umask 077 && head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$PG_HOME/password")
  [ "$(id -un)" = "$PG_USER" ] || chown -R "$PG_USER" "$PG_HOME"
  if ! as_postgres "$PG_BIN/initdb" --pgdata "$PG_DATA" --username fluxora --pwfile "$PG_HOME/password" \
    --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 --no-instructions >.local/log/initdb.log 2>&1; then
    cat .local/log/initdb.log >&2
    rm -rf "$PG_HOME"
    fail "initdb failed"
  fi
}

# postgres_url DATABASE
postgres_url() {
  printf 'postgres://fluxora:%s@127.0.0.1:%s/%s\n' "$PGPASSWORD" "$PG_PORT" "$1"
}

# psql_lines SQL [DATABASE]: the rows, bare.
psql_lines() {
  "$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PG_PORT" -U fluxora -d "${2:-postgres}" -c "$1"
}

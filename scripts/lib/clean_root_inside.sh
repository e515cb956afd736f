#!/usr/bin/env bash
# Runs inside the bare system: scripts/run as a user with sudo, then .ci/run as root. A line "case passed NAME" or
# "case failed NAME" is a result.
set -uo pipefail

# On two cores everything from nothing takes most of this.
START_SECONDS=5400
STOP_SECONDS=60

passed() { printf 'case passed %s\n' "$*"; }
failed() { printf 'case failed %s\n' "$*"; }

as_builder=(setpriv --reuid=builder --regid=builder --init-groups --
  env HOME=/home/builder USER=builder LOGNAME=builder PORT="$TEST_PORT")

# wait_for SECONDS TEST...: polls until the test succeeds, or the start has ended.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    kill -0 "$started" 2>/dev/null && [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

serves() { curl -fs -o /dev/null -m 5 "http://127.0.0.1:$TEST_PORT$1" 2>/dev/null; }

# start_and_end WHICH: scripts/run until it serves, then a signal, then nothing of it may be left.
start_and_end() {
  local which=$1 begin=$SECONDS status=0 watchdog commands left
  "${as_builder[@]}" scripts/run &
  started=$!
  if wait_for "$START_SECONDS" serves /health && wait_for 60 serves /demo/; then
    passed "$which of scripts/run serves ($((SECONDS - begin)) s)"
  else
    failed "$which of scripts/run serves"
  fi
  kill -TERM "$started" 2>/dev/null
  (sleep "$STOP_SECONDS"; kill -KILL "$started" 2>/dev/null) &
  watchdog=$!
  wait "$started" || status=$?
  kill "$watchdog" 2>/dev/null
  wait "$watchdog" 2>/dev/null
  commands=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ')
  left=$(grep -oE '[^ ]*(fluxora-server|chain-sim/|/postgres )[^ ]*' <<<"$commands" | sort -u)
  if [ "$status" -eq 0 ] && [ -z "$left" ]; then
    passed "$which ends in order"
  else
    printf 'status %s, left: %s\n' "$status" "$left"
    failed "$which ends in order"
  fi
}

chown -R builder /fluxora/started
cd /fluxora/started || exit 1
start_and_end "the first start"
start_and_end "a second start"

cd /fluxora/tested || exit 1
if .ci/run; then passed ".ci/run as root"; else failed ".ci/run as root"; fi

#!/usr/bin/env bash
# Runs inside the bare system, as root: installs /fluxora/fluxora-server.deb and does with it what an administrator does.
# There is no systemd to run the unit, so its command is run here as the unit says: user, environment file, arguments,
# no capabilities, and a socket for its notifications. A line "case passed NAME" or "case failed NAME" is a result.
set -uo pipefail

PACKAGE=/fluxora/fluxora-server.deb
UNIT=/usr/lib/systemd/system/fluxora-server.service
SETTINGS=/etc/fluxora/fluxora.env
NOTIFICATIONS=/run/fluxora-notifications
START_SECONDS=60
export DEBIAN_FRONTEND=noninteractive

# result NAME COMMAND...: one case.
result() {
  local name=$1
  shift
  if "$@" >/run/case.out 2>&1; then
    printf 'case passed %s\n' "$name"
  else
    tail -n 40 /run/case.out
    printf 'case failed %s\n' "$name"
  fi
}

apt_install() { apt-get -o DPkg::Lock::Timeout=300 install -y "$@"; }

# unit_value KEY [FILE]: the last one that the unit has of it.
unit_value() { sed -n "s/^$1=//p" "${2:-$UNIT}" | tail -n 1; }

# become_unit COMMAND...: this shell becomes it, run as the unit would.
become_unit() {
  set -a
  # shellcheck disable=SC1090  # as plain as the example that the package brings
  . "$(unit_value EnvironmentFile)"
  set +a
  NOTIFY_SOCKET=$NOTIFICATIONS exec setpriv --reuid "$(unit_value User)" --regid "$(unit_value Group)" --init-groups \
    --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"
}

as_unit() { (become_unit "$@"); }

# take_notifications: a service manager's end of the socket; what comes is written down.
take_notifications() {
  perl -MSocket -e '
    socket(my $end, AF_UNIX, SOCK_DGRAM, 0) or die $!;
    unlink $ARGV[0];
    bind($end, sockaddr_un($ARGV[0])) or die $!;
    chmod 0777, $ARGV[0];
    $| = 1;
    while (defined recv($end, my $text, 4096, 0)) { print "$text\n" }' "$NOTIFICATIONS" >/run/notified &
  notifications=$!
  wait_for test -S "$NOTIFICATIONS"
}

# wait_for TEST...
wait_for() {
  local end=$((SECONDS + START_SECONDS))
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

serves() { curl -fs -o /dev/null -m 5 "http://127.0.0.1:$TEST_PORT$1" 2>/dev/null; }

start_service() {
  local command
  read -ra command <<<"$(unit_value ExecStart)"
  become_unit "${command[@]}" >/run/fluxora.log 2>&1 &
  service=$!
  wait_for serves /health || { cat /run/fluxora.log; return 1; }
}

stop_service() {
  kill -TERM "$service"
  wait "$service"
}

is_set_up() {
  getent passwd fluxora && getent group fluxora \
    && [ "$(stat -c '%a %U %G' "$SETTINGS")" = "640 root fluxora" ] \
    && [ "$(stat -c '%a %U %G' /var/backups/fluxora)" = "700 fluxora fluxora" ] \
    && [ -L /etc/systemd/system/multi-user.target.wants/fluxora-server.service ] \
    && [ ! -e /etc/systemd/system/timers.target.wants/fluxora-backup.timer ] \
    && [ -z "$(dpkg --verify fluxora-server)" ]
}

version_is_the_packages() {
  [ "$(fluxora-server version)" = "$(dpkg-query -W -f '${Version}' fluxora-server)" ]
}

says_what_is_missing() {
  local said status=0
  said=$(as_unit fluxora-server check-config 2>&1) || status=$?
  printf '%s\n' "$said"
  [ "$status" -eq 2 ] && grep -q DATABASE_URL <<<"$said"
}

units_are_valid() { systemd-analyze verify "$UNIT" /usr/lib/systemd/system/fluxora-backup.{service,timer}; }

# 10 is the worst; what is left of it are the network and the user, which the service needs.
units_are_confined() {
  systemd-analyze security --offline=true --threshold=25 --no-pager fluxora-server.service \
    && systemd-analyze security --offline=true --threshold=25 --no-pager fluxora-backup.service
}

lintian_is_content() { lintian --fail-on error,warning --tag-display-limit 0 "$PACKAGE"; }

make_database() {
  local version
  version=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -V | tail -n 1)
  pg_ctlcluster "$version" main start || return 1
  setpriv --reuid postgres --regid postgres --init-groups psql -q -v ON_ERROR_STOP=1 postgres <<'SQL' || return 1
CREATE ROLE fluxora LOGIN PASSWORD 'only here';
CREATE DATABASE fluxora OWNER fluxora;
SQL
  sed -i -e 's|^#DATABASE_URL=.*|DATABASE_URL=postgres://fluxora:only%20here@127.0.0.1/fluxora|' \
    -e "s|^#PORT=.*|PORT=$TEST_PORT|" "$SETTINGS"
  as_unit fluxora-server check-config
}

notified() { wait_for grep -qx "$1" /run/notified || { cat /run/notified; return 1; }; }

# The page, and all that it is made of.
demo_page_is_served() {
  local file
  serves /demo/ || return 1
  for file in /usr/share/fluxora/demo/assets/*.{css,js,wasm}; do
    serves "/demo/assets/${file##*/}" || { printf '%s\n' "$file"; return 1; }
  done
}

makes_a_stream() {
  local sender=GCS2BKDSKSWQT6SMSLBAFLFURPY3ZL74CGURQ5QNE2S2KQOX6XKNNRJG recipient=GB6QM3Z43JKXJD4MPY7P3VWTHPCPA7ESCAJB5W3KUY6SGHRLXQCE32XD
  curl -fsS -m 10 -H 'Content-Type: application/json' "http://127.0.0.1:$TEST_PORT/api/streams" \
    -d "{\"sender\":\"$sender\",\"recipient\":\"$recipient\",\"depositAmount\":\"100\",\"ratePerSecond\":\"0.01\"}" >/run/made \
    && grep -q '"depositAmount":"100.0000000"' /run/made \
    && streams_are 1
}

# streams_are NUMBER
streams_are() { curl -fsS -m 10 "http://127.0.0.1:$TEST_PORT/api/streams?include_total=true" | grep -q "\"total\":$1\\b"; }

# The command of the backup's unit, into its folder.
backs_up() {
  local unit=/usr/lib/systemd/system/fluxora-backup.service shell
  shell=$(unit_value ExecStart "$unit" | sed "s|^/bin/sh -c '\(.*\)'\$|\1|; s/%%/%/g")
  BACKUP_FOLDER=/var/backups/fluxora as_unit /bin/sh -c "$shell" && [ -n "$(find /var/backups/fluxora -name 'fluxora-*.dump' -size +1k)" ]
}

# The next version: another number, and an example that has changed.
make_next_version() {
  rm -rf /run/next && dpkg-deb -R "$PACKAGE" /run/next
  sed -i 's/^Version: .*/&.1/' /run/next/DEBIAN/control
  printf '\n# A setting of the next version.\n#NEXT=\n' >>/run/next/etc/fluxora/fluxora.env
  dpkg-deb --root-owner-group -b /run/next /fluxora/next.deb
}

upgrade_keeps_the_configuration() {
  local before after
  before=$(sha256sum "$SETTINGS")
  make_next_version || return 1
  apt_install -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold /fluxora/next.deb || return 1
  after=$(sha256sum "$SETTINGS")
  [ "$before" = "$after" ] && [ -e "$SETTINGS.dpkg-dist" ] \
    && [ -L /etc/systemd/system/multi-user.target.wants/fluxora-server.service ] \
    && dpkg-query -W -f '${Version}' fluxora-server | grep -q '\.1$'
}

removal_keeps_the_configuration() {
  apt-get remove -y fluxora-server && [ ! -e /usr/bin/fluxora-server ] && [ -e "$SETTINGS" ]
}

purge_keeps_the_backups() {
  apt-get purge -y fluxora-server && compgen -G '/var/backups/fluxora/fluxora-*.dump' && getent passwd fluxora
}

purge_leaves_nothing() {
  rm -rf /var/backups/fluxora/*
  apt_install "$PACKAGE" && systemctl enable fluxora-backup.timer && apt-get purge -y fluxora-server || return 1
  local left
  left=$(find / -xdev \( -path /fluxora -o -path /run -o -path /tmp -o -path /var/lib/postgresql -o -path /var/log \
    -o -path /var/cache \) -prune -o -name '*fluxora*' -print)
  printf '%s\n' "$left"
  [ -z "$left" ] && ! getent passwd fluxora && ! getent group fluxora
}

apt-get update >/run/apt.log 2>&1 || tail -n 5 /run/apt.log
result "installs with what it depends on" apt_install "$PACKAGE"
result "user, modes, units" is_set_up
result "its version is the package's" version_is_the_packages
result "says what isn't configured" says_what_is_missing
apt_install --no-install-recommends curl postgresql systemd lintian >/run/apt.log 2>&1 || tail -n 20 /run/apt.log
result "the units are valid" units_are_valid
result "the units are confined" units_are_confined
result "lintian finds nothing" lintian_is_content
result "a database and two settings" make_database
take_notifications
result "starts as the unit says" start_service
result "tells the service manager that it is ready" notified READY=1
result "the demo page" demo_page_is_served
result "a stream through the API" makes_a_stream
result "backs up as the unit says" backs_up
result "an upgrade keeps the configuration" upgrade_keeps_the_configuration
result "ends in order" stop_service
result "tells the service manager that it stops" notified STOPPING=1
result "starts again with its data" start_service
result "which is all there" streams_are 1
stop_service
result "removal keeps the configuration" removal_keeps_the_configuration
result "purging keeps the backups" purge_keeps_the_backups
result "purging leaves nothing else" purge_leaves_nothing
kill "$notifications"

# shellcheck shell=bash
# Installs what scripts/packages.txt names. Where nothing is missing this costs one dpkg query.

# Debian puts nginx into /usr/sbin, which its users don't have in their PATH.
PATH=$PATH:/usr/sbin:/sbin

# as_root COMMAND...: directly as root, else through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif [ -n "${CI:-}" ]; then
    sudo -n "$@"
  else
    sudo "$@"
  fi
}

# require_free_space DIRECTORY MIB PURPOSE: a full disk is told before the work, not in the middle of it.
require_free_space() {
  local free_mib
  free_mib=$(df -Pm "$1" | awk 'NR == 2 {print $4}')
  [ "$free_mib" -ge "$2" ] || fail "not enough disk space for $3" \
    "$1 has $free_mib MiB free, $2 MiB are needed. Free some space and start again."
}

# require_writable DIRECTORY...: e.g. a first start as root leaves folders that a user's start can't write.
require_writable() {
  local directory
  for directory in "$@"; do
    mkdir -p "$directory" 2>/dev/null || true
    [ -w "$directory" ] || fail "can't write to $directory" \
      "It belongs to $(stat -c %U "$(nearest_existing "$directory")"). Run as that user, or change its owner."
  done
}

nearest_existing() {
  local path=$1
  while [ ! -e "$path" ]; do path=$(dirname "$path"); done
  printf '%s\n' "$path"
}

# listed_packages GROUP...: lines "packages found-as" of these groups.
listed_packages() {
  awk -v groups=" $* " '$1 !~ /^#/ && NF >= 3 && index(groups, " " $1 " ") {print $2, $3}' scripts/packages.txt
}

# already_there FOUND_AS: a command of that name, or a file of that pattern.
already_there() {
  case $1 in
    -) return 1 ;;
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# installed_version PACKAGE: empty when it isn't installed.
installed_version() {
  awk -v name="$1" '$1 == name {print $2}' <<<"$installed"
}

# satisfied ALTERNATIVES: is one of a|b>=V installed?
satisfied() {
  local alternative version
  for alternative in ${1//|/ }; do
    version=$(installed_version "${alternative%%>=*}")
    [ -n "$version" ] || continue
    case $alternative in
      *'>='*) dpkg --compare-versions "$version" ge "${alternative##*>=}" && return 0 ;;
      *) return 0 ;;
    esac
  done
  return 1
}

# offered ALTERNATIVES: the first that apt can install.
offered() {
  local alternative name candidate
  for alternative in ${1//|/ }; do
    name=${alternative%%>=*}
    candidate=$(LC_ALL=C apt-cache policy "$name" 2>/dev/null | awk '$1 == "Candidate:" {print $2}')
    case $candidate in '' | '(none)') continue ;; esac
    # Ubuntu's chromium is a stub that hands over to snap, which works neither in CI nor in a container.
    case $candidate in *snap*) continue ;; esac
    case $alternative in
      *'>='*) dpkg --compare-versions "$candidate" ge "${alternative##*>=}" || continue ;;
    esac
    printf '%s\n' "$name"
    return 0
  done
  return 1
}

# missing_packages GROUP...: the alternatives still to be installed, one a line.
missing_packages() {
  local alternatives found_as
  while read -r alternatives found_as; do
    already_there "$found_as" || satisfied "${alternatives%\?}" || printf '%s\n' "$alternatives"
  done < <(listed_packages "$@" | sort -u)
}

# install_packages GROUP...: installs what is missing of these groups of scripts/packages.txt.
install_packages() {
  local missing alternatives name packages=() log=.local/log/apt.log
  command -v apt-get >/dev/null || fail "this is not a Debian or Ubuntu system" \
    "Install what scripts/packages.txt names with your system's package manager, then start again."
  # Dependencies' names carry an architecture (":amd64") only where several are installed: none here.
  installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package} ${Version}\n' 2>/dev/null | awk '$1 == "ii" {print $2, $3}')
  missing=$(missing_packages "$@")
  # What apt was seen not to offer (an optional package on this system) isn't asked for at every start.
  missing=$(grep -vxFf <(cat .local/stamps/not-offered 2>/dev/null) <<<"$missing" || true)
  [ -n "$missing" ] || return 0

  require_free_space / 3000 "the packages to install"
  explain_missing_root "$missing"
  say "Debian packages: bringing the list up to date"
  mkdir -p .local/log .local/stamps
  # Another source of this machine's may be out of order without mattering here, so only apt-get install decides.
  as_root apt-get -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 || true
  for alternatives in $missing; do
    if name=$(offered "${alternatives%\?}"); then
      packages+=("$name")
    elif [[ $alternatives == *\? ]]; then
      note "${alternatives%\?}: not offered here, going on without it"
      printf '%s\n' "$alternatives" >>.local/stamps/not-offered
    else
      grep -E '^(W|E|Err):?' "$log" | head -n 10 >&2 || true
      fail "apt offers no ${alternatives//|/ or }" \
        "Where apt-get update complains above: is there a network connection?" \
        "Debian 12, Debian 13 and Ubuntu 24.04 (with its universe) have it; other systems aren't supported."
    fi
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  say "Debian packages: installing ${packages[*]}"
  leaving_services_alone as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
    --no-install-recommends "${packages[@]}" >>"$log" 2>&1 </dev/null \
    || { tail -n 25 "$log" >&2; fail "apt-get install failed: is there a network connection?" "The whole of it: $log"; }
}

# What Debian's packages would start at once, and with the machine from then on. Programs are all that is needed of them.
SERVICES_OF_PACKAGES=(haproxy nginx postgresql prometheus redis-server)

# leaving_services_alone COMMAND...: runs an installation that starts no service and leaves none enabled that wasn't.
# invoke-rc.d, by which packages start theirs, asks policy-rc.d (Debian Policy 9.3.3.2); one that is there already decides,
# unless it is ours: what an installation that was killed has left.
leaving_services_alone() (
  policy=/usr/sbin/policy-rc.d status=0
  ours="# Fluxora's scripts install packages: no service is to start meanwhile. Remove this file if none of them runs."
  enabled=$(enabled_services)
  if [ ! -e "$policy" ] || grep -qxF "$ours" "$policy"; then
    trap 'as_root rm -f "$policy"' EXIT
    printf '#!/bin/sh\n%s\nexit 101\n' "$ours" | as_root install -m 755 /dev/stdin "$policy"
  fi
  "$@" || status=$?
  for service in $(enabled_services | grep -vxF "${enabled:-none}"); do
    as_root systemctl --root=/ --quiet disable "$service" || true
  done
  exit "$status"
)

# enabled_services: those of SERVICES_OF_PACKAGES that start with the machine, one a line.
enabled_services() {
  local service
  command -v systemctl >/dev/null || return 0
  for service in "${SERVICES_OF_PACKAGES[@]}"; do
    if systemctl --root=/ --quiet is-enabled "$service" 2>/dev/null; then printf '%s\n' "$service"; fi
  done
}

# explain_missing_root ALTERNATIVES: where neither root nor sudo is to be had, says what to run, and ends.
explain_missing_root() {
  [ "$(id -u)" -ne 0 ] || return 0
  if ! command -v sudo >/dev/null; then
    local names=() alternatives
    for alternatives in $1; do names+=("$(offered "${alternatives%\?}" || printf '%s' "${alternatives%%[|?]*}")"); done
    fail "packages are missing, and without root or sudo they can't be installed" \
      "As root, run:" "  apt-get update && apt-get install --no-install-recommends ${names[*]}" "then start again."
  fi
  note "sudo is used to install packages"
}

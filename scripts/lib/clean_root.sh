# shellcheck shell=bash
# A bare Debian 12 in a folder, with nothing of this machine but its network and its way to the package sources. What
# runs in it has mounts and processes of its own, which the kernel ends with it whatever happens.

run_in_clean_root() {
  [ -z "$(git -c safe.directory="$PWD" status --porcelain)" ] \
    || note "the clean root tests the last commit: changes since then are not in it"
  in_bare_system clean-root 12000 put_clones_into scripts/lib/clean_root_inside.sh
}

# put_clones_into ROOT: sources of now, each user with a clone: the user with sudo starts it, root tests it.
put_clones_into() {
  local clone
  git -c safe.directory="$PWD" bundle create --quiet "$1/fluxora/project.bundle" HEAD
  for clone in started tested; do
    git -c advice.detachedHead=false clone --quiet "$1/fluxora/project.bundle" "$1/fluxora/$clone"
  done
  if [ -d ../shared/vectors ]; then mkdir "$1/fluxora/shared" && cp -r ../shared/vectors "$1/fluxora/shared/"; fi
}

# in_bare_system NAME MIB FILL SCRIPT: a bare Debian 12 for which MIB have to be free; FILL puts into its folder /fluxora
# what SCRIPT needs, which then runs in it as root. Its lines "case passed|failed NAME" are counted.
in_bare_system() {
  local name=$1 mib=$2 fill=$3 script=$4 root port verdict case_name
  [ "$(id -u)" -eq 0 ] || fail "$name makes a system in a folder, which only root may" "sudo scripts/test $name"
  unshare --mount --pid --fork true 2>/dev/null || fail "$name needs mounts of its own, which this container doesn't allow"
  require_free_space /var/tmp "$mib" "a bare system and all that is put into it"

  root=$(mktemp -d -p /var/tmp --suffix=".fluxora-$name")
  # The folder holds no mount outside of unshare's, so nothing else can be removed with it.
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf --one-file-system '$root'" EXIT
  chmod 755 "$root"  # it becomes /, which every user must be able to enter
  note "a bare Debian 12 in $root (removed afterwards)"
  make_clean_root "$root"
  "$fill" "$root"
  cp "$script" "$root/fluxora/inside.sh"

  port=$(free_port)
  { unshare --mount --pid --fork --kill-child bash scripts/lib/clean_root_enter.sh "$root" "$port" \
    || printf 'case failed the bare system runs to its end\n'; } 2>&1 </dev/null \
    | tee "$scratch/$name.out" | sed -u '/^case /d; s/^/    | /'
  while read -r verdict case_name; do
    case $verdict in
      passed) add_counts "$case_name" 1 0 0 0 ;;
      *) add_counts "$case_name" 0 1 0 0 ;;
    esac
  done < <(sed -n 's/^case //p' "$scratch/$name.out")
}

# make_clean_root FOLDER: the smallest system, with a user with sudo.
make_clean_root() {
  local root=$1
  note "debootstrap: the smallest Debian 12, and sudo"
  make_bare_debian "$root" sudo
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  mkdir -p "$root/fluxora"
  # Installing a server's package must not start that server.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  chroot "$root" useradd --create-home --shell /bin/bash builder
  printf 'builder ALL=(ALL) NOPASSWD: ALL\n' >"$root/etc/sudoers.d/builder"
}

# make_bare_debian FOLDER [PACKAGE]: the smallest Debian 12, with this machine's way to the package sources.
make_bare_debian() {
  local root=$1 mirror
  # shellcheck disable=SC2016  # apt's own variables
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' | awk '$1 == "Debian" && $2 == "bookworm" {print $3; exit}')
  # Without a mirror of this machine's own, debootstrap knows Debian's.
  debootstrap --variant=minbase ${2:+--include="$2"} bookworm "$root" ${mirror:+"$mirror"} >"$scratch/debootstrap.log" 2>&1 \
    || { tail -n 20 "$scratch/debootstrap.log" >&2; fail "debootstrap failed"; }
  if [ -n "$mirror" ]; then
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI) $(COMPONENT)' \
      | awk '$1 == "Debian" && $2 ~ /^bookworm/ {print "deb", $3, $2, $4}' | sort -u >"$root/etc/apt/sources.list"
  fi
  apt-config dump Acquire >"$root/etc/apt/apt.conf.d/90machine"
  mkdir -p "$root/usr/local/share/ca-certificates"
  cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
}

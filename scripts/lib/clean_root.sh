# shellcheck shell=bash
# A bare Debian 12 in a folder, with nothing of this machine but its network and its way to the package sources. What
# runs in it has mounts and processes of its own, which the kernel ends with it whatever happens.

CLEAN_ROOT_MIB=12000

run_in_clean_root() {
  local root port clone verdict name
  [ "$(id -u)" -eq 0 ] || fail "clean-root makes a system in a folder, which only root may" "sudo scripts/test clean-root"
  unshare --mount --pid --fork true 2>/dev/null || fail "clean-root needs mounts of its own, which this container doesn't allow"
  require_free_space /var/tmp "$CLEAN_ROOT_MIB" "a bare system and all that is built in it"
  [ -z "$(git -c safe.directory="$PWD" status --porcelain)" ] \
    || note "the clean root tests the last commit: changes since then are not in it"

  root=$(mktemp -d -p /var/tmp --suffix=.fluxora-clean-root)
  # The folder holds no mount outside of unshare's, so nothing else can be removed with it.
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf --one-file-system '$root'" EXIT
  chmod 755 "$root"  # it becomes /, which every user must be able to enter
  note "a bare Debian 12 in $root (removed afterwards)"
  make_clean_root "$root"

  # Sources of now, each user with a clone: the user with sudo starts it, root tests it.
  git -c safe.directory="$PWD" bundle create --quiet "$root/fluxora/project.bundle" HEAD
  for clone in started tested; do
    git -c advice.detachedHead=false clone --quiet "$root/fluxora/project.bundle" "$root/fluxora/$clone"
  done
  if [ -d ../shared/vectors ]; then mkdir "$root/fluxora/shared" && cp -r ../shared/vectors "$root/fluxora/shared/"; fi
  cp scripts/lib/clean_root_inside.sh "$root/fluxora/inside.sh"

  port=$(free_port)
  { unshare --mount --pid --fork --kill-child bash scripts/lib/clean_root_enter.sh "$root" "$port" \
    || printf 'case failed the bare system runs to its end\n'; } 2>&1 </dev/null \
    | tee "$scratch/clean-root.out" | sed -u '/^case /d; s/^/    | /'
  while read -r verdict name; do
    case $verdict in
      passed) add_counts "$name" 1 0 0 0 ;;
      *) add_counts "$name" 0 1 0 0 ;;
    esac
  done < <(sed -n 's/^case //p' "$scratch/clean-root.out")
}

# make_clean_root FOLDER: the smallest system, this machine's way to the package sources, a user with sudo.
make_clean_root() {
  local root=$1 mirror
  # shellcheck disable=SC2016  # apt's own variables
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' | awk '$1 == "Debian" && $2 == "bookworm" {print $3; exit}')
  note "debootstrap: the smallest Debian 12, and sudo"
  # Without a mirror of this machine's own, debootstrap knows Debian's.
  debootstrap --variant=minbase --include=sudo bookworm "$root" ${mirror:+"$mirror"} >"$scratch/debootstrap.log" 2>&1 \
    || { tail -n 20 "$scratch/debootstrap.log" >&2; fail "debootstrap failed"; }
  if [ -n "$mirror" ]; then
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI) $(COMPONENT)' \
      | awk '$1 == "Debian" && $2 ~ /^bookworm/ {print "deb", $3, $2, $4}' | sort -u >"$root/etc/apt/sources.list"
  fi
  apt-config dump Acquire >"$root/etc/apt/apt.conf.d/90clean-root"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  mkdir -p "$root/usr/local/share/ca-certificates" "$root/fluxora"
  cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
  # Installing a server's package must not start that server.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  chroot "$root" useradd --create-home --shell /bin/bash builder
  printf 'builder ALL=(ALL) NOPASSWD: ALL\n' >"$root/etc/sudoers.d/builder"
}

#!/usr/bin/env bash
# Started by clean_root.sh in a mount and a process namespace of its own: mounts what a system needs into the folder,
# and runs clean_root_inside.sh there.
set -euo pipefail
root=$1 port=$2

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
# Its own devices instead of this machine's /dev: nothing in there can reach a disk or a terminal.
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m 666 "$root/dev/tty" c 5 0
mkdir -p "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"

# Nothing of this machine's environment but its way to the package sources.
environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 CI=true TEST_PORT="$port")
for name in http_proxy https_proxy no_proxy NODE_EXTRA_CA_CERTS; do
  [ -z "${!name:-}" ] || environment+=("$name=${!name}")
done
for setting in registry cafile; do
  value=$(npm config get "$setting" 2>/dev/null || true)
  case $value in '' | null | undefined) ;; *) environment+=("npm_config_$setting=$value") ;; esac
done
exec chroot "$root" env -i "${environment[@]}" bash /fluxora/inside.sh

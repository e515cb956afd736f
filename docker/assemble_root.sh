#!/usr/bin/env bash
# Run by docker/Dockerfile: puts into FOLDER all that the image holds. assemble_root.sh FOLDER
# The programs come with the libraries that ldd names; each Debian package that a file comes from is described below
# /var/lib/dpkg/status.d, where image scanners look, and its licence is in /usr/share/doc.
set -euo pipefail
root=$1
USER_ID=10001  # docker/Dockerfile's USER

# with_parents FILE: under its own path, followed where it is a link.
with_parents() { cp --parents --dereference "$1" "$root"; }

# libraries PROGRAM...: the files, the dynamic linker among them.
libraries() { ldd "$@" | grep -oE '/[^ :]+ \(0x' | cut -d ' ' -f 1 | sort -u; }

# package_of FILE: Debian names some by the path from before /lib became a link to /usr/lib.
package_of() {
  local real
  real=$(realpath "$1")
  { dpkg-query --search "$real" || dpkg-query --search "${real#/usr}"; } 2>/dev/null | cut -d : -f 1 | head -n 1
}

mkdir -p "$root"/{etc/ssl/certs,usr/{bin,lib/ssl,lib64,share/doc,share/fluxora},var/lib/dpkg/status.d}
ln -s usr/lib usr/lib64 usr/bin "$root/"

files=(/usr/lib/postgresql/*/bin/{pg_dump,pg_restore,psql})  # where `backup` and `restore` look
if ldd /usr/bin/fluxora-server "${files[@]}" | grep 'not found'; then exit 1; fi
mapfile -t linked < <(libraries /usr/bin/fluxora-server "${files[@]}")
files+=("${linked[@]}")
packages=(ca-certificates)
for file in "${files[@]}"; do
  package=$(package_of "$file")
  [ -n "$package" ] || { printf 'no package has %s\n' "$file" >&2; exit 1; }
  packages+=("$package")
  with_parents "$file"
done
for package in "${packages[@]}"; do
  dpkg-query --status "$package" >"$root/var/lib/dpkg/status.d/$package"
  with_parents "/usr/share/doc/$package/copyright"
done

with_parents /usr/bin/fluxora-server
cp -r /usr/share/fluxora/demo "$root/usr/share/fluxora/"
find "$root/usr/share" -type f -exec chmod 644 {} +
install -m 644 -D LICENSE "$root/usr/share/doc/fluxora-server/LICENSE"

# Whom OpenSSL and libcurl believe where no setting says otherwise.
with_parents /etc/ssl/certs/ca-certificates.crt
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"

printf 'root:x:0:0::/:/\nfluxora:x:%s:%s::/:/\n' "$USER_ID" "$USER_ID" >"$root/etc/passwd"
printf 'root:x:0:\nfluxora:x:%s:\n' "$USER_ID" >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
# Where backups may go: a volume mounted here belongs to whom the server is.
install -d -o "$USER_ID" -g "$USER_ID" -m 750 "$root/backups"

find "$root" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-0}" {} +

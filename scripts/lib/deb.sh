# shellcheck shell=bash
# The Debian package in a bare Debian 12: installed, served, upgraded, removed, purged.

test_package() {
  if ! grep -qx VERSION_CODENAME=bookworm /etc/os-release; then
    skip deb "the package is for the release that it is made on, and the bare system is a Debian 12: run this on one"
    return 0
  fi
  make_package
  note "${PACKAGE##*/}, $(du -k "$PACKAGE" | cut -f1) KiB"
  check "the same sources make the same package" package_is_reproducible
  in_bare_system deb 3000 put_package_into scripts/lib/deb_inside.sh
}

# put_package_into ROOT
put_package_into() { cp "$PACKAGE" "$1/fluxora/fluxora-server.deb"; }

# package_is_reproducible: made again, from a program that is linked again and a page that is built again.
package_is_reproducible() {
  local first
  first=$(sha256sum <"$PACKAGE")
  rm build/package/native-server/app/fluxora-server build/wasm/demo/index.html \
    .local/stamps/build-package-fluxora-server .local/stamps/build-wasm-demo
  make_package
  [ "$first" = "$(sha256sum <"$PACKAGE")" ]
}

# shellcheck shell=bash
# The Debian package, for the release of Debian or Ubuntu that it is made on.

# make_package: builds it and sets PACKAGE to its path.
make_package() {
  local folder=$PWD/.local/package log=$PWD/.local/log/package.log config=$PWD/build/package/CPackConfig.cmake
  # Dates in the package are the last commit's, so that the same sources make the same file.
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c safe.directory="$PWD" log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
  export SOURCE_DATE_EPOCH
  build_demo
  build package fluxora-server
  rm -rf "$folder"
  mkdir -p "$folder"
  (umask 022 && cd "$folder" && cpack --config "$config") >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "cpack failed" "The whole of it: $log"
  }
  rm -rf "$folder/_CPack_Packages"
  PACKAGE=$(compgen -G "$folder/fluxora-server_*.deb") || fail "cpack made no package in $folder" "Its log: $log"
}

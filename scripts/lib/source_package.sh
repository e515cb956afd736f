# shellcheck shell=bash
# Sources that the system's own distribution builds its packages from, for what has to be compiled to WebAssembly.
# They come from the machine's own package sources, checked by apt as packages are; nothing of apt's state changes.

# unpack_source_package NAME: leaves the sources, with the distribution's patches, in .local/source/NAME.
# They stay until the installed package NAME-dev has another version.
unpack_source_package() {
  local name=$1 folder=.local/source version stamp log=.local/log/source-$1.log
  stamp=.local/stamps/source-$name
  version=$(dpkg-query -W -f='${source:Version}' "$name-dev")
  if [ -d "$folder/$name" ] && [ "$version" = "$(cat "$stamp" 2>/dev/null)" ]; then return 0; fi
  say "$name $version: unpacking its source package"
  mkdir -p "$folder" .local/log .local/stamps
  rm -rf "$stamp" "${folder:?}/$name" "$folder/${name}_"*
  {
    ask_for_sources "$folder/apt" update
    # A mirror may list a version among the security updates and have its files in the release alone.
    (cd "$folder" && { ask_for_sources apt source --download-only "$name=$version" \
      || ask_for_sources apt source --download-only "$name/$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" \
      || ask_for_sources apt source --download-only "$name"; })
    dpkg-source --no-check -x "$folder/${name}_"*.dsc "$folder/$name"
  } >"$log" 2>&1 || {
    tail -n 10 "$log" >&2
    fail "the source package of $name could not be had" "Is there a network connection, and do this machine's package sources have sources (deb-src) too? The whole of it: $log"
  }
  rm -rf "$folder/apt" "$folder/${name}_"*
  printf '%s\n' "$version" >"$stamp"
}

# ask_for_sources FOLDER ARGUMENT...: apt-get with the machine's package sources, asked for sources instead of packages.
ask_for_sources() {
  local folder file
  folder=$(realpath -m "$1")
  shift
  mkdir -p "$folder"/{parts,lists/partial,cache/archives/partial}
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    # One-line entries begin with deb, the others have a line of Types.
    sed -E 's/^Types:.*/Types: deb-src/; s/^deb[[:space:]]/deb-src /' "$file" >"$folder/parts/${file##*/}"
  done
  apt-get -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$folder/parts" -o Dir::State::Lists="$folder/lists" \
    -o Dir::Cache="$folder/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

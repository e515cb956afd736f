# shellcheck shell=bash
# Builds one of CMakePresets.json's presets. Where no source has changed it doesn't even start CMake.

BUILD_INPUTS=(CMakeLists.txt CMakePresets.json cmake core native-server packaging wasm web-demo edge/examples tests/bench tests/unit tests/fuzz
  tests/simulation tests/load tests/realtime/echo_server tests/webhooks/receiver tests/webhooks/rebinding)
# A translation unit with Asio or a large JSON test takes about this much of the compiler's memory.
MIB_PER_COMPILER=1500

# build PRESET TARGET...: "all" for everything of the preset.
build() {
  local preset=$1 state stamp=.local/stamps/build-$1-${2//\//_} log=.local/log/build-$1.log started=$SECONDS
  shift
  mkdir -p .local/stamps .local/log .local/lock
  if [ "$preset" = wasm ]; then unpack_source_package libsodium; fi
  state=$(build_state "$@")
  if [ -d "build/$preset" ] && [ "$state" = "$(cat "$stamp" 2>/dev/null)" ]; then return 0; fi
  require_free_space . 2000 "the build"
  rm -f "$stamp"
  say "build $preset: $*"
  {
    # Two at once in one build folder would write over each other.
    flock 9
    configure "$preset" >"$log" 2>&1 || { tail -n 40 "$log" >&2; fail "cmake --preset $preset failed" "The whole of it: $log"; }
    compile "$preset" "$log" "$@" || {
      awk '/^FAILED: /{found = 1} found' "$log" | head -n 400 >&2
      fail "the build of $preset failed" "The whole of it: $log"
    }
  } 9>".local/lock/build-$preset"
  # The state of before the build: what changed during it is built by the next one.
  printf '%s\n' "$state" >"$stamp"
  note "built in $((SECONDS - started)) s"
}

# build_demo: the page, which is WebAssembly and what Vite makes of web-demo, to build/wasm/demo/.
build_demo() {
  install_node_packages web-demo
  build wasm demo
}

# build_state TARGET...: changes with every input's name, size or time, and with the compilers.
build_state() {
  local input
  {
    printf '%s\n' "$*"
    for input in "${BUILD_INPUTS[@]}"; do
      # What the build itself and the tests write into a folder of sources is none.
      [ ! -e "$input" ] || find "$input" \( -name node_modules -o -path wasm/package/dist -o -path web-demo/compiled \) -prune -o -type f -printf '%p %s %T@\n'
    done | sort
    g++ -dumpfullversion 2>/dev/null || true
    node --version 2>/dev/null || true
    clang++-19 --version 2>/dev/null || true
    wasm-opt --version 2>/dev/null || true
    stat -c '%n %Y' /usr/share/emscripten/emscripten-version.txt 2>/dev/null || true
    cat .local/stamps/source-* 2>/dev/null || true
  } | sha256sum
}

# configure PRESET: Ninja starts CMake again by itself when a CMakeLists.txt changes, but doesn't know the presets.
configure() {
  if [ -f "build/$1/build.ninja" ] && [ "build/$1/build.ninja" -nt CMakePresets.json ]; then return 0; fi
  NODE_PATH=/usr/share/nodejs cmake --preset "$1"
}

# compile PRESET LOG TARGET...: all of it goes to the log, and a line a tenth to whoever waits.
# NODE_PATH: Debian's emcc runs node programs that look for Debian's modules, also under another node.
compile() {
  local preset=$1 log=$2 line tenth shown=0
  shift 2
  NODE_PATH=/usr/share/nodejs cmake --build --preset "$preset" --parallel "$(compilers_at_once)" --target "$@" 2>&1 9>&- \
    | while IFS= read -r line; do
      printf '%s\n' "$line" >>"$log"
      if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
        tenth=$((10 * BASH_REMATCH[1] / BASH_REMATCH[2]))
        if [ "$tenth" -gt "$shown" ]; then note "${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"; fi
        shown=$tenth
      fi
    done
}

compilers_at_once() {
  local by_memory cores
  cores=$(nproc)
  by_memory=$(awk -v each="$MIB_PER_COMPILER" '/^MemAvailable/ {n = int($2 / 1024 / each); print n < 1 ? 1 : n}' /proc/meminfo)
  printf '%s\n' $((by_memory < cores ? by_memory : cores))
}

# shellcheck shell=bash
# Node.js for the simulator and the tests, and the packages from npm that package-lock.json pins.

# Debian 12's and Ubuntu 24.04's own Node is 18: npm's platform package brings a newer one, without an install script.
NODE_VERSION=20.20.2
# Vite, which builds the demo page, asks for the most: ^20.19.0 || >=22.12.0.
NODE_OLDEST=20.19

# use_node: puts a new enough node first in PATH.
use_node() {
  node_is_new_enough node && return 0
  local machine bin
  case $(uname -m) in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
    *) fail "Node.js $NODE_OLDEST or newer is needed" "Install one for this $(uname -m) machine and start again." ;;
  esac
  bin=$PWD/.local/node-$NODE_VERSION/node_modules/node-linux-$machine/bin
  if ! node_is_new_enough "$bin/node"; then
    say "Node.js: $(node --version) is too old, putting $NODE_VERSION into .local/"
    run_npm install --prefix ".local/node-$NODE_VERSION" --no-save --ignore-scripts "node-linux-$machine@$NODE_VERSION"
    node_is_new_enough "$bin/node" || fail "Node.js $NODE_VERSION doesn't start" "$bin/node"
  fi
  export PATH=$bin:$PATH
}

node_is_new_enough() {
  local version
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  case $version in
    20.*) dpkg --compare-versions "$version" ge "$NODE_OLDEST" ;;
    *) dpkg --compare-versions "$version" ge 22.12 ;;
  esac
}

# run_npm ARGUMENT...: quiet; its output is shown when it fails. npm leaves out optional packages that the node it runs with
# is too old for, so that is the same as all else's: by NODE_PATH Debian's npm finds its parts there too, and the second
# variable has it trust whom the system's node trusts.
run_npm() {
  local log=.local/log/npm.log
  mkdir -p .local/log
  NODE_PATH=/usr/share/nodejs NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt} \
    npm --no-audit --no-fund --no-update-notifier "$@" >"$log" 2>&1 </dev/null \
    && return 0
  head -n 20 "$log" >&2
  if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH' "$log"; then
    fail "npm $1 failed: there is no way to the npm registry" "Is there a network connection, or a proxy to be named? The whole of it: $log"
  fi
  fail "npm $1 failed" "The whole of it: $log"
}

# install_node_packages [FOLDER]: npm ci, once for each state of the lock file. A folder with a lock of its own holds
# what only one part of the tests or the benches needs; the root's is what everything else shares.
# shellcheck disable=SC2120  # scripts/run has no use for a folder
install_node_packages() {
  local folder=${1:-.} state stamp
  stamp=.local/stamps/npm-${folder//\//_}
  [ -f "$folder/package-lock.json" ] || fail "$folder/package-lock.json is missing" \
    "It belongs to the repository: git checkout $folder/package-lock.json"
  # A folder needn't have settings of its own.
  state=$({ cat "$folder/package.json" "$folder/package-lock.json" .npmrc "$folder/.npmrc" 2>/dev/null || true; } | sha256sum)
  [ -d "$folder/node_modules" ] && [ "$state" = "$(cat "$stamp" 2>/dev/null)" ] && return 0
  say "npm packages: installing what $folder/package-lock.json names"
  rm -f "$stamp"
  run_npm ci --ignore-scripts --prefix "$folder"
  mkdir -p .local/stamps
  printf '%s\n' "$state" >"$stamp"
}

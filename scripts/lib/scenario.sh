# shellcheck shell=bash
# The load scenarios: tests/load/scenario.mjs and what it needs.

# scenario ARGUMENT...: runs it, with status 0 where all is met, 1 where not, 2 for bad arguments. prepare_scenario first.
# The harness of the tests brings Node's test runner along, which would report on no tests: not here.
scenario() {
  node --test-reporter=dot --test-reporter-destination=/dev/null tests/load/scenario.mjs "$@" \
    --server build/release/native-server/app/fluxora-server
}

# prepare_scenario ARGUMENT...: installs and builds what these arguments ask for; status 2 where they are wrong.
prepare_scenario() {
  local groups
  groups=$(node tests/load/scenario/options.mjs "$@") || return 2
  # shellcheck disable=SC2086  # words
  [ -z "$groups" ] || install_packages $groups
  install_node_packages
  install_node_packages tests/load
  if [ -n "$groups" ]; then build release fluxora-server >&2; fi
}

# shellcheck shell=bash
# The simulation's seeds, in two processes where there are many.

SIMULATION=build/dev/tests/simulation/fluxora_simulation

# simulate FROM COUNT: fails when a seed differs from the model; says which and how to replay it.
simulate() {
  local half=$(($2 / 2)) first status=0
  "$SIMULATION" --from "$1" --seeds "$half" &
  first=$!
  "$SIMULATION" --from $(($1 + half)) --seeds $(($2 - half)) || status=1
  wait "$first" || status=1
  return "$status"
}

simulate_kept() {
  "$SIMULATION" --kept tests/simulation/seeds.txt
}

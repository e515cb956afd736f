# shellcheck shell=bash
# The fuzzers of tests/fuzz. Briefly, from the seeds alone, with the same seed of randomness each time; with FUZZ_SECONDS
# that long each, and what a longer run has found to be of interest stays in .local/fuzz/corpus for the next one.

FUZZ_BRIEF_SECONDS=6
FUZZ_RUNS=1000000
FUZZ_INPUT_MAX=8192
DIFFERENTIAL_BRIEF_INPUTS=20000

fuzz_targets() {
  find build/fuzz/tests/fuzz -maxdepth 1 -type f -name 'fluxora_*_fuzz' -executable -printf '%f\n' | sed 's/^fluxora_//; s/_fuzz$//' | sort
}

# fuzz_seeds: the outside vectors as further seeds, where they are.
fuzz_seeds() {
  local vectors=${FLUXORA_VECTORS:-../shared/vectors}
  rm -rf "$scratch/fuzz-seeds"
  [ -d "$vectors" ] || { note "no $vectors: the project's own seeds only"; return 0; }
  node tests/fuzz/vector_seeds.mjs "$vectors" "$scratch/fuzz-seeds"
}

# run_fuzzer TARGET: its output stays in $scratch; what fails shows its end and how to run that input again.
run_fuzzer() {
  local target=$1 corpus=.local/fuzz/corpus/$1 output=$scratch/fuzz-$1.out limits folders status=0
  if [ -z "${FUZZ_SECONDS:-}" ]; then
    corpus=$scratch/fuzz-corpus/$target
    limits=(-seed=1 -runs="$FUZZ_RUNS" -max_total_time="$FUZZ_BRIEF_SECONDS")
  else
    limits=(-max_total_time="$FUZZ_SECONDS")
  fi
  mkdir -p "$corpus" .local/fuzz/crashes
  folders=("$corpus" "tests/fuzz/corpus/$target")
  if [ -d "$scratch/fuzz-seeds/$target" ]; then folders+=("$scratch/fuzz-seeds/$target"); fi
  ASAN_OPTIONS=allow_addr2line=1 "build/fuzz/tests/fuzz/fluxora_${target}_fuzz" "${limits[@]}" -max_len="$FUZZ_INPUT_MAX" \
    -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -dict="tests/fuzz/dictionaries/$target.dict" \
    -artifact_prefix=".local/fuzz/crashes/$target-" "${folders[@]}" >"$output" 2>&1 </dev/null || status=$?
  [ "$status" -ne 0 ] || return 0
  tail -n 60 "$output"
  printf 'again: build/fuzz/tests/fuzz/fluxora_%s_fuzz %s\n' "$target" \
    "$(sed -n 's/^.*Test unit written to //p' "$output" | tail -n 1)"
  return 1
}

# fuzz_runs TARGET
fuzz_runs() {
  sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/fuzz-$1.out"
}

# compare_native_and_wasm [PRESET]: the same calls to both, the same bytes from both.
compare_native_and_wasm() {
  node tests/fuzz/differential/compare.mjs --native "build/${1:-dev}"/tests/fuzz/differential/fluxora_differential \
    --modules wasm/package/dist/fluxora_core.wasm,wasm/package/dist/fluxora_verify.wasm,wasm/package/dist/fluxora_ed25519.wasm \
    --seed "${DIFFERENTIAL_SEED:-1}" --inputs "${DIFFERENTIAL_INPUTS:-$DIFFERENTIAL_BRIEF_INPUTS}"
}

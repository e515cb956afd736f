# shellcheck shell=bash
# Runs suites of tests and counts their cases. A suite that runs nothing, crashes, or ends in anger although no case
# failed counts as one failed case. What passes is one line; what fails is shown whole.

# A suite that takes longer hangs, and so does one file of tests.
SUITE_SECONDS=1800
FILE_SECONDS=900

# Reports, outputs and counts of one run.
scratch=.local/test

# For each suite a line "passed failed skipped" is added to this file; every part of the tests has its own.
part_counts=$scratch/part

# What goes before a test program's command, e.g. to run it with other settings of the kernel.
launcher=()

# add_counts NAME PASSED FAILED SKIPPED SECONDS
add_counts() {
  local line="$2 passed, $3 failed"
  [ "$4" -eq 0 ] || line+=", $4 skipped"
  printf '%s %s %s\n' "$2" "$3" "$4" >>"$part_counts"
  printf '    %-34s %s (%s s)\n' "$1" "$line" "$5"
}

# show FILE: all of it, but for lines that no one reads to their end (a program of one line, say, that didn't load).
show() { cut -c1-2000 "$1"; }

# settle NAME COUNTS_FILE STATUS SECONDS OUTPUT_FILE: what a suite's run comes to.
settle() {
  local name=$1 counts_file=$2 status=$3 seconds=$4 output=$5 passed failed skipped
  if ! read -r passed failed skipped 2>/dev/null <"$counts_file"; then
    show "$output"
    complain "$name wrote no result: it crashed, was killed or took over $SUITE_SECONDS s (status $status)"
    add_counts "$name" 0 1 0 "$seconds"
  elif [ $((passed + failed + skipped)) -eq 0 ]; then
    show "$output"
    complain "$name ran no test"
    add_counts "$name" 0 1 0 "$seconds"
  elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    show "$output"
    complain "$name ended with status $status although no case failed"
    add_counts "$name" "$passed" 1 "$skipped" "$seconds"
  else
    if [ "$failed" -gt 0 ]; then show "$output"; fi
    add_counts "$name" "$passed" "$failed" "$skipped" "$seconds"
  fi
}

# run_gtest NAME COMMAND...: a GoogleTest program. Its output stays in $scratch/NAME.out.
run_gtest() {
  local name=$1 status=0 started=$SECONDS
  shift
  rm -f "$scratch/$name."{json,out,counts}
  timeout "$SUITE_SECONDS" "${launcher[@]}" "$@" --gtest_output="json:$PWD/$scratch/$name.json" >"$scratch/$name.out" 2>&1 </dev/null || status=$?
  # Without a report, or with half of one, there are no counts, and settle says so.
  node scripts/lib/gtest_counts.mjs "$scratch/$name.json" "$scratch/$name.counts" 2>/dev/null || true
  settle "$name" "$scratch/$name.counts" "$status" $((SECONDS - started)) "$scratch/$name.out"
}

# run_node_tests NAME CONCURRENCY FILE_OR_FOLDER...: every *.test.js and *.test.mjs of these, in one run of node --test.
run_node_tests() {
  local name=$1 concurrency=$2 files=() status=0 started=$SECONDS
  shift 2
  mapfile -t files < <(find "$@" -name node_modules -prune -o -name '*.test.js' -print -o -name '*.test.mjs' -print 2>/dev/null | sort)
  rm -f "$scratch/$name."{out,counts}
  if [ ${#files[@]} -eq 0 ]; then
    complain "$name: no test file in $*"
    add_counts "$name" 0 1 0 0
    return 0
  fi
  TEST_COUNTS=$PWD/$scratch/$name.counts timeout "$SUITE_SECONDS" "${launcher[@]}" node --test --test-concurrency="$concurrency" --test-timeout="${FILE_SECONDS}000" \
    --test-reporter=./scripts/lib/node_test_reporter.mjs "${files[@]}" >"$scratch/$name.out" 2>&1 </dev/null || status=$?
  grep '^    skipped ' "$scratch/$name.out" || true
  settle "$name" "$scratch/$name.counts" "$status" $((SECONDS - started)) "$scratch/$name.out"
}

# check NAME COMMAND...: one case; the command's output is shown when it fails.
check() {
  local name=$1 output started=$SECONDS
  shift
  if output=$("$@" 2>&1); then
    add_counts "$name" 1 0 0 $((SECONDS - started))
  else
    printf '%s\n' "$output"
    add_counts "$name" 0 1 0 $((SECONDS - started))
  fi
}

# skip NAME REASON: a part that can't run here, as one skipped case.
skip() {
  note "skipped  $1: $2"
  add_counts "$1" 0 0 1 0
}

# sum_counts FILE...: "passed failed skipped" of all lines.
sum_counts() {
  cat "$@" 2>/dev/null | awk '{passed += $1; failed += $2; skipped += $3} END {print passed + 0, failed + 0, skipped + 0}'
}

# print_sum PREFIX FILE...: "N passed, N failed", and the skipped where there are any.
print_sum() {
  local prefix=$1 passed failed skipped line
  shift
  read -r passed failed skipped < <(sum_counts "$@")
  line="$passed passed, $failed failed"
  [ "$skipped" -eq 0 ] || line+=", $skipped skipped"
  printf '%s%s\n' "$prefix" "$line"
}

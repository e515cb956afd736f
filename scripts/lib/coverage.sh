# shellcheck shell=bash
# Line coverage: C++ by gcov, what runs in Node by its own counters, one report of both. Each area has its gate.

coverage=.local/coverage

# AREA PERCENT FOLDER...: the share of the folders' lines that the tests have to reach.
COVERAGE_GATES=(
  "core 95 core"
  "wasm 95 wasm/src wasm/package/src"
  "edge 95 edge/src"
  "server 90 native-server"
)

# begin_coverage: counts of an earlier run would be added to.
begin_coverage() {
  rm -rf "$coverage"
  mkdir -p "$coverage"
  find build/coverage -name '*.gcda' -delete
}

# cover_packages: the npm packages' own tests that run them in Node, which counts the lines.
cover_packages() {
  node --test --test-concurrency=1 --experimental-test-coverage \
    --test-reporter=lcov --test-reporter-destination="$coverage/packages.info" \
    --test-reporter=dot --test-reporter-destination=stdout tests/unit/wasm tests/unit/edge \
    tests/edge/{node_adapter,lambda_adapter,store_postgres,store_redis}.test.js
}

# read_counters: what the C++ programs counted, to $coverage/native.json, and pages that show the lines.
read_counters() {
  gcovr --root . --object-directory build/coverage -j "$(nproc)" --exclude-unreachable-branches \
    --filter core/ --filter wasm/src/ --filter native-server/ \
    --json-summary "$coverage/native.json" --html-details "$coverage/native.html" \
    build/coverage >"$coverage/gcovr.log" 2>&1 || { tail -n 40 "$coverage/gcovr.log"; return 1; }
}

# report_coverage: one table of both, to $coverage/index.html and the terminal; fails below a gate.
report_coverage() {
  node scripts/lib/coverage_report.mjs "$coverage" "${COVERAGE_GATES[@]}"
}

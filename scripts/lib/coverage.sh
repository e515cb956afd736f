# shellcheck shell=bash
# Line coverage of core by its own tests, the vectors and the properties.

CORE_LINES_PERCENT=97

# report_coverage: the table of files goes to .local/coverage/, the sum and the lines that no test reaches to the terminal.
report_coverage() {
  local folder=.local/coverage
  mkdir -p "$folder"
  gcovr --root . --object-directory build/coverage/core --filter core/ --exclude-unreachable-branches \
    --txt "$folder/core.txt" --html-details "$folder/core.html" --json-summary "$folder/core.json" \
    build/coverage/core build/coverage/tests/unit/core >"$folder/gcovr.log" 2>&1 || { cat "$folder/gcovr.log"; return 1; }
}

# core_lines_percent: as gcovr's summary has it.
core_lines_percent() {
  node -p 'JSON.parse(require("node:fs").readFileSync(".local/coverage/core.json", "utf8")).line_percent'
}

core_is_covered() {
  cat .local/coverage/core.txt
  node -e 'process.exit(Number(process.argv[1]) >= Number(process.argv[2]) ? 0 : 1)' "$(core_lines_percent)" "$CORE_LINES_PERCENT"
}

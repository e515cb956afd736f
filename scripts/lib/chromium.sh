# shellcheck shell=bash
# Which Chromium the page is looked at with.

# use_chromium: sets CHROMIUM to the path of a Chromium that can run headless.
use_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium google-chrome google-chrome-stable chromium-browser; do
    # Ubuntu's chromium-browser is a script that asks to install the snap.
    if [ -n "$name" ] && "$name" --version 2>/dev/null | grep -qE '^(Chromium|Google Chrome) [0-9]'; then
      CHROMIUM=$(command -v "$name")
      export CHROMIUM
      return 0
    fi
  done
  return 1
}

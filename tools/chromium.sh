#!/usr/bin/env bash
# Sees to it that there is a Chromium for the tests of the pages, and says where. Root on Debian installs it where it is
# missing, with a font; anybody else is told what to do, and only a CI machine (CI is set) fails for it.
# With --find nothing is installed, and it fails where there is none.
set -euo pipefail

found() {
  for each in "${COUNTERSIGN_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable chrome \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    # Ubuntu's package is a placeholder for a snap: only what tells its version is a browser.
    if [ -n "$each" ] && path=$(command -v "$each") && "$path" --version >/dev/null 2>&1; then
      echo "$path"
      return 0
    fi
  done
  return 1
}

installed() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  echo "installing Chromium with apt-get ..." >&2
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -q && apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core; } >&2
}

found && exit 0
[ "${1:-}" != "--find" ] && installed && found && exit 0
cat >&2 <<'TEXT'
There is no Chromium for the tests of the pages. Install one (Debian: sudo apt-get install chromium fonts-dejavu-core;
elsewhere: Google Chrome will do) or set COUNTERSIGN_CHROMIUM to the path of one. They are skipped without
it, but where CI is set they fail.
TEXT
[ "${1:-}" != "--find" ] && [ -z "${CI:-}" ]

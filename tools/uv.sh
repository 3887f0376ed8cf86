#!/usr/bin/env bash
# Run uv: the one on the PATH, or one of our own in .tools (made with Python's venv) where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
if command -v uv >/dev/null 2>&1; then exec uv "$@"; fi
if [ ! -x .tools/bin/uv ]; then
  python=$(command -v python3.13 || command -v python3.12 || command -v python3.11 || command -v python3 || true)
  [ -n "$python" ] || { echo "Python 3.11 or newer is needed, and there is none. Install it, then run this again." >&2; exit 1; }
  echo "uv is missing: installing it into .tools" >&2
  if ! "$python" -m venv .tools >/dev/null 2>&1; then
    # Debian keeps venv's pip in a package of its own.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null && "$python" -m venv --clear .tools
    else
      echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1
    fi
  fi
  .tools/bin/python -m pip install --quiet --disable-pip-version-check uv
fi
exec .tools/bin/uv "$@"

#!/usr/bin/env bash
# Refuse what must not stand in the repository: addresses in lock files and absolute paths of one machine.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0
if grep -nE 'https?://|--index|--find-links|file:' requirements*.lock; then
  echo "A lock file holds an address: make it with 'make lock'." >&2; bad=1
fi
if git grep -nIE '(^|[^A-Za-z])/(home|root|Users)/[A-Za-z]' -- . ':!tools/no-addresses.sh' ':!*.lock'; then
  echo "A path of one machine stands in a file." >&2; bad=1
fi
exit $bad

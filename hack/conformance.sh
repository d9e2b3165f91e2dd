#!/usr/bin/env bash
# Runs the driver suite against a running media server: make conformance DRIVER=... URL=...
#
# Credentials come from the environment (USHER_USERNAME, USHER_PASSWORD, USHER_EMAIL, USHER_TOKEN, USHER_DATABASE_URL),
# where no list of processes shows them. docs/adding-a-media-server.md says the rest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ -n "${USHER_DRIVER:-}" ] && [ -n "${USHER_URL:-}" ] || {
  echo "usage: USHER_USERNAME=... USHER_PASSWORD=... USHER_MEDIA_ROOT=... make conformance DRIVER=embedded URL=http://127.0.0.1:3000 [ONLY=R5,R6] [RECORD=directory]" >&2
  exit 2
}
if [ -n "${USHER_RECORD:-}" ]; then
  mkdir -p "$USHER_RECORD"
  USHER_RECORD=$(realpath "$USHER_RECORD")
  export USHER_RECORD
fi

mkdir -p bin
go test -c -o bin/conformance.test ./internal/media/conformance
exec bin/conformance.test -test.run '^TestLive$' -test.timeout 60m -test.count 1

#!/usr/bin/env bash
# Runs all tests with the race detector, on a real control plane. Arguments go to go test.
#
# USHER_CI_REQUIRE=1 says that nothing may be skipped for want of something, and that no cached result counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

KUBEBUILDER_ASSETS=$(hack/controlplane.sh)
export KUBEBUILDER_ASSETS
[ -z "${USHER_CI_REQUIRE:-}" ] || set -- -count=1 "$@"

# Each test has databases that sync what is written to disk, and that nobody needs afterwards. They are kept in memory, where
# there is enough of it and programs may run from there: under one name, so that go test still knows its results again. What
# a run leaves that was killed is swept a day later. The compiler's files, which are large, stay where they are.
in_memory() {
  local shm=/dev/shm dir
  [ -d "$shm" ] && [ -w "$shm" ] || return 0
  [ "$(df -Pk "$shm" | awk 'NR == 2 { print $4 }')" -ge $((4 * 1024 * 1024)) ] || return 0
  dir=$shm/usher-tests-$(id -u)
  mkdir -p "$dir" && [ -O "$dir" ] && [ ! -L "$dir" ] || return 0
  chmod 711 "$dir" # PostgreSQL runs as another user
  printf '#!/bin/sh\n' >"$dir/probe.$$" && chmod +x "$dir/probe.$$"
  if "$dir/probe.$$" 2>/dev/null; then
    GOTMPDIR=$(dirname "$log")
    export GOTMPDIR TMPDIR="$dir"
  fi
  rm -f "$dir/probe.$$"
  find "$dir" -mindepth 1 -maxdepth 1 -mmin +1440 -exec rm -rf {} +
}

log=$(mktemp)
start=$SECONDS
# Compiling with the race detector takes minutes on a cold machine, in which go test says nothing.
(while sleep 30; do echo "... $((SECONDS - start)) s, $(grep -c '^ok' "$log" || true) packages done"; done) &
ticker=$!
trap 'kill "$ticker" 2>/dev/null || true; rm -f "$log"' EXIT
in_memory

# SQLite here is C that was translated to Go: watching each of its accesses and pointers takes most of the time of whoever
# uses it, and finds nothing of ours. All that calls it is watched.
unwatched=('-gcflags=modernc.org/sqlite/lib=-race=false -d=checkptr=0' '-gcflags=modernc.org/libc/...=-d=checkptr=0')

echo "go test -race ./... (compiles first)"
status=0
go test -race "${unwatched[@]}" -timeout 30m "$@" ./... 2>&1 | grep --line-buffered -v '\[no test files\]$' | tee "$log" || status=$?
kill "$ticker" 2>/dev/null || true

passed=$(grep -c '^ok' "$log" || true)
failed=$(grep -c '^FAIL[[:space:]]' "$log" || true)
echo "in $((SECONDS - start)) s, by package:"
echo "packages: $passed passed, $failed failed"
[ "$status" -eq 0 ] && [ "$passed" -gt 0 ]

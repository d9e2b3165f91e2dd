#!/usr/bin/env bash
# Runs all tests with the race detector, on a real control plane. Arguments go to go test.
#
# USHER_CI_REQUIRE=1 says that nothing may be skipped for want of something, and that no cached result counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

KUBEBUILDER_ASSETS=$(hack/controlplane.sh)
export KUBEBUILDER_ASSETS
[ -z "${USHER_CI_REQUIRE:-}" ] || set -- -count=1 "$@"

log=$(mktemp)
start=$SECONDS
# Compiling with the race detector takes minutes on a cold machine, in which go test says nothing.
(while sleep 30; do echo "... $((SECONDS - start)) s, $(grep -c '^ok' "$log" || true) packages done"; done) &
ticker=$!
trap 'kill "$ticker" 2>/dev/null || true; rm -f "$log"' EXIT

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

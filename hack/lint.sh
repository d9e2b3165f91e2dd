#!/usr/bin/env bash
# Checks what a reader should not have to: format, vet, staticcheck, shell scripts, and what must not be committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0
# A check fails by its exit status or by anything it says, except what Go downloads on the way.
check() {
  local name=$1 out
  shift
  if out=$("$@" 2>&1 | sed '/^go: downloading /d') && [ -z "$out" ]; then
    printf 'ok    %s\n' "$name"
  else
    printf 'FAIL  %s\n%s\n' "$name" "$out"
    failed=1
  fi
}

# Files that are committed or would be.
files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done; }

format() { files '*.go' | xargs gofmt -l; }
scripts() { { files '*.sh'; echo .ci/run; } | while read -r file; do bash -n "$file"; done; }

# A path of somebody's machine in a file works nowhere else, and tells who they are.
machine_paths() {
  local here
  here=$(pwd)
  # Some media servers have routes below /Users.
  { files ':!docs/contracts/' ':!internal/media/jellyfin/' | xargs grep -nIE '(^|[^A-Za-z0-9_.-])/(root|work|Users|home/[a-z]+)/[A-Za-z0-9.]' || true
    files docs/contracts/ internal/media/jellyfin/ | xargs grep -nIE '(^|[^A-Za-z0-9_.-])/(root|work|Users/[a-z]+|home/[a-z]+)/[A-Za-z0-9.]' || true
    files | xargs grep -nIF -e "$here" -e "$(go env GOMODCACHE)" -e "$(go env GOCACHE)" || true; } | cut -c1-200 | head -n 20
}

staticcheck() { go tool -modfile=hack/tools/go.mod staticcheck ./...; }

check "gofmt" format
check "shell scripts" scripts
check "no machine paths" machine_paths
check "go vet" go vet ./...
check "staticcheck" staticcheck
exit "$failed"

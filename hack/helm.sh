#!/usr/bin/env bash
# Gets Helm, built from source through the Go module proxy once a machine and version (two minutes on two cores), and prints the
# path of the program (progress goes to stderr). USHER_HELM names one that is there already.
#
# USHER_CACHE moves the cache (default: the user's cache folder, usher/ within), which hack/cluster shares.
set -euo pipefail

if [ -n "${USHER_HELM:-}" ]; then
  echo "$USHER_HELM"
  exit 0
fi
module=$(cd "$(dirname "${BASH_SOURCE[0]}")/cluster/helm" && pwd)
cache=${USHER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/usher}/cluster
folder=$cache/helm-$(sha256sum <"$module/go.mod" | cut -c1-12)-$(go env GOOS)-$(go env GOARCH)
if [ ! -x "$folder/helm" ]; then
  version=$(cd "$module" && GOFLAGS=-mod=mod go list -m -f '{{.Version}}' helm.sh/helm/v4)
  echo "helm: building $version from source: two minutes on two cores, once" >&2
  mkdir -p "$cache"
  scratch=$(mktemp -d "$cache/build.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  (cd "$module" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$scratch/helm" \
    -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=$version" helm.sh/helm/v4/cmd/helm)
  chmod 755 "$scratch"
  mv -T "$scratch" "$folder" 2>/dev/null || [ -x "$folder/helm" ] # whole, or not at all; somebody else may have been faster
fi
echo "$folder/helm"

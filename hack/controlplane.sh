#!/usr/bin/env bash
# Gets kube-apiserver, etcd and kubectl, and prints the folder that holds them (progress goes to stderr).
#
# Taken from the first of these that has them:
#   1. KUBEBUILDER_ASSETS, when it is set (it must then hold all three);
#   2. this project's cache;
#   3. the prebuilt download that setup-envtest makes;
#   4. a build from source through the Go module proxy (8 to 17 minutes on two cores, once a machine).
#
# USHER_CACHE moves the cache (default: the user's cache folder, usher/ within).
# CONTROLPLANE_SOURCE=build or =download insists on way 4 or 3.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/compile.sh"
module=$here/controlplane
version=$(cd "$module" && GOFLAGS=-mod=mod go list -m -f '{{.Version}}' k8s.io/kubernetes)
staging=v0.${version#v1.}
platform=$(go env GOOS)-$(go env GOARCH)
cache=${USHER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/usher}
target=$cache/controlplane/$version-$platform

say() { printf 'control plane: %s\n' "$*" >&2; }

has_all() { [ -x "$1/kube-apiserver" ] && [ -x "$1/etcd" ] && [ -x "$1/kubectl" ]; }

# publish moves a finished folder into place at once, so that a half-made one is never used.
publish() {
  mkdir -p "$(dirname "$target")"
  rm -rf "$target"
  mv "$1" "$target"
}

download() {
  local minor scratch found
  minor=$(echo "${version#v}" | cut -d. -f1,2)
  scratch=$(mktemp -d "$cache/download.XXXXXX")
  say "asking for the prebuilt $minor binaries ..."
  if found=$(cd "$here/tools" && timeout "${CONTROLPLANE_DOWNLOAD_SECONDS:-300}" \
      go tool setup-envtest use "$minor.x" --bin-dir "$scratch" -p path 2>"$scratch/log") && has_all "$found"; then
    mkdir "$scratch/ready"
    cp "$found/kube-apiserver" "$found/etcd" "$found/kubectl" "$scratch/ready/"
    publish "$scratch/ready"
    rm -rf "$scratch"
    return 0
  fi
  say "no prebuilt binaries: $(tail -n 1 "$scratch/log" | cut -c1-200)"
  chmod -R u+w "$scratch" && rm -rf "$scratch"
  return 1
}

build() {
  local start=$SECONDS
  scratch=$(mktemp -d "$cache/build.XXXXXX")
  trap 'rm -rf "${scratch:-}"' EXIT
  say "building Kubernetes $version (staging modules $staging) and etcd from source: 8 to 17 minutes on two cores, once"
  say "downloading the modules ..."
  (cd "$module" && go mod download)
  export CGO_ENABLED=0
  kubernetes_version "$version"
  compile "$module" go.etcd.io/etcd/server/v3 "$scratch/etcd" "${flags[@]}"
  compile "$module" k8s.io/kubernetes/cmd/kubectl "$scratch/kubectl" "${flags[@]}"
  compile "$module" k8s.io/kubernetes/cmd/kube-apiserver "$scratch/kube-apiserver" "${flags[@]}"
  publish "$scratch"
  say "built in $((SECONDS - start)) s"
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  if ! has_all "$KUBEBUILDER_ASSETS"; then
    say "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks kube-apiserver, etcd or kubectl: mend it, or unset it and this script gets them"
    exit 1
  fi
  echo "$KUBEBUILDER_ASSETS"
  exit 0
fi

mkdir -p "$cache"
if ! has_all "$target"; then
  case ${CONTROLPLANE_SOURCE:-} in
    build) build ;;
    download) download ;;
    *) download || build ;;
  esac
  say "ready in $target"
fi
echo "$target"

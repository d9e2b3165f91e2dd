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

# build_one compiles one main package and counts the packages as they are done.
build_one() {
  local name=$1 package=$2 out=$3 total
  total=$(cd "$module" && go list -deps "$package" | wc -l)
  say "building $name from source ($total packages; those built before are not counted again)"
  (cd "$module" && CGO_ENABLED=0 go build -v -trimpath -o "$out/$name" -ldflags "-s -w \
      -X k8s.io/component-base/version.gitVersion=$version \
      -X k8s.io/component-base/version.gitMajor=1 \
      -X k8s.io/component-base/version.gitMinor=$(echo "$version" | cut -d. -f2) \
      -X k8s.io/component-base/version.gitTreeState=clean" "$package" 2>&1) |
    awk -v name="$name" -v total="$total" '
      /^[a-z0-9.\/_-]+$/ { n++; if (n % 100 == 0) { printf "control plane:   %s: %d of at most %d packages\n", name, n, total > "/dev/stderr"; fflush("/dev/stderr") } ; next }
      { print > "/dev/stderr" }'
}

build() {
  local start=$SECONDS
  scratch=$(mktemp -d "$cache/build.XXXXXX")
  trap 'rm -rf "${scratch:-}"' EXIT
  say "building Kubernetes $version (staging modules $staging) and etcd from source: 8 to 17 minutes on two cores, once"
  say "downloading the modules ..."
  (cd "$module" && go mod download)
  build_one etcd go.etcd.io/etcd/server/v3 "$scratch"
  build_one kubectl k8s.io/kubernetes/cmd/kubectl "$scratch"
  build_one kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver "$scratch"
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

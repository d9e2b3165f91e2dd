#!/usr/bin/env bash
# Gets what a node of Kubernetes needs; prints the folder that holds it together with Helm (hack/helm.sh) and the control plane
# (hack/controlplane.sh). Progress goes to stderr. All is built from source through the Go module proxy, once a machine and version.
#
# USHER_CACHE moves the cache (default: the user's cache folder, usher/ within).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../compile.sh"
say() { printf 'cluster: %s\n' "$*" >&2; }

cache=${USHER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/usher}/cluster
platform=$(go env GOOS)-$(go env GOARCH)
started=$SECONDS

# version_of MODULE PATH is the version of a module that another one requires.
version_of() { (cd "$1" && GOFLAGS=-mod=mod go list -m -f '{{.Version}}' "$2"); }

# make_set NAME FUNCTION FILE...: a folder of programs, named by what the files say that they are built from.
make_set() {
  local name=$1 make=$2 key scratch
  shift 2
  key=$(cat "$@" | sha256sum | cut -c1-12)
  made=$cache/$name-$key-$platform
  [ ! -d "$made" ] || return 0
  scratch=$(mktemp -d "$cache/build.XXXXXX")
  "$make" "$scratch"
  mv -T "$scratch" "$made" # whole, or not at all
  say "$name is ready, $((SECONDS - started)) s after the start"
}

make_node() {
  local module=$here/../controlplane version program
  version=$(version_of "$module" k8s.io/kubernetes)
  kubernetes_version "$version"
  CGO_ENABLED=0 compile "$module" ./node "$1/node" "${flags[@]}"
  for program in kube-controller-manager kube-proxy kube-scheduler kubelet; do ln -s node "$1/$program"; done
}

make_runtime() {
  local module=$here/runtime plugin
  local containerd=github.com/containerd/containerd/v2
  local stamp="-X $containerd/version.Version=$(version_of "$module" $containerd)"
  CGO_ENABLED=1 compile "$module" github.com/opencontainers/runc "$1/runc" -tags seccomp \
    -ldflags "-s -w -X main.version=$(version_of "$module" github.com/opencontainers/runc | tr -d v)"
  for plugin in main/bridge main/loopback ipam/host-local meta/portmap; do
    CGO_ENABLED=0 compile "$module" "github.com/containernetworking/plugins/plugins/$plugin" "$1/${plugin##*/}" -ldflags '-s -w'
  done
  CGO_ENABLED=0 compile "$module" $containerd/cmd/containerd-shim-runc-v2 "$1/containerd-shim-runc-v2" -ldflags "-s -w $stamp"
  CGO_ENABLED=0 compile "$module" $containerd/cmd/containerd "$1/containerd" -tags no_btrfs,no_devmapper,no_zfs -ldflags "-s -w $stamp"
}

mkdir -p "$cache"
trap 'rm -rf "${scratch:-}"' EXIT
sets=("$("$here/../controlplane.sh")")
make_set runtime make_runtime "$here/runtime/go.mod"
sets+=("$made")
sets+=("$(dirname "$("$here/../helm.sh")")")
make_set node make_node "$here/../controlplane/go.mod" "$here/../controlplane/node/main.go"
sets+=("$made")

# One folder with links to all of them, for as long as none of them changes.
all=$cache/all-$(printf '%s\n' "${sets[@]}" | sha256sum | cut -c1-12)
if [ ! -d "$all" ]; then
  scratch=$(mktemp -d "$cache/all.XXXXXX")
  for set in "${sets[@]}"; do ln -s "$set"/* "$scratch/"; done
  mv -T "$scratch" "$all"
fi
echo "$all"

#!/usr/bin/env bash
# Writes what a release consists of into a folder: release.sh FOLDER [IMAGE]
#
#   usher-VERSION.tgz          the chart, with IMAGE in its values
#   install.yaml               all that a cluster needs, with IMAGE
#   install-namespaced.yaml    the operator for one namespace, with IMAGE
#   crds.yaml                  the kinds, their policies and the roles for people
#   CHANGELOG.md               what changed
#   SHA256SUMS                 of all files
#
# IMAGE is repository[:tag][@sha256:digest]; without it, everything names the image usher with the version as its tag.
# Each program in hack/release.d (or the folder RELEASE_HOOKS) adds what it makes, such as the image: it is run with FOLDER, VERSION
# and IMAGE.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${1:?which folder? release.sh FOLDER [IMAGE]}
version=$(cat internal/version/VERSION)
image=${2:-usher:$version}
say() { printf 'release: %s\n' "$*" >&2; }

repository=${image%%@*} digest='' tag=''
case $image in *@*) digest=${image#*@} ;; esac
case ${repository##*/} in *:*) tag=${repository##*:} repository=${repository%:*} ;; esac
[ -n "$tag$digest" ] || { tag=$version image=$image:$version; }

kubectl=${kubectl:-kubectl}
command -v "$kubectl" >/dev/null || kubectl=$(hack/controlplane.sh)/kubectl
helm=$(hack/helm.sh)
mkdir -p "$folder"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# set_value KEY VALUE sets a key of `image` in the copied values.
set_value() {
  [ "$(grep -c "^  $1: " "$scratch/image")" = 1 ] || { say "values.yaml has not one image.$1"; exit 1; }
  sed -i.before "/^image:/,/^[a-z#]/ s|^  $1: .*|  $1: \"$2\"|" "$scratch/usher/values.yaml"
  rm "$scratch/usher/values.yaml.before"
}

cp -R charts/usher "$scratch/usher"
sed -n '/^image:/,/^[a-z#]/p' charts/usher/values.yaml | grep '^  ' >"$scratch/image"
set_value repository "$repository"
set_value tag "$tag"
set_value digest "$digest"
"$helm" package "$scratch/usher" --version "$version" --app-version "$version" --destination "$folder" >&2

named() { sed "s|image: usher:latest\$|image: $image|"; }
"$kubectl" kustomize config/default | named >"$folder/install.yaml"
"$kubectl" kustomize config/namespaced | named >"$folder/install-namespaced.yaml"
{
  "$kubectl" kustomize config/crd
  for role in viewer editor administrator; do printf -- '---\n'; cat "config/rbac/${role}_role.yaml"; done
} >"$folder/crds.yaml"

section=$version
case $version in *-*) section=Unreleased ;; esac
awk -v section="$section" '/^## / { inside = index($0, "## " section) == 1 || index($0, "## [" section) == 1 } inside' CHANGELOG.md >"$folder/CHANGELOG.md"
[ -s "$folder/CHANGELOG.md" ] || { say "CHANGELOG.md has no section $section"; exit 1; }

for more in "${RELEASE_HOOKS:-hack/release.d}"/*; do
  [ -f "$more" ] && [ -x "$more" ] || continue
  say "$more"
  "$more" "$folder" "$version" "$image"
done
(cd "$folder" && find . -type f ! -name "SHA256SUMS*" | LC_ALL=C sort | sed 's|^\./||' | while read -r file; do sha256sum "$file"; done >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
say "version $version with image $image is in $folder"

#!/usr/bin/env bash
# Fails when the files that `make generate manifests` has just written differ from those committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

generated=(api/v1alpha1/zz_generated.deepcopy.go config/crd config/rbac/role.yaml charts/usher)
git diff --exit-code -- "${generated[@]}" || {
  echo "generated files are out of date: run make generate manifests, and commit them"
  exit 1
}
untracked=$(git ls-files --others --exclude-standard -- "${generated[@]}")
if [ -n "$untracked" ]; then
  printf 'generated files are not committed:\n%s\n' "$untracked"
  exit 1
fi
echo "generated files are up to date"

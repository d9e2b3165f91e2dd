#!/usr/bin/env bash
# Enumerates faults (test/faults) on a real control plane, and says how much it tried. Arguments go to the test binary,
# for example: hack/faults.sh -test.run=TestRandomSequences
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

KUBEBUILDER_ASSETS=$(hack/controlplane.sh)
export KUBEBUILDER_ASSETS USHER_FAULTS=full
mkdir -p bin
echo "building the tests"
go test -c -o bin/faults.test ./test/faults
cd test/faults
exec ../../bin/faults.test -test.timeout=30m "$@"

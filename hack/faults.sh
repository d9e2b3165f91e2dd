#!/usr/bin/env bash
# Enumerates faults on a real control plane, of redemptions (internal/redeem) and of everything else (test/faults), and
# says how much it tried. With arguments, only the latter, and they go to the test binary; for example:
# hack/faults.sh -test.run=TestRandomSequences
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

KUBEBUILDER_ASSETS=$(hack/controlplane.sh)
export KUBEBUILDER_ASSETS USHER_FAULTS=full
mkdir -p bin
echo "building the tests"
go test -c -o bin/faults.test ./test/faults
if [ $# -eq 0 ]; then
  go test -c -o bin/redeem.test ./internal/redeem
  (cd internal/redeem && ../../bin/redeem.test -test.timeout=10m -test.run='^(TestCrashPoints|TestAPlaceIsKept|TestRace)$')
fi
cd test/faults
exec ../../bin/faults.test -test.timeout=30m "$@"

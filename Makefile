# Usher. `make help` says what there is.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The tools are pinned in a module of their own.
tool = go tool -modfile=hack/tools/go.mod
kubectl ?= kubectl

##@ Try it

.PHONY: quickstart
quickstart: ## Start everything on this machine, apply config/samples, prove who sees what (ONCE=1: prove it and exit)
	@mkdir -p bin
	@echo "  … building bin/quickstart (the first time: about a minute)"
	@go build -o bin/quickstart ./hack/quickstart
	@exec bin/quickstart $(if $(filter-out 0 false,$(ONCE)),--once)

##@ Work on it

.PHONY: help
help: ## Show this
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

.PHONY: build
build: ## Build the operator and the media server into bin/
	go build -trimpath -o bin/ ./cmd/...

.PHONY: test
test: ## Run all tests with the race detector, on a real control plane
	@hack/test.sh

.PHONY: faults
faults: ## Let every write fail in turn, events be late, bugs be planted: everything must end well (under 20 minutes)
	@hack/faults.sh

.PHONY: bench
bench: ## Measure speed, counts and memory against their budgets (N=200: quick; CHECK=1: fail on counts; PROFILE=dir)
	@mkdir -p bin
	@go build -o bin/bench ./hack/bench
	@exec bin/bench --users $(or $(N),1000) $(if $(filter-out 0 false,$(CHECK)),--check) $(if $(PROFILE),--profile '$(PROFILE)')

.PHONY: e2e-shisho
e2e-shisho: ## Prove Usher on the Shisho at URL= (USHER_SHISHO_USERNAME, USHER_SHISHO_PASSWORD: an admin's)
	@[ -n "$(URL)" ] || { echo 'which server? make e2e-shisho URL=http://127.0.0.1:3689' >&2; exit 2; }
	@KUBEBUILDER_ASSETS=$$(hack/controlplane.sh) USHER_SHISHO_E2E_URL='$(URL)' go test -count=1 -v -run '^TestShishoLive$$' ./test/e2e

.PHONY: e2e-cluster
e2e-cluster: ## Prove image and chart on a Kubernetes of one node, made here and ended again (Linux, root; FROM=commit: upgrade from it)
	@mkdir -p bin
	@go build -o bin/cluster ./hack/cluster
	@exec bin/cluster $(if $(FROM),--from '$(FROM)') $(if $(filter-out 0 false,$(KEEP)),--keep)

.PHONY: lint
lint: ## Check format, go vet, staticcheck, shell scripts, no machine paths
	@hack/lint.sh

.PHONY: conformance
conformance: ## Test a driver on a running server: DRIVER=embedded URL=... [ONLY=R5,R6] [RECORD=dir]; credentials in USHER_*
	@USHER_DRIVER='$(DRIVER)' USHER_URL='$(URL)' USHER_RECORD='$(RECORD)' USHER_ONLY='$(ONLY)' hack/conformance.sh

.PHONY: generate
generate: ## Generate the DeepCopy methods of the kinds
	$(tool) controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: ## Generate config/crd/bases, config/rbac/role.yaml from the markers of the controllers, and what the chart has of them
	$(tool) controller-gen crd paths=./api/... output:crd:dir=config/crd/bases
	$(tool) controller-gen rbac:roleName=usher-manager paths=./internal/controller/... output:rbac:dir=config/rbac
	cp config/rbac/role.yaml internal/app/role.yaml
	go run ./hack/chart

.PHONY: check-generated
check-generated: generate manifests ## Fail when generated files differ from what is committed
	@hack/check-generated.sh

.PHONY: controlplane
controlplane: ## Get kube-apiserver, etcd and kubectl: once a machine, up to 17 minutes where they must be built
	@hack/controlplane.sh

.PHONY: clean
clean: ## Remove what make builds here (the control plane in the user's cache stays)
	rm -rf bin .quickstart

##@ Use it

.PHONY: install
install: ## Install the kinds, roles and admission policies into the cluster of the current kubectl context
	$(kubectl) apply --server-side --force-conflicts -k config/crd
	$(kubectl) apply --server-side --force-conflicts -f config/rbac/viewer_role.yaml -f config/rbac/editor_role.yaml -f config/rbac/administrator_role.yaml

.PHONY: image
image: ## Build the container image for amd64 and arm64 into bin/image, without a container engine (PUSH=registry/usher:tag: push it)
	@go run ./hack/image $(if $(PUSH),--push '$(PUSH)')

.PHONY: build-installer
build-installer: ## Write all that a cluster needs into dist/install.yaml (IMG=registry/usher:tag)
	@mkdir -p dist
	@$(kubectl) kustomize config/default | sed 's|image: usher:latest$$|image: $(or $(IMG),usher:latest)|' >dist/install.yaml
	@echo "  ✓ dist/install.yaml: kubectl apply --server-side -f dist/install.yaml"

.PHONY: release
release: ## Write what a release consists of into dist/: image, chart, manifests, changelog, checksums (IMG=registry/usher:tag@sha256:...)
	@hack/release.sh dist $(IMG)

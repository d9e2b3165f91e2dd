// Package manifests writes a household as a folder that people keep in Git: commented YAML, a kustomization, and a README with the
// next commands. Read reads one back.
package manifests

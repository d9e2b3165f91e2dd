// Package node runs a Kubernetes of one node on a bare Linux machine: without a container engine, as root, in namespaces and
// cgroups of its own. The machine's mounts, addresses, firewall and settings stay as they are, and ending one process ends all.
package node

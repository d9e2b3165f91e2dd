package node

import (
	"fmt"
	"path/filepath"
)

// DNS is where the node's pods ask for names: its own address, on which ServeDNS listens.
const DNS = Address + ":53"

// containerd's socket lies on the tmpfs that setUp mounts: it is not there after a restart of the machine either.
const socket = "/run/containerd/containerd.sock"

func (n *Node) kubeconfig(name string) string { return "--kubeconfig=" + n.path("kubeconfig", name) }

// control are the components that keep the cluster's state.
func (n *Node) control() []component {
	pki := n.path("pki")
	return []component{
		{"etcd", []string{
			"--data-dir=" + n.path("etcd"), "--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
			"--listen-peer-urls=http://127.0.0.1:2380", "--unsafe-no-fsync", "--log-level=warn",
		}},
		{"kube-apiserver", []string{
			"--etcd-servers=http://127.0.0.1:2379", "--cert-dir=" + pki, "--bind-address=" + Address, "--advertise-address=" + Address,
			"--secure-port=6443", "--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=Node,RBAC",
			"--token-auth-file=" + filepath.Join(pki, "tokens.csv"), "--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + filepath.Join(pki, "sa.pub"), "--service-account-signing-key-file=" + filepath.Join(pki, "sa.key"),
			"--allow-privileged=true", "--kubelet-preferred-address-types=InternalIP", "--enable-admission-plugins=NodeRestriction",
		}},
	}
}

// workers are the components that run pods.
func (n *Node) workers() []component {
	return []component{
		{"containerd", []string{"--config=" + n.path("containerd.toml")}},
		{"kube-controller-manager", []string{
			n.kubeconfig("controller-manager"), "--leader-elect=false", "--root-ca-file=" + n.path("pki", "apiserver.crt"),
			"--service-account-private-key-file=" + n.path("pki", "sa.key"), "--use-service-account-credentials",
			"--cluster-cidr=10.244.0.0/16", "--allocate-node-cidrs=true", "--bind-address=127.0.0.1", "--cert-dir=" + n.path("pki", "manager"),
		}},
		{"kube-scheduler", []string{n.kubeconfig("scheduler"), "--leader-elect=false", "--bind-address=127.0.0.1", "--cert-dir=" + n.path("pki", "scheduler")}},
		{"kubelet", []string{
			"--config=" + n.path("kubelet.yaml"), n.kubeconfig("kubelet"), "--node-ip=" + Address, "--hostname-override=" + Name,
			"--root-dir=" + n.path("kubelet"), "--cert-dir=" + n.path("pki", "kubelet"),
		}},
		{"kube-proxy", []string{"--config=" + n.path("proxy.yaml")}},
	}
}

// configure writes the files that components are configured by.
func (n *Node) configure() error {
	return n.writeAll(map[string]string{
		"containerd.toml": fmt.Sprintf(`version = 3
root = %q
state = "/run/containerd"
[grpc]
  address = %q
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = %q
[plugins."io.containerd.cri.v1.runtime"]
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = [%q]
    conf_dir = %q
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      BinaryName = %q
      SystemdCgroup = false
[plugins."io.containerd.internal.v1.opt"]
  path = %q
`, n.path("containerd"), socket, n.Pause, n.Programs, n.path("cni"), filepath.Join(n.Programs, "runc"), n.path("opt")),
		"cni/10-bridge.conflist": fmt.Sprintf(`{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": %q, "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
`, n.path("addresses")),
		"resolv.conf": "nameserver " + Address + "\n",
		"kubelet.yaml": fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://%s
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
clusterDNS: [%s]
clusterDomain: cluster.local
resolvConf: %s
podLogsDir: /var/log/pods
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: "1%%", imagefs.available: "1%%", nodefs.inodesFree: "1%%"}
nodeStatusUpdateFrequency: 5s
`, socket, Address, n.path("resolv.conf")),
		"proxy.yaml": fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: %s}
mode: iptables
hostnameOverride: %s
bindAddress: 0.0.0.0
clusterCIDR: 10.244.0.0/16
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
`, n.path("kubeconfig", "proxy"), Name),
	})
}

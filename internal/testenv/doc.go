// Package testenv runs a real control plane (kube-apiserver and etcd, by envtest) with Usher's kinds, admission
// policies and roles in it: for the tests, and without the installation for the quickstart.
//
// A test package has one control plane, started when the first test asks for it:
//
//	func TestMain(m *testing.M) { testenv.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		env := testenv.Get(t)
//		namespace := env.Namespace(t)
//		...
//	}
//
// What it is not: there is no controller-manager, so nothing deletes the objects of a namespace or of an owner that
// is gone, nothing aggregates ClusterRoles, and no Secret with a token appears beside a ServiceAccount.
package testenv

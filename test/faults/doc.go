// Package faults holds the tests that enumerate what can go wrong between Kubernetes, Usher and a media server, and
// compare how it ends with a run in which nothing did:
//
//   - crash: for every scenario, the operator dies before or after each of its writes, loses the answer of each, or has
//     each refused;
//   - events: watch events are held back, a cache begins with an old state, an object is deleted and made again unseen;
//   - leader: another replica takes over in the middle of a creation;
//   - stripped: finalizers, records and statuses are taken away by hand;
//   - sequences: random operations against a model, with the server failing and edited by hand meanwhile: among them a prune
//     of everything, a restored cluster, a lost key, and backups of the server, older and newer ones by turns;
//   - planted: a bug of each class is built in, and must be found by the tests above.
//
// The oracle is the same everywhere. At every moment, after each write of the operator: nobody sees a library, or can
// sign in, that no revision of the manifests since the last quiet point gives; nobody loses what every one of them gives, or a
// password that nobody asked to change. In the end: links admit that a manifest opens, and no others; everybody sees exactly what
// the manifests give, every status keeps its contract, and two looks more write nothing, neither to the server nor to
// Kubernetes.
//
// `go test` runs a quick part; USHER_FAULTS=full (make faults) runs all of it and says how much that was.
package faults

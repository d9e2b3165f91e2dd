package access

// Target computes what an account's access list is to hold: the desired edges, and, with keepUnmanaged, what the
// account has now of libraries that no manifest declares (design D1). L and R are the server's ids and roles.
func Target[L comparable, R any](current, desired map[L]R, declared func(L) bool, keepUnmanaged bool) map[L]R {
	target := make(map[L]R, len(desired))
	if keepUnmanaged {
		for library, role := range current {
			if !declared(library) {
				target[library] = role
			}
		}
	}
	for library, role := range desired {
		target[library] = role
	}
	return target
}

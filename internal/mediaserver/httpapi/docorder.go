package httpapi

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// chapter is a part of the page: what one wants to do, and the operations for it.
type chapter struct {
	Tag, Title string
	Operations []documented
}

// chapters are the parts of the page in the order in which a newcomer needs them.
func chapters() []chapter {
	return []chapter{
		{Tag: "server", Title: "The server"}, {Tag: "auth", Title: "Sign in, and one's own account"},
		{Tag: "libraries", Title: "Libraries"}, {Tag: "items", Title: "Browse, search, play"},
		{Tag: "permissions", Title: "Who sees a library"}, {Tag: "members", Title: "Members and links of a library"},
		{Tag: "users", Title: "Users"}, {Tag: "roles", Title: "Roles"},
		{Tag: "invites", Title: "Invites"}, {Tag: "invitations", Title: "Follow an invite"},
		{Tag: "sharing", Title: "Public links"}, {Tag: "opds", Title: "The OPDS catalog"},
		{Tag: "dubby", Title: "As Dubby's apps call it"},
	}
}

// inChapters puts the operations into their chapters. What belongs to none comes last.
func inChapters(operations []documented) []chapter {
	all, more := chapters(), chapter{Tag: "more", Title: "More"}
	for _, operation := range operations {
		into := &more
		if i := slices.IndexFunc(all, func(c chapter) bool { return slices.Contains(operation.Tags, c.Tag) }); i >= 0 {
			into = &all[i]
		}
		into.Operations = append(into.Operations, operation)
	}
	return slices.DeleteFunc(append(all, more), func(c chapter) bool { return len(c.Operations) == 0 })
}

// operationsOf lists the operations at one path.
func operationsOf(path string, item *huma.PathItem) []documented {
	byMethod := []documented{
		{http.MethodGet, path, item.Get}, {http.MethodHead, path, item.Head}, {http.MethodPost, path, item.Post},
		{http.MethodPut, path, item.Put}, {http.MethodPatch, path, item.Patch}, {http.MethodDelete, path, item.Delete},
	}
	return slices.DeleteFunc(byMethod, func(d documented) bool { return d.Operation == nil })
}

// sorted orders operations by path, keeping the order of methods.
func sorted(operations []documented) []documented {
	slices.SortStableFunc(operations, func(a, b documented) int { return cmp.Compare(a.Path, b.Path) })
	return operations
}

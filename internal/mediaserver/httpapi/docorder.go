package httpapi

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

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

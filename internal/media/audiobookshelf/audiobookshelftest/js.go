package audiobookshelftest

import (
	"fmt"
	"strings"
)

// The server is written in JavaScript, and many of its traps are that language's: what counts as true, what has no
// members, what can be joined.

type object = map[string]any

// truthy says whether a value counts as true: an empty list does.
func truthy(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case float64:
		return v != 0
	}
	return true
}

// member reads a member of a value; of null, that ends the process.
func member(of any, name string) any {
	switch v := of.(type) {
	case object:
		return v[name]
	case nil:
		panic(crash{"cannot read " + name + " of null"})
	}
	return nil
}

// either is the first of two values that counts as true, or else the second.
func either(a, b any) any {
	if truthy(a) {
		return a
	}
	return b
}

// texts is a list of nothing but texts; false for anything else.
func texts(value any) ([]string, bool) {
	list, ok := value.([]any)
	if !ok {
		return nil, false
	}
	all := []string{}
	for _, one := range list {
		word, ok := one.(string)
		if !ok {
			return nil, false
		}
		all = append(all, word)
	}
	return all, true
}

// joined is a stored list in one text; what is no list has no such method, and the process ends.
func joined(value any) string {
	list, ok := value.([]any)
	if !ok {
		panic(crash{fmt.Sprintf("%T is not a function: join", value)})
	}
	words := make([]string, 0, len(list))
	for _, one := range list {
		words = append(words, fmt.Sprint(one))
	}
	return strings.Join(words, ",")
}

func anys(list []string) []any {
	all := make([]any, 0, len(list))
	for _, one := range list {
		all = append(all, one)
	}
	return all
}

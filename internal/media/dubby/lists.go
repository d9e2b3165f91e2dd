package dubby

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	// pageSize is the server's largest (section 2).
	pageSize = 100
	// maxPages bounds a listing at a million entries.
	maxPages = 10_000
)

// The envelope of lists is not documented (section 2): an array, or an object that holds one. These names are known;
// an array may have any name if it is the only one.
var (
	listNames   = []string{"items", "data", "results"}
	cursorNames = []string{"nextCursor", "next_cursor", "cursor", "endCursor"}
	moreNames   = []string{"hasMore", "hasNextPage", "has_more"}
	totalNames  = []string{"total", "totalCount"}
	boxNames    = []string{"pagination", "pageInfo", "meta", "page"}
)

// What a name says of a value that is no text, whatever its exact form: that there is more after this page, or how many
// pages or entries there are.
var (
	continues = regexp.MustCompile(`(?i)next|more|contin|cursor|offset`)
	pages     = regexp.MustCompile(`(?i)pages?(count)?$`)
	counts    = regexp.MustCompile(`(?i)total|count`)
)

// page is one page of a list. Its envelope must be understood to the end: a cursor under a name that nobody knows would
// make a part of the list look like all of it (rule R4).
type page struct {
	items  []json.RawMessage
	cursor string
	// last and more: the page itself says that it is the last, or that it is not.
	last, more bool
	// total is what the server says that the whole list holds, -1 when it does not; atLeast, what some count says, which may
	// be of the page only.
	total, atLeast int
}

// UnmarshalJSON reads any of the envelopes.
func (p *page) UnmarshalJSON(raw []byte) error {
	p.total = -1
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, &p.items)
	}
	var envelope map[string]json.RawMessage
	if err := json.Unmarshal(raw, &envelope); err != nil {
		return err
	}
	if err := p.open(envelope, listKey(envelope)); err != nil {
		return err
	}
	if p.last {
		p.cursor = ""
	}
	return form(p.items != nil && (!p.more || p.cursor != ""))
}

// open reads an envelope: the list, and what is said of its continuation.
func (p *page) open(envelope map[string]json.RawMessage, list string) error {
	for name, raw := range envelope {
		var err error
		switch {
		case name == list:
			err = json.Unmarshal(raw, &p.items)
		case slices.Contains(cursorNames, name):
			err = p.readCursor(raw)
		case slices.Contains(moreNames, name):
			err = json.Unmarshal(raw, &p.more)
			p.last = !p.more
		case slices.Contains(totalNames, name):
			if err = json.Unmarshal(raw, &p.total); err == nil {
				p.atLeast = max(p.atLeast, p.total)
			}
		case slices.Contains(boxNames, name) && raw[0] == '{':
			var box map[string]json.RawMessage
			if err = json.Unmarshal(raw, &box); err == nil && list != "" {
				err = p.open(box, "")
			}
		case strings.ContainsRune(`"{[`, rune(raw[0])) && string(raw) != `""`:
			err = errForm
		default:
			err = p.readOther(name, raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readOther refuses a number or a flag that speaks of more pages than this one, in a way that is not known.
func (p *page) readOther(name string, raw json.RawMessage) error {
	var flag bool
	if json.Unmarshal(raw, &flag) == nil {
		return form(!flag || !continues.MatchString(name))
	}
	var number float64
	if json.Unmarshal(raw, &number) != nil || number <= 0 {
		return nil
	}
	switch {
	case continues.MatchString(name):
		return errForm
	case pages.MatchString(name):
		return form(number <= 1)
	case counts.MatchString(name):
		p.atLeast = max(p.atLeast, int(min(number, math.MaxInt32)))
	}
	return nil
}

// readCursor takes a string, or null for none.
func (p *page) readCursor(raw json.RawMessage) error {
	var cursor *string
	if err := json.Unmarshal(raw, &cursor); err != nil {
		return err
	}
	if cursor != nil && *cursor != "" {
		p.cursor = *cursor
		return nil
	}
	p.last = !p.more
	return nil
}

// listKey names the array of an envelope: one of the known names, or the only one there is.
func listKey(envelope map[string]json.RawMessage) string {
	var arrays []string
	for name, raw := range envelope {
		if raw[0] == '[' {
			arrays = append(arrays, name)
		}
	}
	if len(arrays) == 1 {
		return arrays[0]
	}
	for _, name := range listNames {
		if slices.Contains(arrays, name) {
			return name
		}
	}
	return ""
}

// list reads a whole list, entry by entry. What is not the whole list is an error (rule R4): a cursor that comes back, an
// empty page before the last, fewer entries than the server counts, a full page without a word about the next.
func (d *Driver) list(ctx context.Context, path string, codes map[int]media.Code, each func(json.RawMessage) error, args ...string) error {
	return d.listAs(ctx, "", path, codes, each, args...)
}

// listAs reads what somebody else sees, by their token; without one, what Usher sees.
func (d *Driver) listAs(ctx context.Context, token, path string, codes map[int]media.Code, each func(json.RawMessage) error, args ...string) error {
	call := wire.Call{
		Method: http.MethodGet, Path: path, Args: args, List: true, Codes: codes,
		Query: url.Values{"limit": {strconv.Itoa(pageSize)}},
	}
	cursors, seen := map[string]bool{}, 0
	for range maxPages {
		var next page
		call.Into = &next
		if err := d.send(ctx, token, call); err != nil {
			return err
		}
		for _, raw := range next.items {
			if each(raw) != nil {
				return incomplete(path, "an entry is not as a Dubby server's")
			}
		}
		seen += len(next.items)
		switch {
		case next.cursor == "":
			return d.ended(ctx, token, call, next, seen)
		case cursors[next.cursor]:
			return incomplete(path, "its pages go round in a circle")
		case len(next.items) == 0:
			return incomplete(path, "a page before the last is empty")
		}
		cursors[next.cursor] = true
		call.Query.Set("cursor", next.cursor)
	}
	return incomplete(path, "it does not end")
}

// ended makes sure that a list without a cursor is whole. Where a full page says nothing of the next, a shorter page is
// asked for: a server that then still answers with everything knows no pages.
func (d *Driver) ended(ctx context.Context, token string, call wire.Call, last page, seen int) error {
	switch {
	case last.atLeast > seen:
		return incomplete(call.Path, "it holds less than the server counts")
	case last.last || last.total == seen || len(last.items) < pageSize:
		return nil
	}
	var short page
	call.Query, call.Into = url.Values{"limit": {"1"}}, &short
	if err := d.send(ctx, token, call); err != nil {
		return err
	}
	if len(short.items) < len(last.items) {
		return incomplete(call.Path, "a full page does not say how to get the next")
	}
	return nil
}

func (d *Driver) send(ctx context.Context, token string, call wire.Call) error {
	var err error
	if token == "" {
		_, err = d.client.Do(ctx, call)
	} else {
		_, err = d.client.DoAs(ctx, token, call)
	}
	return err
}

func incomplete(path, why string) error {
	return media.Errorf(media.Unavailable, "GET %s: the list is not to be relied on: %s", path, why)
}

package wire_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// answering serves one answer to everything.
func answering(t *testing.T, status int, body string, headers ...string) string {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header()["Date"] = nil
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

func TestGoodAnswers(t *testing.T) {
	long, longer := `{"hello":"`+strings.Repeat("x", 2<<20)+`"}`, `{"hello":"`+strings.Repeat("x", 8<<20)+`"}`
	for name, c := range map[string]struct {
		status      int
		contentType string
		body        string
		want        int
		list        bool
		read, write media.Code
	}{
		"good":              {200, "application/json", `{"hello":"x"}`, 0, false, "", ""},
		"good, no type":     {200, "", `{"hello":"x"}`, 0, false, "", ""},
		"created":           {201, "application/json", " \n{\"hello\":\"x\"}\n ", 0, false, "", ""},
		"other status":      {200, "application/json", `{"hello":"x"}`, 201, false, media.Unavailable, media.Ambiguous},
		"JSON as a page":    {200, "text/html; charset=x", `{"hello":"x"}`, 0, false, media.Unavailable, media.Ambiguous},
		"page":              {200, "text/html; charset=x", `<p>hello`, 0, false, media.Unavailable, media.Unavailable},
		"page without type": {200, "", `<html>`, 0, false, media.Unavailable, media.Unavailable},
		"words":             {200, "text/plain", `OK`, 0, false, media.Unavailable, media.Unavailable},
		"empty":             {200, "application/json", ``, 0, false, media.Unavailable, media.Ambiguous},
		"blank":             {200, "application/json", " \n", 0, false, media.Unavailable, media.Ambiguous},
		"half":              {200, "application/json", `{"hello":"x`, 0, false, media.Unavailable, media.Ambiguous},
		"twice":             {200, "application/json", `{"hello":"x"}{"hello":"x"}`, 0, false, media.Unavailable, media.Ambiguous},
		"wrong type":        {200, "application/json", `{"hello":1}`, 0, false, media.Unavailable, media.Ambiguous},
		"unchecked":         {200, "application/json", `{}`, 0, false, media.Unavailable, media.Ambiguous},
		"null":              {200, "application/json", `null`, 0, false, media.Unavailable, media.Ambiguous},
		"long":              {200, "application/json", long, 0, false, media.Unavailable, media.Ambiguous},
		"long list":         {200, "application/json", long, 0, true, "", ""},
		"longer list":       {200, "application/json", longer, 0, true, media.Unavailable, media.Ambiguous},
	} {
		c2 := client(t, media.Config{URL: answering(t, c.status, c.body, "Content-Type", c.contentType)}, wire.Options{})
		for method, code := range map[string]media.Code{"GET": c.read, "PUT": c.write} {
			var into greeting
			_, err := c2.Do(context.Background(), wire.Call{Method: method, Path: "/x", Into: &into, Want: c.want, List: c.list})
			if media.CodeOf(err) != code {
				t.Errorf("%s %s: got %q (%v), want %q", method, name, media.CodeOf(err), err, code)
			}
		}
	}
}

// TestOneObjectThatIsTooLong says nothing of the others: what somebody keeps in their own account takes no server down. A list that
// is too long concerns all.
func TestOneObjectThatIsTooLong(t *testing.T) {
	url := answering(t, http.StatusOK, `{"hello":"`+strings.Repeat("x", 8<<20)+`"}`)
	for _, list := range []bool{false, true} {
		var into greeting
		_, err := client(t, media.Config{URL: url}, wire.Options{}).Do(context.Background(), wire.Call{Method: "GET", Path: "/x", Into: &into, List: list})
		if media.CodeOf(err) != media.Unavailable || media.ConcernsConnection(err) != list {
			t.Errorf("list %t: %v, of the connection: %t", list, err, media.ConcernsConnection(err))
		}
	}
}

func TestAnswersWithoutABody(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		code   media.Code
	}{
		"none":       {204, "", ""},
		"JSON":       {204, "", ""},
		"wrong":      {200, "", media.Ambiguous},
		"page":       {200, "<html>", media.Unavailable},
		"page alike": {204, "", ""},
	} {
		_, err := client(t, media.Config{URL: answering(t, c.status, c.body)}, wire.Options{}).
			Do(context.Background(), wire.Call{Method: "DELETE", Path: "/x", Want: 204})
		if media.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRawAnswer(t *testing.T) {
	var raw []byte
	_, err := client(t, media.Config{URL: answering(t, 200, "<html>hi", "Content-Type", "text/html")}, wire.Options{}).
		Do(context.Background(), wire.Call{Method: "GET", Path: "/", Into: &raw})
	if err != nil || string(raw) != "<html>hi" {
		t.Errorf("%q %v", raw, err)
	}
}

func TestRefusals(t *testing.T) {
	page := []string{"Content-Type", "text/html"}
	wait := []string{"Retry-After", "5"}
	for _, c := range []struct {
		status      int
		headers     []string
		read, write media.Code
	}{
		{301, nil, media.Unavailable, media.Unavailable}, {304, nil, media.Unavailable, media.Unavailable},
		{307, []string{"Location", ":bad"}, media.Unavailable, media.Unavailable},
		{400, nil, media.Invalid, media.Invalid}, {401, nil, media.Unauthenticated, media.Unauthenticated},
		{403, nil, media.PermissionDenied, media.PermissionDenied}, {404, nil, media.NotFound, media.NotFound},
		{404, page, media.Unavailable, media.Unavailable}, {409, page, media.Unavailable, media.Unavailable},
		{405, nil, media.Invalid, media.Invalid}, {408, nil, media.Unavailable, media.Unavailable},
		{409, nil, media.Conflict, media.Conflict}, {410, nil, media.NotFound, media.NotFound},
		{413, page, media.Invalid, media.Invalid}, {418, nil, media.AlreadyExists, media.AlreadyExists},
		{422, nil, media.Invalid, media.Invalid},
		{429, nil, media.RateLimited, media.RateLimited}, {500, nil, media.Unavailable, media.Ambiguous},
		{502, page, media.Unavailable, media.Ambiguous}, {503, nil, media.Unavailable, media.Ambiguous},
		{503, wait, media.RateLimited, media.RateLimited}, {504, nil, media.Unavailable, media.Ambiguous},
	} {
		api := client(t, media.Config{URL: answering(t, c.status, `{"error":"canary"}`, c.headers...)}, wire.Options{})
		for method, code := range map[string]media.Code{"GET": c.read, "POST": c.write} {
			_, err := api.Do(context.Background(), wire.Call{Method: method, Path: "/x/{id}", Args: []string{"canary"},
				Query: map[string][]string{"q": {"canary"}}, Codes: map[int]media.Code{418: media.AlreadyExists}})
			if media.CodeOf(err) != code {
				t.Errorf("%s %d: got %q (%v), want %q", method, c.status, media.CodeOf(err), err, code)
			}
			if own := c.status >= 500 && code != media.RateLimited; own && media.ConcernsConnection(err) {
				t.Errorf("%s %d: the answer to one call concerns the connection", method, c.status)
			}
			if strings.Contains(err.Error(), "canary") || !strings.HasPrefix(err.Error(), method+" /x/{id}: ") {
				t.Errorf("text %q", err)
			}
		}
	}
}

func TestRefusalsInTheServersOwnWords(t *testing.T) {
	options := wire.Options{Classify: func(r wire.Refusal) (media.Code, string) {
		if strings.Contains(string(r.Body), "taken") && r.Status == 500 && r.Path == "/x" && r.Method == "POST" {
			return media.AlreadyExists, "the name is taken"
		}
		return "", ""
	}}
	_, err := client(t, media.Config{URL: answering(t, 500, `name taken`)}, options).
		Do(context.Background(), wire.Call{Method: "POST", Path: "/x"})
	if media.CodeOf(err) != media.AlreadyExists || err.Error() != "POST /x: the name is taken" {
		t.Error(err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		headers []string
		want    time.Duration
	}{
		{[]string{"Retry-After", "7"}, 7 * time.Second},
		{[]string{"X-Retry-After", "1.5"}, 1500 * time.Millisecond},
		{[]string{"Retry-After", "-3"}, 0},
		{[]string{"Retry-After", "999999999999"}, time.Hour},
		{[]string{"Retry-After", "NaN"}, 0},
		{[]string{"Retry-After", "soon"}, 0},
		{nil, 0},
		{[]string{"Retry-After", now.Add(time.Minute).Format(http.TimeFormat), "Date", now.Format(http.TimeFormat)}, time.Minute},
		{[]string{"Retry-After", now.Add(-time.Minute).Format(http.TimeFormat), "Date", now.Format(http.TimeFormat)}, 0},
		{[]string{"Retry-After", "Fri, 02 Jan 2099 03:04:05 GMT"}, time.Hour},
	} {
		_, err := client(t, media.Config{URL: answering(t, 429, "", c.headers...)}, wire.Options{}).
			Do(context.Background(), wire.Call{Method: "GET", Path: "/x"})
		wantCode(t, err, media.RateLimited)
		if got := media.RetryAfter(err); got != c.want {
			t.Errorf("%v: %s, want %s", c.headers, got, c.want)
		}
	}
}

// A body that breaks off: the announced length is longer.
func TestCutShort(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(100))
		_, _ = w.Write([]byte(`{"hello":"x"}`))
	})
	c := client(t, media.Config{URL: url}, wire.Options{})
	for method, code := range map[string]media.Code{"GET": media.Unavailable, "PUT": media.Ambiguous} {
		var into greeting
		_, err := c.Do(context.Background(), wire.Call{Method: method, Path: "/x", Into: &into})
		wantCode(t, err, code)
	}
}

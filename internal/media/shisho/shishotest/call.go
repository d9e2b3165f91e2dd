package shishotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

type object map[string]any

// call is one request under way.
type call struct {
	*http.Request
	writer http.ResponseWriter
	server *Server
	// user is who is signed in; nil for a call that needs nobody.
	user *account
}

// refusal is an error in the server's envelope.
type refusal struct {
	status        int
	code, message string
}

// Error implements error.
func (r *refusal) Error() string { return r.message }

func refuse(status int, code, message string) *refusal { return &refusal{status, code, message} }

func invalid(message string) *refusal {
	return refuse(http.StatusUnprocessableEntity, "validation_error", message)
}

func missing(what string) *refusal {
	return refuse(http.StatusNotFound, "not_found", what+" not found.")
}

func failure() *refusal {
	return refuse(http.StatusInternalServerError, "internal_server_error", "Internal Server Error")
}

func envelope(r *refusal) object {
	return object{"error": object{"code": r.code, "message": r.message, "status_code": r.status}}
}

func send(w http.ResponseWriter, status int, body any) {
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// read decodes the body into what into points to. A body without a length is none, and an unknown field is an error.
func (c *call) read(into any) error {
	if c.ContentLength <= 0 {
		return refuse(http.StatusBadRequest, "empty_request_body", "Request body can't be empty.")
	}
	body, err := io.ReadAll(c.Body)
	if err != nil {
		return err
	}
	switch kind, _, _ := mime.ParseMediaType(c.Header.Get("Content-Type")); kind {
	case "application/json":
	case "application/x-www-form-urlencoded":
		// JSON is taken for the name of a form's field, and repeated, passwords and all; a real form is a failure.
		if strings.HasPrefix(strings.TrimSpace(string(body)), "{") {
			return refuse(http.StatusUnprocessableEntity, "unknown_parameter", "Unknown Parameter "+strconv.Quote(string(body)))
		}
		return failure()
	default:
		return refuse(http.StatusUnsupportedMediaType, "unsupported_media_type", "Unsupported Media Type")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType):
		return refuse(http.StatusUnprocessableEntity, "validation_type_error", strconv.Quote(wrongType.Field)+" should be of type "+wrongType.Type.String())
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return refuse(http.StatusUnprocessableEntity, "unknown_parameter", "Unknown Parameter "+strings.TrimPrefix(err.Error(), "json: unknown field "))
	}
	return refuse(http.StatusBadRequest, "malformed_payload", "Malformed Payload")
}

// query refuses unknown parameters.
func (c *call) query(known ...string) (url.Values, error) {
	query := c.URL.Query()
	for name := range query {
		if !slices.Contains(known, name) {
			return nil, refuse(http.StatusUnprocessableEntity, "unknown_parameter", "Unknown Parameter "+strconv.Quote(name))
		}
	}
	return query, nil
}

// paging is how one list pages: what no limit means, and the most that is given; 0 for no bound.
type paging struct{ usual, most int }

var (
	long  = paging{usual: 50}
	short = paging{usual: 10, most: 100}
)

// window reads limit and offset. Without a bound, a negative limit is none, and fails with an offset.
func (p paging) window(query url.Values, total int) (from, to int, err error) {
	limit, _ := strconv.Atoi(query.Get("limit"))
	offset, _ := strconv.Atoi(query.Get("offset"))
	if limit == 0 {
		limit = p.usual
	}
	switch {
	case p.most > 0 && limit > p.most:
		return 0, 0, invalid(`"limit" must be less than or equal to 100`)
	case p.most > 0 && (limit < 0 || offset < 0):
		return 0, 0, invalid(`"offset" must be greater than or equal to 0`)
	case limit < 0 && offset > 0:
		return 0, 0, failure()
	case limit < 0:
		return 0, total, nil
	}
	from = min(max(offset, 0), total)
	return from, min(from+limit, total), nil
}

func list[T, V any](items []T, p paging, query url.Values, form func(T) V) (int, any, error) {
	from, to, err := p.window(query, len(items))
	if err != nil {
		return 0, nil, err
	}
	page := make([]V, 0, to-from)
	for _, item := range items[from:to] {
		page = append(page, form(item))
	}
	return http.StatusOK, object{"items": page, "total": len(items)}, nil
}

// id reads the id in the path; 0 for one that is no number.
func (c *call) id() int {
	id, err := strconv.Atoi(c.PathValue("id"))
	if err != nil {
		return 0
	}
	return id
}

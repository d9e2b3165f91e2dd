package httpapi

import (
	"bytes"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// OptionalText is a text field that tells being absent from being null or empty. Null and "" both mean none.
type OptionalText struct {
	// Set says that the field was there.
	Set   bool
	Value string
}

// UnmarshalJSON notes that the field was there. It fails for anything but a string or null.
func (o *OptionalText) UnmarshalJSON(raw []byte) error {
	o.Set, o.Value = true, ""
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	return json.Unmarshal(raw, &o.Value)
}

// Schema describes the field as a text that may be null.
func (OptionalText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true}
}

// apply replaces the target when the field was there.
func (o OptionalText) apply(target *string) {
	if o.Set {
		*target = o.Value
	}
}

// set replaces the target when there is a value.
func set[T any](target, value *T) {
	if value != nil {
		*target = *value
	}
}

// nullable returns nil for an empty text: what is not there is null on the wire.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

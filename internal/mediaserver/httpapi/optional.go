package httpapi

import (
	"bytes"
	"encoding/json"
	"reflect"

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

// Optional is a field that tells being absent from being null. Null means that there is none.
type Optional[T any] struct {
	// Set says that the field was there.
	Set bool
	// Value is nil for null.
	Value *T
}

// UnmarshalJSON notes that the field was there. It fails for what is neither null nor a T.
func (o *Optional[T]) UnmarshalJSON(raw []byte) error {
	o.Set, o.Value = true, nil
	return json.Unmarshal(raw, &o.Value)
}

// Schema describes the field as a T that may be null.
func (Optional[T]) Schema(r huma.Registry) *huma.Schema {
	schema := huma.SchemaFromType(r, reflect.TypeFor[T]())
	schema.Nullable = true
	return schema
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

package v1alpha1

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Time is a moment, kept as it was written. The API server stores dates that Go does not read, even lists in place of a
// date, and one object that does not decode hides every object of its kind. So a Time always decodes; Parse tells whether
// it can be read. It encodes as what it was decoded from.
//
// New ones are held by the pattern to RFC 3339 and to days that there are. That is no rule in CEL: one that fails
// on what is stored (a list), rather than being false, would keep the object from being written at all.
//
// +kubebuilder:validation:Type=string
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:Pattern=`^(([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
type Time string

// NewTime returns a moment as Kubernetes writes it: in UTC, to the second.
func NewTime(t time.Time) Time { return Time(t.UTC().Format(time.RFC3339)) }

// NewExactTime returns a moment to the nanosecond, in UTC, for what is compared with others of the same second.
func NewExactTime(t time.Time) Time { return Time(t.UTC().Format(time.RFC3339Nano)) }

// lastYear is the last one, in UTC and rounded as databases round, that JSON and media servers can write.
const lastYear = 9999

// Parse returns the moment. The error says what to write instead.
func (t Time) Parse() (time.Time, error) {
	at, err := time.Parse(time.RFC3339, string(t))
	switch {
	case err != nil:
		return time.Time{}, fmt.Errorf("%.64q cannot be read as a date: write it like 2027-06-30T20:00:00Z", string(t))
	case at.UTC().Round(time.Microsecond).Year() > lastYear:
		return time.Time{}, fmt.Errorf("%.64q is after the year %d in UTC, which no server can keep: write it like 2027-06-30T20:00:00Z", string(t), lastYear)
	}
	return at, nil
}

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (t *Time) UnmarshalJSON(data []byte) error {
	*t = Time(asWritten(data))
	return nil
}

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return written(string(t)) }

// Duration is a length of time, kept as it was written (see Time). The rules of its fields bound it.
//
// +kubebuilder:validation:Type=string
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern=`^([0-9]+([.][0-9]+)?(ms|s|m|h))+$`
type Duration string

// NewDuration returns a length of time as Go writes it.
func NewDuration(d time.Duration) Duration { return Duration(d.String()) }

// Parse returns the length. The error says what to write instead.
func (d Duration) Parse() (time.Duration, error) {
	length, err := time.ParseDuration(string(d))
	if err != nil {
		return 0, fmt.Errorf("%.64q cannot be read as a duration: write it like 90s, 5m or 720h", string(d))
	}
	return length, nil
}

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (d *Duration) UnmarshalJSON(data []byte) error {
	*d = Duration(asWritten(data))
	return nil
}

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return written(string(d)) }

// asWritten is the text of a JSON string, and the JSON itself of anything else.
func asWritten(data []byte) string {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return string(data)
	}
	return text
}

// written is the JSON that a text was decoded from. No schema takes a text that looks like a list or an object.
func written(text string) ([]byte, error) {
	if (text != "" && (text[0] == '[' || text[0] == '{')) && json.Valid([]byte(text)) {
		return []byte(text), nil
	}
	return json.Marshal(text)
}

// Conditions of an object. One whose time cannot be read (see Time) counts as absent, and so is written anew.
type Conditions []metav1.Condition

// Meta returns the same list, to be changed in place by those who know no more than Kubernetes.
func (c *Conditions) Meta() *[]metav1.Condition { return (*[]metav1.Condition)(c) }

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (c *Conditions) UnmarshalJSON(data []byte) error {
	var all []metav1.Condition
	if json.Unmarshal(data, &all) == nil && !slices.ContainsFunc(all, unwritable) {
		*c = all
		return nil
	}
	*c = nil
	var each []json.RawMessage
	if json.Unmarshal(data, &each) != nil {
		return nil
	}
	for _, one := range each {
		var condition metav1.Condition
		if json.Unmarshal(one, &condition) == nil && !unwritable(condition) {
			*c = append(*c, condition)
		}
	}
	return nil
}

// unwritable says whether a condition has a time that was read, and cannot be written in UTC.
func unwritable(condition metav1.Condition) bool {
	return condition.LastTransitionTime.UTC().Year() > lastYear
}

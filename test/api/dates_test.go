package api

import "strings"

// badDates are forms of a date that the API server's own parser takes and Go's does not, and others that are none.
// Each field that holds a date refuses them.
func badDates(field string) []refusal {
	path, before, after := "spec."+field, `{`+field+`: `, `}`
	if list, inner, is := strings.Cut(field, "[0]."); is {
		before, after = `{`+list+`: {`+inner+`: `, `}}`
	}
	form, noDate := path+" in body should match", path+" in body must be of type string"
	var bad []refusal
	for value, says := range map[string]string{
		`"2030-12-31t22:00:00z"`: form, `"2030-12-31T22:00:00z"`: form, `"2030-12-31t22:00:00Z"`: form, `"2030-12-31T22:00:00Ztomorrow"`: form,
		`"2030-12-31T22:00:00x5Z"`: form, `"2030-12-31T22:00:00,5Z"`: form, `"2030-12-31T22:00:00+99:99"`: form, `"2030-12-31T22:00:00-24:00"`: form,
		`"2030-12-31"`: form, `"2030-12-31 22:00:00Z"`: form, `christmas`: form, `""`: form,
		`"2030-02-30T00:00:00Z"`: form, `"2030-12-31T24:00:00Z"`: form, `"2030-13-01T00:00:00Z"`: form, `"2030-12-31T23:59:60Z"`: form,
		`"` + strings.Repeat("2", 65) + `"`: path + ": Too long", `[]`: noDate, `["2030-12-31T22:00:00Z"]`: noDate, `1924984800`: noDate,
	} {
		bad = append(bad, refusal{field + " " + value, before + value + after, says})
	}
	return bad
}

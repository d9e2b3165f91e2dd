package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var versions = regexp.MustCompile(`(?m)^(version|appVersion): .*$`)

// versioned returns Chart.yaml with the version of internal/version.
func versioned(root string) (string, error) {
	number, err := os.ReadFile(filepath.Join(root, "internal", "version", "VERSION"))
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, "charts", "usher", "Chart.yaml"))
	return versions.ReplaceAllString(string(text), "$1: "+strings.TrimSpace(string(number))), err
}

const (
	begin = "<!-- The table of values is written by `make manifests` from values.yaml. -->\n"
	end   = "<!-- End of the table. -->\n"
)

// documented returns README.md with the table of values.
func documented(root string) (string, error) {
	name := filepath.Join(root, "charts", "usher", "README.md")
	text, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	before, rest, opened := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		return "", fmt.Errorf("%s: the marks of the table are missing", name)
	}
	values, err := os.ReadFile(filepath.Join(root, "charts", "usher", "values.yaml"))
	if err != nil {
		return "", err
	}
	rows, err := table(values)
	if err != nil {
		return "", err
	}
	return before + begin + "\n| Value | Default | What it does |\n|---|---|---|\n" + strings.Join(rows, "") + "\n" + end + after, nil
}

// table returns the rows of all values that have a description.
func table(values []byte) ([]string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(values, &document); err != nil {
		return nil, err
	}
	return rows(document.Content[0], "")
}

// rows goes through a mapping: a key with a description is a row, another one holds more keys.
func rows(mapping *yaml.Node, prefix string) (all []string, err error) {
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		path := prefix + key.Value
		description, described := strings.CutPrefix(key.HeadComment, "# -- ")
		if !described {
			if value.Kind != yaml.MappingNode || len(value.Content) == 0 {
				return nil, fmt.Errorf("values.yaml:%d: %s has no description (# -- ...)", key.Line, path)
			}
			below, err := rows(value, path+".")
			if err != nil {
				return nil, err
			}
			all = append(all, below...)
			continue
		}
		text, err := inline(value)
		if err != nil {
			return nil, err
		}
		description = strings.Join(strings.Fields(strings.ReplaceAll(description, "\n# ", " ")), " ")
		all = append(all, fmt.Sprintf("| `%s` | `%s` | %s |\n", path, text, strings.ReplaceAll(description, "|", `\|`)))
	}
	return all, nil
}

// inline writes a value on one line.
func inline(value *yaml.Node) (string, error) {
	flow := *value
	flatten(&flow)
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	if err := encoder.Encode(&flow); err != nil {
		return "", err
	}
	return strings.Join(strings.Fields(out.String()), " "), nil
}

func flatten(node *yaml.Node) {
	node.HeadComment, node.LineComment, node.FootComment = "", "", ""
	if node.Kind == yaml.MappingNode || node.Kind == yaml.SequenceNode {
		node.Style = yaml.FlowStyle
	}
	below := node.Content
	node.Content = make([]*yaml.Node, len(below))
	for i, child := range below {
		copied := *child
		flatten(&copied)
		node.Content[i] = &copied
	}
}

package manifests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// flowWidth is how long a list or a map may be that stands on one line.
const flowWidth = 80

var (
	plain    = regexp.MustCompile(`^(?:https?://)?[A-Za-z/][A-Za-z0-9._/ @-]*(?::[0-9]+)?$`)
	reserved = regexp.MustCompile(`(?i)^(?:y|n|yes|no|on|off|true|false|null)$`)
)

// Document writes an object as YAML, in the order of its fields, with a comment above it. What a status holds is left out.
func Document(object any, comment string) ([]byte, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var root yaml.Node
	if err := yaml.Unmarshal(escaped(text), &root); err != nil {
		return nil, err
	}
	mapping := root.Content[0]
	drop(mapping, "status")
	if metadata := value(mapping, "metadata"); metadata != nil {
		drop(metadata, "creationTimestamp")
	}
	first(mapping, "apiVersion")
	style(mapping, 0)
	if comment != "" {
		mapping.HeadComment = comment
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(mapping); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

// escaped writes what YAML does not take as it is, and JSON does, by its number.
func escaped(text []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(text) {
		if r < 0x7f || unicode.IsPrint(r) {
			out.WriteRune(r)
			continue
		}
		fmt.Fprintf(&out, `\U%08X`, r)
	}
	return out.Bytes()
}

func value(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func drop(mapping *yaml.Node, key string) {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			mapping.Content = append(mapping.Content[:i], mapping.Content[i+2:]...)
			return
		}
	}
}

func first(mapping *yaml.Node, key string) {
	if found := value(mapping, key); found != nil {
		drop(mapping, key)
		mapping.Content = append([]*yaml.Node{{Kind: yaml.ScalarNode, Value: key}, found}, mapping.Content...)
	}
}

// style writes what is short on one line, the rest as a block, and quotes only where YAML, in any of its versions, would read
// something else.
func style(node *yaml.Node, depth int) {
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Tag == "!!str" || node.Style&yaml.DoubleQuotedStyle != 0 {
			node.Tag, node.Style = "!!str", yaml.DoubleQuotedStyle
			if plain.MatchString(node.Value) && !reserved.MatchString(node.Value) && !strings.HasSuffix(node.Value, " ") {
				node.Style = 0
			}
		}
	case yaml.SequenceNode, yaml.MappingNode:
		node.Style = 0
		if depth > 1 && width(node) <= flowWidth {
			node.Style = yaml.FlowStyle
		}
		for i, child := range node.Content {
			if node.Kind == yaml.MappingNode && i%2 == 0 {
				child.Style = 0
				continue
			}
			style(child, depth+1)
		}
	}
}

// width is about how many characters a node takes on one line.
func width(node *yaml.Node) int {
	total := utf8.RuneCountInString(node.Value) + 2
	for _, child := range node.Content {
		total += width(child)
	}
	return total
}

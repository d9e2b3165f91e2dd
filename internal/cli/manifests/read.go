package manifests

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/importer"
)

// Read reads the manifests of a folder, strictly: an unknown field or a kind that does not belong there is an error.
func Read(folder string) (h importer.Household, err error) {
	for _, name := range []string{ServerFile, LibrariesFile, UsersFile, GrantsFile} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if errors.Is(err, os.ErrNotExist) && name != ServerFile {
			continue
		}
		if err != nil {
			return h, err
		}
		if err := add(&h, text); err != nil {
			return h, fmt.Errorf("%s: %w", name, err)
		}
	}
	return h, nil
}

func add(h *importer.Household, text []byte) error {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal(document, &head); err != nil {
			return err
		}
		if head.APIVersion != v1alpha1.GroupVersion.String() {
			return fmt.Errorf("%q is no version of Usher's kinds", head.APIVersion)
		}
		if err := decode(h, head.Kind, document); err != nil {
			return err
		}
	}
}

func decode(h *importer.Household, kind string, document []byte) error {
	switch kind {
	case "MediaServer":
		return yaml.UnmarshalStrict(document, &h.Server)
	case "Library":
		h.Libraries = append(h.Libraries, v1alpha1.Library{})
		return yaml.UnmarshalStrict(document, &h.Libraries[len(h.Libraries)-1])
	case "User":
		h.Users = append(h.Users, v1alpha1.User{})
		return yaml.UnmarshalStrict(document, &h.Users[len(h.Users)-1])
	case "LibraryGrant":
		h.Grants = append(h.Grants, v1alpha1.LibraryGrant{})
		return yaml.UnmarshalStrict(document, &h.Grants[len(h.Grants)-1])
	}
	return fmt.Errorf("a manifest of kind %q does not belong here", kind)
}

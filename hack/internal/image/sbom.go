package image

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

const unasserted = "NOASSERTION"

// sbom lists what is in an image: its programs, and the modules that each was built from, as the programs themselves record.
func (s Source) sbom(image v1.Image, platform v1.Platform, bin string) ([]byte, error) {
	digest, err := image.Digest()
	if err != nil {
		return nil, err
	}
	d := &bill{packages: map[common.ElementID]*v2_3.Package{}}
	whole := d.add("image", "usher", s.Version, "pkg:oci/usher@"+digest.String()+"?arch="+platform.Architecture)
	d.relate("DOCUMENT", "DESCRIBES", whole)
	for _, name := range programs {
		info, err := buildinfo.ReadFile(filepath.Join(bin, name))
		if err != nil {
			return nil, err
		}
		program := d.add("program-"+name, name, s.Version, fmt.Sprintf("pkg:golang/%s@%s#cmd/%s", info.Main.Path, s.Version, name))
		d.relate(whole, "CONTAINS", program)
		d.relate(program, "DEPENDS_ON", d.module("stdlib", strings.TrimPrefix(info.GoVersion, "go")))
		for _, dependency := range info.Deps {
			d.relate(program, "DEPENDS_ON", d.module(effective(dependency)))
		}
	}
	return json.MarshalIndent(&v2_3.Document{
		SPDXVersion: v2_3.Version, DataLicense: v2_3.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName:      fmt.Sprintf("usher %s %s", s.Version, platform),
		DocumentNamespace: "urn:usher:image:" + digest.String(),
		CreationInfo: &v2_3.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "hack/image"}}, Created: s.created().Format(time.RFC3339),
		},
		Packages:      slices.SortedFunc(maps.Values(d.packages), byID),
		Relationships: d.relationships,
	}, "", "  ")
}

// effective is the module that was built, which a replacement may be.
func effective(m *debug.Module) (path, version string) {
	if m.Replace != nil {
		m = m.Replace
	}
	return m.Path, m.Version
}

// bill gathers the packages and relationships of a document.
type bill struct {
	packages      map[common.ElementID]*v2_3.Package
	relationships []*v2_3.Relationship
}

func (d *bill) module(path, version string) common.ElementID {
	return d.add("module-"+path+"-"+version, path, version, "pkg:golang/"+path+"@"+version)
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

func (d *bill) add(id, name, version, url string) common.ElementID {
	element := common.ElementID(notInID.ReplaceAllString(id, "-"))
	d.packages[element] = &v2_3.Package{
		PackageSPDXIdentifier: element, PackageName: name, PackageVersion: version,
		PackageDownloadLocation: unasserted, PackageLicenseConcluded: unasserted, PackageLicenseDeclared: unasserted,
		PackageCopyrightText: unasserted,
		PackageExternalReferences: []*v2_3.PackageExternalReference{
			{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: url},
		},
	}
	return element
}

func (d *bill) relate(a common.ElementID, how string, b common.ElementID) {
	d.relationships = append(d.relationships, &v2_3.Relationship{
		RefA: common.MakeDocElementID("", string(a)), RefB: common.MakeDocElementID("", string(b)), Relationship: how,
	})
}

func byID(a, b *v2_3.Package) int {
	return strings.Compare(string(a.PackageSPDXIdentifier), string(b.PackageSPDXIdentifier))
}

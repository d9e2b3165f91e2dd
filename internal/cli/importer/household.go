package importer

import (
	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// Server is what a media server has, as its driver listed it.
type Server struct {
	Probe     media.Probe
	Traits    media.Traits
	Accounts  []media.Account
	Libraries []media.Library
}

// Options say how the manifests are to be written.
type Options struct {
	// Name of the MediaServer and its Namespace.
	Name, Namespace string
	Type            v1alpha1.MediaServerType
	// URL at which Usher will reach the server.
	URL string
	// CredentialsSecret names the Secret with the account that Usher is to use. CASecret and DatabaseSecret are empty for none.
	CredentialsSecret, CASecret, DatabaseSecret string
	// Emails writes email addresses also where they are not the server's key.
	Emails bool
}

// Household is everything that declares one media server.
type Household struct {
	Server    v1alpha1.MediaServer
	Libraries []v1alpha1.Library
	Users     []v1alpha1.User
	Grants    []v1alpha1.LibraryGrant
	// Comments say what to review, by kind and name of the object: see Key.
	Comments map[string]string
	// LeftOut is what the server has and no manifest declares: Usher leaves it as it is.
	LeftOut []LeftOut
	// Exposed names the accounts that see more than they were given, by a hole of their server. To enforce the manifests
	// closes it.
	Exposed []string
}

// LeftOut is an account or a library that no manifest declares, and why.
type LeftOut struct {
	// Kind is "account" or "library".
	Kind string
	Name string
	// ID on the server.
	ID     string
	Reason string
	// Personal: it is a library of one person, as each account of some servers has.
	Personal bool
}

// Key is the key of an object in Household.Comments.
func Key(kind, name string) string { return kind + "/" + name }

// comment adds a line to what is said about an object.
func (h *Household) comment(kind, name, line string) {
	key := Key(kind, name)
	if h.Comments[key] != "" {
		line = h.Comments[key] + "\n" + line
	}
	h.Comments[key] = line
}

func (h *Household) leaveOut(kind, name, id, reason string) {
	h.LeftOut = append(h.LeftOut, LeftOut{Kind: kind, Name: name, ID: id, Reason: reason, Personal: reason == personal})
}

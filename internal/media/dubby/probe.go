package dubby

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// Probe asks who the server is, who we are, and what the server's document shows that it can do.
func (d *Driver) Probe(ctx context.Context) (media.Probe, error) {
	self, err := d.whoami(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	if err := d.documented(ctx); err != nil {
		return media.Probe{}, err
	}
	p, err := d.lookUp(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	users, err := d.users(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	probe := media.Probe{Self: self}
	role := media.Role("")
	for _, u := range users {
		if u.id == string(self) {
			probe.SelfName, role = u.email, roleOf(u.role)
		}
	}
	if probe.Identity, err = identity(users); err != nil {
		return media.Probe{}, err
	}
	if probe.Version, err = d.version(ctx, p); err != nil {
		return media.Probe{}, err
	}
	probe.Capabilities = p.capabilities(role)
	return probe, nil
}

// identity is a fingerprint: nothing that identifies a server is documented. The owner is the first who registered, and
// there is exactly one, for good (section 4); ids are random (section 2). So the owner's id stays for as long as the data
// does, and differs between two servers that were set up on their own. Two copies of one data folder share it.
func identity(users []user) (string, error) {
	owner := ""
	for _, u := range users {
		switch {
		case roleOf(u.role) != media.RoleOwner:
		case owner != "":
			return "", media.Errorf(media.Unavailable, "the server lists two owners, so it cannot be told from another")
		default:
			owner = u.id
		}
	}
	if owner == "" {
		return "", media.Errorf(media.Unavailable, "the server lists no owner, so it cannot be told from another")
	}
	return "owner:" + owner, nil
}

// Identity reads who owns the server.
func (d *Driver) Identity(ctx context.Context) (string, error) {
	users, err := d.users(ctx)
	if err != nil {
		return "", err
	}
	return identity(users)
}

// documented makes a call that every Dubby server has, so that what is missing after it is the server's own lack.
func (d *Driver) documented(ctx context.Context) error {
	var first page
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodGet, Path: librariesPath, Query: url.Values{"limit": {"1"}}, List: true, Into: &first, Codes: wrongServer,
	})
	return err
}

// version is that of the information route of the vendor's own client, where it answers (section 3), else that of the
// OpenAPI document.
func (d *Driver) version(ctx context.Context, p *plan) (string, error) {
	var info struct{ Version, Type string }
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: "/api/seerr/system/info", Into: &info, Anonymous: true})
	switch media.CodeOf(err) {
	case "":
		if info.Type == "dubby" && info.Version != "" {
			return info.Version, nil
		}
	case media.NotFound, media.Unauthenticated, media.PermissionDenied, media.Unavailable:
		// A version is for people: it is not worth a connection.
	default:
		return "", err
	}
	if p.version == "" {
		return "unknown", nil
	}
	return p.version, nil
}

// operations returns what was found in the server's document, reading it when that was not done yet.
func (d *Driver) operations(ctx context.Context) (*plan, error) {
	d.mu.Lock()
	p := d.plan
	d.mu.Unlock()
	if p != nil {
		return p, nil
	}
	return d.lookUp(ctx)
}

// lookUp reads the document anew: a server that was upgraded has another.
func (d *Driver) lookUp(ctx context.Context) (*plan, error) {
	var body json.RawMessage
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodGet, Path: "/v1/openapi.json", List: true, Into: &body,
		Codes: map[int]media.Code{http.StatusNotFound: media.Unsupported},
	})
	if media.CodeOf(err) == media.Unsupported {
		return nil, media.Errorf(media.Unsupported, "this Dubby server has no OpenAPI document at /v1/openapi.json, without which Usher does not know its calls for users: use a Dubby version that has one")
	}
	if err != nil {
		return nil, err
	}
	document, err := parseDocument(body)
	if err != nil {
		return nil, media.Errorf(media.Unavailable, "GET /v1/openapi.json: the server's answer is no OpenAPI 3 document, or too large for one").WithCause(err)
	}
	p := newPlan(document)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plan = p
	return p, nil
}

// capabilities are what the document showed.
func (p *plan) capabilities(self media.Role) media.Capabilities {
	_, admins := p.roleChange(wordAdmin)
	_, guests := p.roleChange(wordGuest)
	return media.Capabilities{
		Disable: p.canDisable(), DeleteAccount: p.found[opDeleteUser] != nil, DeleteLibrary: p.found[opListLibraries] != nil,
		Authenticate: true, ZeroAccess: true, Email: true, DisplayName: p.displayName(),
		PasswordsFixed: p.found[opSetPassword] == nil,
		Roles: map[media.Role]media.RoleInfo{
			media.RoleOwner: {SeesAll: true, Administers: true},
			// Only the owner promotes to admin (section 4).
			media.RoleAdmin:  {SeesAll: true, Administers: true, Assignable: self == media.RoleOwner && admins == nil},
			media.RoleMember: {Assignable: true},
			media.RoleGuest:  {Assignable: guests == nil && p.invites(wordGuest)},
		},
		LibraryRoles: []media.LibraryRole{media.LibraryViewer},
		MediaTypes:   p.mediaTypes(),
	}
}

// displayName says whether a display name can be changed and read back under one name.
func (p *plan) displayName() bool { return p.changes(keyName) }

// canDisable says whether isActive can be changed and read back.
func (p *plan) canDisable() bool { return p.changes(keyActive) }

func (p *plan) changes(k key) bool {
	update, list, one := p.found[opUpdateUser], p.found[opListUsers], p.found[opGetUser]
	if !update.takes(k) || list == nil || list.answer[k] != update.request[k] {
		return false
	}
	return one == nil || one.answer[k] == update.request[k]
}

// roleChange returns the one operation that gives a role. Two are one too many.
func (p *plan) roleChange(word string) (*operation, error) {
	update, alone := p.found[opUpdateUser], p.found[opSetRole]
	o := update
	switch {
	case update.takes(keyRole) && alone != nil:
		return nil, media.Errorf(media.Unsupported, "this Dubby server shows two ways to give a role, and which one is meant is not for Usher to guess")
	case !update.takes(keyRole):
		var err error
		if o, err = p.need(opSetRole); err != nil {
			return nil, err
		}
	}
	if words := o.words[keyRole]; len(words) > 0 && !slices.Contains(words, word) {
		return nil, media.Errorf(media.Unsupported, "this Dubby server does not let that role be given")
	}
	return o, nil
}

// invites says whether an invite can carry the role.
func (p *plan) invites(word string) bool {
	o := p.found[opCreateInvite]
	return o != nil && (len(o.words[keyRole]) == 0 || slices.Contains(o.words[keyRole], word))
}

// typeWords are the server's words for what a library holds: those that the document lists, else the documented ones.
func (p *plan) typeWords() []string {
	if o := p.found[opCreateLibrary]; o != nil && len(o.words[keyType]) > 0 {
		return o.words[keyType]
	}
	return documentedTypes
}

func (p *plan) mediaTypes() []media.MediaType {
	var all []media.MediaType
	for _, word := range p.typeWords() {
		if t, known := mediaTypes[word]; known && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

// typeWord returns the server's only word for a media type.
func (p *plan) typeWord(want media.MediaType) (string, error) {
	var words []string
	for _, word := range p.typeWords() {
		if mediaTypes[word] == want && want != "" {
			words = append(words, word)
		}
	}
	if len(words) != 1 {
		return "", media.Errorf(media.Unsupported, "this Dubby server shows no one media type for %s", want)
	}
	return words[0], nil
}

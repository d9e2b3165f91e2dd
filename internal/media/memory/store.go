package memory

import (
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
)

// The account that a Store begins with, where Options name no other: the owner, and what Config signs in with.
const (
	DefaultOwner    = "owner"
	DefaultPassword = "the owner's password"
)

// Options say what kind of server a Store is. The zero value is a server that can do everything.
type Options struct {
	// Identity of the server; empty makes one that no other Store has.
	Identity string
	// Version of the server; empty is "1.0.0".
	Version string
	// SetupRequired: the server has no account until Bootstrap makes one.
	SetupRequired bool
	// Owner and Password of the first account; empty are DefaultOwner and DefaultPassword.
	Owner, Password string
	// Created says when an account or a library is made, or a password is set; nil: the server does not tell.
	Created func() time.Time
	// Proxied: connections outlive the server, as behind a proxy, so that SetIdentity goes unnoticed until somebody asks.
	Proxied bool
	// UniqueLibraryNames: a second library of one name (in any letter case) is AlreadyExists.
	UniqueLibraryNames bool
	// Traits and Capabilities edit the defaults, before anybody sees them. Without Capabilities.ZeroAccess the server
	// shows every library to an account with an empty list, as some real ones do.
	Traits       func(*media.Traits)
	Capabilities func(*media.Capabilities)
}

// Store is a media server in memory. It is safe for use by many goroutines.
type Store struct {
	options Options
	traits  media.Traits
	key     []byte

	mu           sync.Mutex
	identity     string
	capabilities media.Capabilities
	registration media.RegistrationMode
	accounts     []*account
	libraries    []*media.Library
	index        index
	sessions     map[string]media.AccountID
	nextID       int

	calls callLog
}

// account is one account as the server keeps it: its password only as a keyed hash.
type account struct {
	media.Account
	password []byte
}

// NewStore makes a server with one account, the owner, or none where Options.SetupRequired says so.
func NewStore(options Options) *Store {
	s := &Store{
		options: options.withDefaults(), key: []byte(rand.Text()),
		traits: defaultTraits(), capabilities: defaultCapabilities(),
		registration: media.RegistrationInviteOnly, sessions: map[string]media.AccountID{}, index: newIndex(),
	}
	s.identity = s.options.Identity
	if options.Traits != nil {
		options.Traits(&s.traits)
	}
	if options.Capabilities != nil {
		options.Capabilities(&s.capabilities)
	}
	if !options.SetupRequired {
		s.addOwner(s.options.Owner, s.ownerEmail(""), s.options.Password)
	}
	return s
}

func (o Options) withDefaults() Options {
	for field, value := range map[*string]string{
		&o.Identity: "memory-" + rand.Text(), &o.Version: "1.0.0", &o.Owner: DefaultOwner, &o.Password: DefaultPassword,
	} {
		if *field == "" {
			*field = value
		}
	}
	return o
}

func defaultTraits() media.Traits {
	return media.Traits{
		FoldUsername: fold.Unicode, FoldEmail: fold.Unicode, AccountIDsNeverReused: true, LibraryIDsNeverReused: true,
		LongestCall: 10 * time.Second, Concurrency: 8, MinPassword: 8, MaxPassword: 128,
	}
}

func defaultCapabilities() media.Capabilities {
	return media.Capabilities{
		Bootstrap: true, Registration: true, Disable: true, LockOut: true, DeleteAccount: true, DeleteLibrary: true, Authenticate: true,
		RequirePasswordChange: true, AccessAll: true, ZeroAccess: true, Email: true, DisplayName: true,
		Roles: map[media.Role]media.RoleInfo{
			media.RoleOwner:  {SeesAll: true, Administers: true},
			media.RoleAdmin:  {SeesAll: true, Administers: true, Assignable: true},
			media.RoleEditor: {Assignable: true},
			media.RoleMember: {Assignable: true},
			media.RoleGuest:  {Assignable: true},
		},
		LibraryRoles: []media.LibraryRole{media.LibraryViewer, media.LibraryAdmin},
		MediaTypes: []media.MediaType{
			"Movies", "Shows", "Music", "Books", "Audiobooks", "Comics", "Podcasts", "Photos", "Mixed",
		},
		LibrarySettings: []string{"emoji", "publicSharing"},
	}
}

// Config is what a driver needs to connect as the owner. Its URL is for show.
func (s *Store) Config() media.Config {
	return s.ConfigFor(s.options.Owner, s.options.Password)
}

// ConfigFor is what a driver needs to connect with another account.
func (s *Store) ConfigFor(username, password string) media.Config {
	credentials := media.Credentials{Username: username, Password: password, Email: s.ownerEmail("")}
	return media.Config{URL: "http://memory.example.org", Credentials: credentials}
}

// Open opens a driver on the store; it is a media.Open. Every driver sees the same server. The credentials are tried
// at each call, as a server tries a token.
func (s *Store) Open(config media.Config) (media.Driver, error) {
	if config.Credentials.Username == "" || config.Credentials.Password == "" {
		return nil, media.Errorf(media.Invalid, "the credentials need a username and a password")
	}
	return &driver{store: s, credentials: config.Credentials, guard: config.Guard}, nil
}

// ownerEmail is the first account's email address: none, unless accounts need one.
func (s *Store) ownerEmail(email string) string {
	if email == "" && s.traits.KeyedByEmail {
		return s.options.Owner + "@example.org"
	}
	return email
}

func (s *Store) addOwner(username, email, password string) {
	s.add(&account{
		Account: media.Account{
			ID: media.AccountID(s.newID("account")), Username: username, DisplayName: username, Email: email,
			Role: media.RoleOwner, Access: media.Access{}.Clone(), Created: s.created(),
		},
		password: s.hash(password),
	})
}

// created is when what is made now was made, as far as the server tells.
func (s *Store) created() time.Time {
	if s.options.Created == nil {
		return time.Time{}
	}
	return media.Moment(s.options.Created())
}

// sees is what the server shows an account. It is written apart from everything that reads or writes access lists.
func (s *Store) sees(a *account) []media.LibraryID {
	all := a.Access.All || s.capabilities.Roles[a.Role].SeesAll ||
		(!s.capabilities.ZeroAccess && len(a.Access.Libraries) == 0)
	seen := []media.LibraryID{}
	for _, l := range s.libraries {
		if _, listed := a.Access.Libraries[l.ID]; (all && !l.Personal) || listed {
			seen = append(seen, l.ID)
		}
	}
	return seen
}

func copyAccount(a *account) media.Account {
	c := a.Account
	c.Access = c.Access.Clone()
	return c
}

func copyLibrary(l *media.Library) media.Library {
	c := *l
	c.Paths = slices.Clone(l.Paths)
	c.Settings = maps.Clone(l.Settings)
	return c
}

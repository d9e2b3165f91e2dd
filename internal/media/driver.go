package media

import (
	"context"
	"net/http"
	"net/netip"
	"time"
)

// Traits are the facts of a driver that do not depend on a running server.
type Traits struct {
	// FoldUsername maps two spellings to the same string when the server takes them for the same account.
	FoldUsername func(string) string
	// FoldEmail does the same for email addresses.
	FoldEmail func(string) string
	// KeyedByEmail: people sign in by email, so that an account needs one.
	KeyedByEmail bool
	// NamedByEmail: accounts have no name but their address, so that Username and Email are the same and never change.
	NamedByEmail bool
	// LongestCall is how long a call can take before it is given up.
	LongestCall time.Duration
	// Concurrency is how many calls may be under way at once.
	Concurrency int
	// AccountIDsNeverReused: an account's id names that account for ever, also after the server's data was lost or an older
	// backup came back, as random ids do. False where ids are counted, or where nobody knows: then another account may have
	// the id one day, and an id proves nothing by itself.
	AccountIDsNeverReused bool
	// LibraryIDsNeverReused says the same of libraries.
	LibraryIDsNeverReused bool
	// MinPassword and MaxPassword bound a password's length in bytes.
	MinPassword, MaxPassword int
	// MinPasswordCharacters is the least number of characters of a password, where the server counts these.
	MinPasswordCharacters int
	// MinUsername and MaxUsername bound the number of a username's characters; zero is no bound.
	MinUsername, MaxUsername int
	// LibraryNamesUnique: the server refuses a second library of a name, so that nobody need look before making one.
	LibraryNamesUnique bool
}

// Driver speaks one media server's wire. The package documentation numbers the rules that hold for all of them.
// What only some servers can do is in the optional interfaces below; Capabilities says which of those hold.
type Driver interface {
	// Traits returns the same at every call.
	Traits() Traits
	// Probe asks the server for its identity, version, abilities and Usher's own account. It changes nothing.
	Probe(ctx context.Context) (Probe, error)
	// Identity reads Probe's Identity alone, in as few requests as can be. It is asked of each new connection.
	Identity(ctx context.Context) (string, error)
	// List returns every account with its access, and every library (rule R4).
	List(ctx context.Context) (Listing, error)
	// Account reads one account.
	Account(ctx context.Context, id AccountID) (Account, error)
	// CreateAccount makes an account and returns it as read back (rules R5, R10).
	CreateAccount(ctx context.Context, account NewAccount) (Account, error)
	// UpdateAccount changes the named fields and returns the account as read back (rule R8).
	UpdateAccount(ctx context.Context, id AccountID, change AccountChange) (Account, error)
	// SetAccess gives the account, just read, exactly the wanted access and returns it as read back (rules R6, R7).
	SetAccess(ctx context.Context, account Account, want Access) (Account, error)
	// SetPassword sets an account's password and ends its sessions where the server can.
	SetPassword(ctx context.Context, id AccountID, password NewPassword) error
	// Library reads one library.
	Library(ctx context.Context, id LibraryID) (Library, error)
	// CreateLibrary makes a library that nobody sees but by role, and returns it as read back.
	CreateLibrary(ctx context.Context, library NewLibrary) (Library, error)
	// UpdateLibrary changes the named fields and returns the library as read back (rule R8).
	UpdateLibrary(ctx context.Context, id LibraryID, change LibraryChange) (Library, error)
	// Close ends the connection. No other call follows.
	Close() error
}

// Bootstrapper makes the first account of a brand-new server (Capabilities.Bootstrap).
// It answers AlreadyExists when the server has an account.
type Bootstrapper interface {
	Bootstrap(ctx context.Context) error
}

// Registrar sets the registration mode (Capabilities.Registration).
type Registrar interface {
	SetRegistration(ctx context.Context, mode RegistrationMode) error
}

// Authenticator tries a password (Capabilities.Authenticate). A wrong one is Unauthenticated.
type Authenticator interface {
	Authenticate(ctx context.Context, username, password string) (AccountID, error)
}

// Disabler disables and enables accounts by the server's own switch (Capabilities.Disable).
type Disabler interface {
	SetDisabled(ctx context.Context, id AccountID, disabled bool) (Account, error)
}

// AccountDeleter deletes accounts (Capabilities.DeleteAccount). NotFound when there is none.
type AccountDeleter interface {
	DeleteAccount(ctx context.Context, id AccountID) error
}

// LibraryLister lists the libraries alone. Without it, List is used.
type LibraryLister interface {
	Libraries(ctx context.Context) ([]Library, error)
}

// Guardian keeps a hole of its server shut by something that it makes there, and that somebody may spoil.
type Guardian interface {
	// Guards are what was made there and is there, each in a word that KnowGuards understands.
	Guards() []string
	// KnowGuards is told before the first call what an earlier driver of the same server had made.
	KnowGuards(guards []string)
	// Amiss says in words for people what the last List found spoiled; empty when nothing was. It asks the server nothing.
	Amiss() []string
	// Mend shuts the hole again, for all accounts that what is spoiled was given to, whoever declares them.
	Mend(ctx context.Context) error
}

// LibraryDeleter deletes empty libraries (Capabilities.DeleteLibrary): Conflict when one is not empty.
type LibraryDeleter interface {
	DeleteLibrary(ctx context.Context, id LibraryID) error
}

// Config is what a driver needs to connect.
type Config struct {
	// URL of the server, without user, query or fragment.
	URL         string
	Credentials Credentials
	// DatabaseURL for a type that needs SQL.
	DatabaseURL string
	// CA holds PEM certificates to trust instead of the system's; nil for the system's.
	CA                 []byte
	InsecureSkipVerify bool
	// Allowed are addresses that may be dialled though MayDial refuses them; nil for none.
	Allowed []netip.Prefix
	// Guard keeps calls from another server than expected; nil lets them go to whoever answers. It is for wire, and for
	// drivers that do not use it.
	Guard *Guard
	// Transport wraps the HTTP transport, for metrics and tests; nil leaves it as it is.
	Transport func(http.RoundTripper) http.RoundTripper
}

// Credentials of the account that Usher uses. Each server's documentation says which fields it wants.
type Credentials struct {
	Username, Password, Email, Token string
}

// Open makes a driver. It does no I/O: what is wrong with the address or the credentials shows at Probe.
// It answers Invalid for a configuration that can never work.
type Open func(Config) (Driver, error)

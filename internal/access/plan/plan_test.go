package plan

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

var update = flag.Bool("update", false, "write the golden files anew")

// roles of the server in these tests: an Editor sees what is given, an Admin sees everything.
var roles = map[media.Role]media.RoleInfo{
	media.RoleMember: {Assignable: true}, "Editor": {Assignable: true},
	media.RoleAdmin: {Assignable: true, SeesAll: true, Administers: true}, media.RoleOwner: {SeesAll: true, Administers: true},
}

// able is a server that can do everything; change takes abilities away.
func able(change ...func(*media.Capabilities)) media.Capabilities {
	can := media.Capabilities{
		Disable: true, LockOut: true, ZeroAccess: true, DeleteAccount: true, AccessAll: true, DisplayName: true, Email: true, Roles: roles,
		LibraryRoles: []media.LibraryRole{media.LibraryViewer, media.LibraryAdmin},
	}
	for _, c := range change {
		c(&can)
	}
	return can
}

func byPassword(can *media.Capabilities) { can.Disable = false }
func byAccess(can *media.Capabilities)   { can.Disable, can.LockOut = false, false }
func never(can *media.Capabilities)      { can.Disable, can.LockOut, can.ZeroAccess = false, false, false }
func keeps(can *media.Capabilities)      { can.DeleteAccount = false }
func fixed(can *media.Capabilities)      { can.PasswordsFixed = true }

// sees is an access: "tv", "movies=Admin", "*" for all.
func sees(ids ...string) media.Access {
	a := media.Access{Libraries: map[media.LibraryID]media.LibraryRole{}}
	for _, id := range ids {
		name, role, has := strings.Cut(id, "=")
		switch {
		case name == "*":
			a.All = true
		case has:
			a.Libraries[media.LibraryID(name)] = media.LibraryRole(role)
		default:
			a.Libraries[media.LibraryID(name)] = media.LibraryViewer
		}
	}
	return a
}

// member is an account of ann with an access.
func member(ids ...string) media.Account {
	return media.Account{ID: "7", Username: "ann", Role: media.RoleMember, Access: sees(ids...)}
}

// user is a User ann, whom grants give movies and tv.
func user(change ...func(*v1alpha1.User)) *v1alpha1.User {
	u := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Name: "ann", Namespace: "media"}}
	u.Spec.Username, u.Spec.Role, u.Spec.ServerRef.Name = "ann", "Member", "home"
	u.Spec.DeletionPolicy = v1alpha1.UserDeletionDisable
	for _, c := range change {
		c(u)
	}
	return u
}

// snapshot is one of a server with the Libraries movies and tv, and an undeclared library.
func snapshot(ownership access.Action, u *v1alpha1.User, can media.Capabilities, account media.Account) Snapshot {
	declared := func(name string) v1alpha1.Library {
		l := v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "media"}}
		l.Spec.ServerRef.Name = "home"
		return l
	}
	s := Snapshot{
		User: u, Ownership: ownership, Account: account, Record: Record{Origin: v1alpha1.OriginCreated}, Want: v1alpha1.UserActive,
		Server: Server{
			Name: "home", Unmanaged: v1alpha1.UnmanagedAccessKeep, Can: can, SelfName: "usher", Libraries: 3,
			Traits: media.Traits{FoldEmail: strings.ToLower, FoldUsername: strings.ToLower},
			Names:  map[media.LibraryID]string{"movies": "Movies", "tv": "TV", "home-videos": "Home videos"},
		},
		Libraries: []v1alpha1.Library{declared("movies"), declared("tv")},
		Beliefs:   Beliefs{Given: map[string]media.LibraryID{"movies": "movies", "tv": "tv"}},
	}
	s.Subject = access.Subject{User: u, Knows: func(v1alpha1.LibraryRole) bool { return true }, SeesAll: can.Roles[media.Role(u.Spec.Role)].SeesAll}
	return s.granted("movies", "tv")
}

// granted is the snapshot with another set of libraries that the manifests give.
func (s Snapshot) granted(libraries ...string) Snapshot {
	s.Subject.Redeemed = map[string]access.Edge{}
	for _, name := range libraries {
		s.Subject.Redeemed[name] = access.Edge{Role: v1alpha1.LibraryRoleViewer, Through: []string{"family"}}
	}
	s.Effective = access.EffectiveAccess(s.Subject, s.Libraries, s.Grants)
	return s
}

func (s Snapshot) with(change func(*Snapshot)) Snapshot {
	change(&s)
	return s
}

// disabled is the snapshot of a User that the manifest disables.
func disabled(s *Snapshot) { s.Want, s.WantDisabled = v1alpha1.UserDisabled, true }

// byUsher is the snapshot of an account that Usher disabled.
func byUsher(method v1alpha1.DisableMethod) func(*Snapshot) {
	return func(s *Snapshot) { s.Record.Disabled, s.Record.Method, s.Record.Locked = true, method, true }
}

// apply is what a server makes of an account by a step.
func apply(account media.Account, step Step) media.Account {
	switch step.Action {
	case Create:
		return media.Account{ID: "7", Username: "ann", Access: step.Access(account), Role: account.Role, Disabled: step.Method == v1alpha1.DisableSwitch}
	case Recover:
		account.Access = step.Access(account)
		account.Disabled = account.Disabled || step.Method == v1alpha1.DisableSwitch
	case SetAccess:
		account.Access, account.Exposed = step.Access(account), false
	case Disable:
		account.Disabled = account.Disabled || step.Method == v1alpha1.DisableSwitch
		if step.Method == v1alpha1.DisableNoAccess {
			account.Access, account.Exposed = step.Access(account), false
		}
	case Enable:
		account.Disabled = account.Disabled && step.Method != v1alpha1.DisableSwitch
	case Update:
		if step.Change.Role != nil {
			account.Role = *step.Change.Role
		}
		if step.Change.Email != nil {
			account.Email = *step.Change.Email
		}
		if step.Change.DisplayName != nil {
			account.DisplayName = *step.Change.DisplayName
		}
	}
	return account
}

// shown is an access in one line.
func shown(a media.Access) string {
	var all []string
	if a.All {
		all = append(all, "*")
	}
	for _, id := range a.IDs() {
		all = append(all, strings.TrimSuffix(string(id)+"="+string(a.Libraries[id]), "=Viewer"))
	}
	return "[" + strings.Join(all, " ") + "]"
}

// text is a plan for people who read the golden files.
func (p Plan) text() string {
	var b strings.Builder
	account := p.Of.Account
	fmt.Fprintf(&b, "  account: %s %s disabled=%t\n", account.Role, shown(account.Access), account.Disabled)
	for i, step := range p.Steps {
		fmt.Fprintf(&b, "  %d. %s", i+1, step.Action)
		if step.Method != "" {
			fmt.Fprintf(&b, " (%s)", step.Method)
		}
		if step.Optional {
			b.WriteString(" (the server may refuse)")
		}
		if step.Access != nil {
			fmt.Fprintf(&b, " %s", shown(step.Access(account)))
		}
		fmt.Fprintf(&b, ": %s\n", strings.Join(step.Reason, "; "))
		account = apply(account, step)
	}
	if len(p.Steps) == 0 {
		b.WriteString("  nothing\n")
	}
	var says []string
	for word, is := range map[string]bool{"locks somebody out": p.LocksOut(), "only revokes": p.Writes() && p.OnlyRevokes(), "raises": p.Raises()} {
		if is {
			says = append(says, word)
		}
	}
	if slices.Sort(says); len(says) > 0 {
		fmt.Fprintf(&b, "  %s\n", strings.Join(says, ", "))
	}
	if p.Problem != nil {
		fmt.Fprintf(&b, "  %s: %s\n", p.Problem.Reason, p.Problem.Message)
	}
	return b.String()
}

// row is a plan with the name of what is planned for.
type row struct {
	name string
	plan Plan
}

// golden compares plans with a golden file.
func golden(t *testing.T, file, header string, rows []row) {
	t.Helper()
	var b strings.Builder
	b.WriteString(header)
	for _, r := range rows {
		fmt.Fprintf(&b, "\n%s\n%s", r.name, r.plan.text())
	}
	path := "testdata/" + file
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("plans changed; look at the difference, then run: go test ./internal/access/plan -update\n%s", b.String())
	}
}

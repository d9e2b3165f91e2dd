package media

import (
	"context"
	"testing"
	"time"
)

// TestWhoIsProtected: Usher's own account, owners, and the last administrator who can sign in.
func TestWhoIsProtected(t *testing.T) {
	const admin = Role("Admin")
	probe := Probe{Self: "self", Capabilities: Capabilities{Roles: map[Role]RoleInfo{admin: {Administers: true}, RoleOwner: {Administers: true}, RoleMember: {}}}}
	ann := Account{ID: "ann", Username: "ann", Role: admin}
	for _, c := range []struct {
		name      string
		account   Account
		others    []Account
		protected bool
	}{
		{"Usher's own", Account{ID: "self", Role: RoleMember}, nil, true},
		{"an owner", Account{ID: "bob", Role: RoleOwner}, []Account{ann}, true},
		{"a member", Account{ID: "bob", Role: RoleMember}, nil, false},
		{"the only administrator", ann, []Account{{ID: "bob", Username: "bob", Role: RoleMember}}, true},
		{"one of two administrators", ann, []Account{{ID: "bob", Username: "bob", Role: admin}}, false},
		{"an administrator beside one who is disabled", ann, []Account{{ID: "bob", Username: "bob", Role: admin, Disabled: true}}, true},
	} {
		s := &Server{inventory: testInventory()}
		for _, account := range append(c.others, c.account) {
			s.inventory.recordAccount(account)
		}
		if why := s.Protection(probe, c.account); (why != "") != c.protected {
			t.Errorf("%s: protected: %q", c.name, why)
		}
	}
}

// TestAServerThatDoesNotSayWhoItIs is no server that anything is known of.
func TestAServerThatDoesNotSayWhoItIs(t *testing.T) {
	g := newGuard(time.Now)
	g.read = func(context.Context) (string, error) { return "", nil }
	if _, err := g.Identify(t.Context()); CodeOf(err) != Unavailable {
		t.Errorf("an empty identity is %v", err)
	}
}

// TestAFailureOfAnEarlierConnectionIsNotTheNewOnes: what was opened since stays up.
func TestAFailureOfAnEarlierConnectionIsNotTheNewOnes(t *testing.T) {
	connections, former, present := NewConnections(), &Server{}, &Server{}
	connections.Put("home", Connection{Server: present, Up: true})
	if connections.Fail("home", former, "Unreachable", "gone", noon) || !connections.Get("home").Up {
		t.Error("the failure of a connection that was closed took the new one down")
	}
	if !connections.Fail("home", present, "Unreachable", "gone", noon) || connections.Get("home").Up {
		t.Error("the failure of the connection did not take it down")
	}
}

// TestAListOfInvitesThatAWriteOvertookIsNotKept.
func TestAListOfInvitesThatAWriteOvertookIsNotKept(t *testing.T) {
	var l inviteList
	_, epoch, _ := l.get(noon, time.Hour)
	l.forget() // a write ends while the list is read
	l.put([]Invite{{ID: "deleted meanwhile"}}, noon, epoch)
	if list, _, fresh := l.get(noon, time.Hour); fresh {
		t.Errorf("kept %v", list)
	}
	_, epoch, _ = l.get(noon, time.Hour)
	l.put([]Invite{{ID: "there"}}, noon, epoch)
	if list, _, fresh := l.get(noon, time.Hour); !fresh || len(list) != 1 {
		t.Errorf("not kept: %v", list)
	}
}

// TestADoubtHasTheIdentityReadAgain, however lately it was read.
func TestADoubtHasTheIdentityReadAgain(t *testing.T) {
	var readings int
	identity := "home"
	g := newGuard(func() time.Time { return noon })
	g.read = func(context.Context) (string, error) { readings++; return identity, nil }
	g.expect(g.mark(), "home")
	if err := g.Check(t.Context()); err != nil || readings != 0 {
		t.Errorf("right after it was read: %v, read %d times", err, readings)
	}
	identity = "another"
	g.Doubt()
	if err := g.Check(t.Context()); err == nil || readings != 1 {
		t.Errorf("in doubt: %v, read %d times", err, readings)
	}
}

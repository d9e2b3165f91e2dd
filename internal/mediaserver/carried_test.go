package mediaserver_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// carried is an invite to the library of films, and a way to make a browser for somebody who has signed in by themselves.
type carried struct {
	*world
	owner, films, invite string
}

func carry(t *testing.T, more string) *carried {
	w := start(t)
	c := &carried{world: w, owner: w.owner()}
	c.films = w.library(c.owner, "Films", "films")
	c.invite = w.invite(c.owner, code, `,"libraries":[{"libraryId":"`+c.films+`"}]`+more)
	return c
}

// signedIn is a browser that has signed in on the first page, before the invite was opened.
func (c *carried) signedIn(name string) *browser {
	c.Helper()
	b := c.browser()
	b.policy = webPolicy
	b.open(200, "/")
	b.submit(303, "sign-in", map[string]string{"login": name, "password": password})
	b.policy = c.browser().policy
	return b
}

// Alcoves seed, lines 57 and 58: who is signed in accepts with one click, and is in the library itself.
func TestASessionAcceptsWithOneClick(t *testing.T) {
	c := carry(t, "")
	_, mia := c.user(c.owner, "mia", `,"displayName":"Mia"`)
	b := c.signedIn("mia")
	b.open(200, "/invite/"+code)
	b.sees("You are signed in as", "Mia", "Accept the invite", "somebody else")
	b.submit(303, "join", nil)
	b.policy = webPolicy
	b.goesTo("/app/libraries/" + c.films)
	if got := c.names("/v1/libraries", mia, "name"); !slices.Equal(got, []string{"Films"}) {
		t.Errorf("mia sees %v", got)
	}
	b.policy = c.browser().policy
	b.open(200, "/invite/"+code)
	b.sees("You are already a member", `href="/app/libraries/`+c.films+`"`)
	if strings.Contains(b.page.body, "Accept the invite") {
		t.Errorf("there is something to accept:\n%s", b.page.body)
	}
	if got := c.names("/v1/invites/"+c.invite+"/uses", c.owner, "username"); !slices.Equal(got, []string{"mia"}) {
		t.Errorf("used by %v", got)
	}
	// Another site cannot make a browser accept, nor can anybody without a session.
	if got := (&matrix{world: c.world}).visit("POST", "/invite/"+code+"/join", "", ""); got.status != 303 || got.header.Get("Location") != "/invite/"+code {
		t.Errorf("a stranger joins: %v", got)
	}
	if got := c.send("POST", "/invite/"+code+"/join", "", "", "Cookie", "mediaserver_session="+mia, "Sec-Fetch-Site", "cross-site"); got.status != 403 {
		t.Errorf("another site joins: %v", got)
	}
}

// What the inviter has to say comes before the library.
func TestAWelcomeComesFirst(t *testing.T) {
	c := carry(t, `,"welcome":"Hello there"`)
	c.user(c.owner, "mia", "")
	b := c.signedIn("mia")
	b.open(200, "/invite/"+code)
	b.submit(303, "join", nil)
	b.goesTo("/invite/" + code + "/done")
	b.sees("Hello there", `href="/app/libraries/`+c.films+`"`)
}

// Alcoves seed, line 57: also for who must change the password first, be they signed in before or on the invite's page.
func TestAnInviteIsCarriedThroughANewPassword(t *testing.T) {
	for _, before := range []bool{false, true} {
		c := carry(t, "")
		c.user(c.owner, "mia", `,"mustChangePassword":true`)
		b := c.browser()
		if before {
			b = c.signedIn("mia")
		}
		b.open(200, "/invite/"+code)
		if before {
			b.sees("Choose a new password first", `href="/app/account?invite=`+code+`"`)
			b.policy = webPolicy
			b.open(200, "/app/account?invite="+code)
		} else {
			b.submit(303, "accept", map[string]string{"login": "mia", "password": password})
			b.policy = webPolicy
			b.goesTo("/app/account?invite=" + code)
		}
		const chosen = "a password of my own"
		b.submit(422, "account", map[string]string{"new": chosen, "repeat": "another"})
		b.submit(303, "account", map[string]string{"new": chosen, "repeat": chosen})
		b.policy = c.browser().policy
		b.goesTo("/invite/" + code)
		b.submit(303, "join", nil)
		b.policy = webPolicy
		b.goesTo("/app/libraries/" + c.films)
	}
}

// A way back leads to invites of this server, and nowhere else.
func TestTheWayBackIsAnInvite(t *testing.T) {
	c := carry(t, "")
	c.user(c.owner, "mia", "")
	b := c.signedIn("mia")
	b.policy = webPolicy
	for _, bad := range []string{
		"//evil.example", "https://evil.example/", "../app/recent", code + "/../../app/recent", code + "?x=y", code + "\r\nX-Evil: 1", "short",
	} {
		b.open(200, "/app/account?invite="+url.QueryEscape(bad))
		if strings.Contains(b.page.body, bad) {
			t.Errorf("the page holds %q", bad)
		}
		b.open(200, "/app/account?invite="+code)
		b.submit(303, "account", map[string]string{"current": password, "new": password, "repeat": password, "invite": bad})
		if got := b.page.header.Get("Location"); got != "/app/account?done" || b.page.header.Get("X-Evil") != "" {
			t.Errorf("%q leads to %q", bad, got)
		}
	}
}

// Who has used an invite up knows how they stand to it: its end is what the others are told.
func TestWhoUsedAnInviteUpIsToldHowTheyStand(t *testing.T) {
	c := carry(t, `,"maxUses":1`)
	mia, token := c.user(c.owner, "mia", "")
	_, tom := c.user(c.owner, "tom", "")
	look, accept := "/v1/invitations/"+code, "/v1/invitations/"+code+"/accept"
	c.want(200, "POST", accept, token, "")
	b := c.signedIn("mia")
	b.open(200, "/invite/"+code)
	b.sees("You are already a member", `href="/app/libraries/`+c.films+`"`)
	c.want(204, "DELETE", "/v1/libraries/"+c.films+"/members/"+mia, c.owner, "")
	const used = "You have used this invite already, and do not see all that it gives. Ask whoever invited you"
	for _, revoked := range []bool{false, true} {
		c.want(200, "PATCH", "/v1/invites/"+c.invite, c.owner, fmt.Sprintf(`{"revoked":%t}`, revoked))
		if got := c.want(200, "GET", look, token, ""); got["reason"] != used || got["canAccept"] != false || got["alreadyMember"] != false {
			t.Errorf("revoked is %t: %v", revoked, got)
		}
		c.says(403, used, "POST", accept, token, "")
		b.open(410, "/invite/"+code)
		b.sees("You have used this invite already", "Ask olga")
	}
	c.says(410, "Invite has been revoked", "POST", accept, tom, "")
	other := c.signedIn("tom")
	other.open(410, "/invite/"+code)
	if strings.Contains(other.page.body, "You have used") {
		t.Errorf("somebody else is told:\n%s", other.page.body)
	}
}

// Alcoves seed, lines 54 and 60: a member is who is one. Who used the link and was removed is none, and does not come back by it.
func TestWhoWasRemovedIsNoMember(t *testing.T) {
	c := carry(t, "")
	mia, token := c.user(c.owner, "mia", "")
	accept := "/v1/invitations/" + code + "/accept"
	c.want(200, "POST", accept, token, "")
	if got := c.want(200, "GET", "/v1/invitations/"+code, token, ""); got["alreadyMember"] != true {
		t.Errorf("a member: %v", got)
	}
	c.want(204, "DELETE", "/v1/libraries/"+c.films+"/members/"+mia, c.owner, "")
	const used = "You have used this invite already, and do not see all that it gives. Ask whoever invited you"
	if got := c.want(200, "GET", "/v1/invitations/"+code, token, ""); got["alreadyMember"] != false || got["canAccept"] != false || got["reason"] != used {
		t.Errorf("who was removed: %v", got)
	}
	c.says(403, used, "POST", accept, token, "")
	b := c.signedIn("mia")
	b.open(200, "/invite/"+code)
	b.sees("You have used this invite already", "olga")
	form := b.page
	b.submit(403, "accept", map[string]string{"login": "mia", "password": password})
	b.sees("You have used this invite already")
	for _, page := range []string{"/done", "/already"} {
		if b.do("GET", "/invite/"+code+page, nil); b.page.status != 303 {
			t.Errorf("%s says that who was removed is in: %v", page, b.page)
		}
	}
	if b.page = form; strings.Contains(form.body, "already a member") || strings.Contains(form.body, "Accept the invite") {
		t.Errorf("the page says:\n%s", form.body)
	}
	if got := c.names("/v1/libraries", token, "name"); len(got) != 0 {
		t.Errorf("mia sees %v", got)
	}
	// Whoever gives it back makes a member of her.
	c.want(200, "POST", "/v1/libraries/"+c.films+"/permissions", c.owner, `{"userId":"`+mia+`"}`)
	if got := c.want(200, "POST", accept, token, ""); got["result"] != "already_member" {
		t.Errorf("got %v", got)
	}
}

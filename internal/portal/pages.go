package portal

import (
	"html/template"
	"strings"
	"time"
)

// Page is something that Write can answer with: *Preview, *Done, *Ended or *Notice.
type Page interface {
	// template names the file that shows the page.
	template() string
	site() Site
	// Title is what the browser's tab says.
	Title() string
}

// Site is the server that people are invited to.
type Site struct {
	// Name is what the server calls itself.
	Name string
	// URL is where its people go; empty for no link.
	URL string
	// Assets is the path below which Assets is served, with a slash at its end: "/assets/".
	Assets string
}

// Library is one library as somebody sees it who is not in yet.
type Library struct {
	Name string
	// Emoji may be empty.
	Emoji string
}

// Offer is what an invite holds for whoever opens it.
type Offer struct {
	// Reason is empty while the invite lets people in. It may have ended when a sent form is shown again.
	Reason Reason
	// Inviter is the name of who sent it.
	Inviter   string
	Libraries []Library
	// Remaining is how many people it still lets in; nil: any number.
	Remaining *int
	// ExpiresAt is nil for never.
	ExpiresAt *time.Time
	// EmailBound says that it is for one mail address only. Which one is not shown.
	EmailBound bool
}

// Preview is the page of an invite that lets people in (Alcoves seed: "showing your name, the library name, and the
// current status of the invite before they accept").
type Preview struct {
	Site  Site
	Offer Offer
	// Now is the time that the expiry is told against.
	Now time.Time
	// Register is nil where registration is closed: then only those with an account can accept.
	Register *RegisterForm
	SignIn   SignInForm
	// Session is nil for a visitor who is not signed in.
	Session *Session
	// FormToken is what NewFormToken returned.
	FormToken string
}

// Session is what an invite's page says to who is signed in already.
type Session struct {
	Name string
	// Action is the path to send the acceptance to.
	Action string
	// Member says that there is nothing to accept; Used, that they have used the invite and do not see all that it gives.
	Member, Used bool
	// ChangePassword is where they change their password first; empty if they need not.
	ChangePassword string
	// Open is where to find what the invite gives.
	Open Link
}

// Link is a way on.
type Link struct{ URL, Text string }

func (*Preview) template() string { return "preview.html" }
func (p *Preview) site() Site     { return p.Site }

// Title says who invites, after a warning if something in a form has to be mended.
func (p *Preview) Title() string {
	title := p.Offer.Inviter + " invites you to " + p.Site.Name
	if len(p.SignIn.Problems) > 0 || (p.Register != nil && len(p.Register.Problems) > 0) {
		return "Problem: " + title
	}
	return title
}

// Done is the page after an invite was accepted, for who is signed in.
type Done struct {
	Site Site
	// Libraries may be empty where they are not to be shown any more.
	Libraries []Library
	// Already says that there was nothing to do.
	Already bool
	// Open is where to find what the invite gave.
	Open Link
	// Welcome is what the inviter has to say, made safe to show by Markdown; may be empty.
	Welcome template.HTML
}

func (*Done) template() string { return "done.html" }
func (p *Done) site() Site     { return p.Site }

// Title says that the visitor is in.
func (p *Done) Title() string {
	if p.Already {
		return "Already a member of " + p.Site.Name
	}
	return "You are in: " + p.Site.Name
}

// Reason says why an invite lets nobody in.
type Reason string

// The reasons.
const (
	Revoked   Reason = "revoked"
	Expired   Reason = "expired"
	Exhausted Reason = "exhausted"
	// Unavailable: for now; the link may work again.
	Unavailable Reason = "unavailable"
	// Unknown is for links that never were, and for those that are gone: the two look the same.
	Unknown Reason = "unknown"
)

// Words is the reason in a word or two.
func (r Reason) Words() string {
	switch r {
	case Exhausted:
		return "Used up"
	case Unavailable:
		return "Not available right now"
	case Revoked, Expired:
		return strings.ToUpper(string(r[:1])) + string(r[1:])
	default:
		return "Unknown"
	}
}

// Ended is the page of an invite that lets nobody in.
type Ended struct {
	Site   Site
	Reason Reason
	// Inviter is whom to ask for another; empty where Reason is Unknown.
	Inviter string
	// Libraries are what it gave; empty where that is not to be told.
	Libraries []Library
	// ExpiresAt and Now say when it expired; needed for Expired only.
	ExpiresAt *time.Time
	Now       time.Time
}

func (*Ended) template() string { return "ended.html" }
func (p *Ended) site() Site     { return p.Site }

// Title is the heading too.
func (p *Ended) Title() string {
	switch p.Reason {
	case Revoked:
		return "This invite has been revoked"
	case Expired:
		return "This invite has expired"
	case Exhausted:
		return "This invite is used up"
	case Unavailable:
		return "This invite is not available right now"
	default:
		return "There is no such invite"
	}
}

// Notice is a page of a few words, for whatever else there is to say.
type Notice struct {
	Site          Site
	Heading, Text string
	// LinkURL and LinkText are a way on; empty for none.
	LinkURL, LinkText string
}

func (*Notice) template() string { return "notice.html" }
func (p *Notice) site() Site     { return p.Site }

// Title is the heading too.
func (p *Notice) Title() string { return p.Heading }

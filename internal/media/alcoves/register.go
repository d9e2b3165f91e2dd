package alcoves

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// ownLink is how long a link lives that is minted to be used at once: longer than the call, and short enough that one
// that a crash leaves behind dies by itself. Its code is known to nobody but to admins of its library.
const ownLink = 15 * time.Minute

// registering is one account that is made without a database: by registering, as a person does.
type registering struct {
	*Driver
	want checked
	// links are those that were minted, by library.
	links map[string]link
	// session is the new account's own.
	session wire.Token
	who     account
}

// register makes an account by minting a link for one use and registering with it. Nothing that it does, and no crash
// in it, gives more than was asked for: each link leads to a library that is wanted, and is used by the new account,
// whose password nobody knows yet. A crash leaves an account with less than was asked for, or none.
func (d *Driver) register(ctx context.Context, want checked) (media.Account, error) {
	if err := d.mayRegister(ctx, want); err != nil {
		return media.Account{}, err
	}
	r := &registering{Driver: d, want: want, links: map[string]link{}}
	defer r.cleanUp(ctx)
	ids := want.access.IDs()
	for i, id := range ids {
		if err := r.mintOne(ctx, string(id)); err != nil {
			return media.Account{}, err
		}
		if i > 0 {
			if err := r.accept(ctx, string(id)); err != nil {
				return media.Account{}, err
			}
		} else if err := r.signUp(ctx, string(id)); err != nil {
			return media.Account{}, err
		}
		if role := want.access.Libraries[id]; role != media.LibraryViewer {
			if err := d.setRole(ctx, string(id), r.who.ID, role); err != nil {
				return media.Account{}, partly(ctx)
			}
		}
	}
	if len(ids) == 0 {
		if err := r.signUp(ctx, ""); err != nil {
			return media.Account{}, err
		}
	}
	return r.readBack(ctx)
}

// readBack reads the libraries that the account was given. It is new: it has no others.
func (r *registering) readBack(ctx context.Context) (media.Account, error) {
	made := r.who.account()
	for _, id := range r.want.access.IDs() {
		who, err := r.sharing(ctx, string(id))
		if err != nil {
			return media.Account{}, partly(ctx)
		}
		for _, one := range who.Members {
			if one.UserID == r.who.ID && !one.IsOwner {
				made.Access.Libraries[id] = libraryRoles[one.Role]
			}
		}
	}
	if !made.Access.Equal(r.want.access) {
		return media.Account{}, partly(ctx)
	}
	return made, nil
}

// partly is for an account that is there, with less than was asked for.
func partly(ctx context.Context) error {
	return media.Errorf(media.Ambiguous, "the account was made, but does not have all of its libraries").WithCause(ctx.Err())
}

// mayRegister finds out what would refuse the account after something was made.
func (d *Driver) mayRegister(ctx context.Context, want checked) error {
	everybody, err := d.everybody(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(everybody, func(one account) bool { return foldEmail(one.Email) == want.email }) {
		return media.Errorf(media.AlreadyExists, "the email address is taken")
	}
	var now mode
	if err := d.anonymously(ctx, "/api/_meta/registration-mode", &now); err != nil {
		return err
	}
	switch mode := registrations[now.Mode]; {
	case mode == media.RegistrationClosed:
		return d.needsDatabase("registration is closed on the server, so that no account can be made: set spec.registration to InviteOnly. It cannot be made otherwise")
	case mode == media.RegistrationInviteOnly && len(want.access.Libraries) == 0:
		return d.needsDatabase("the server takes nobody without a link, and each link gives a library: grant the person one first. Without a library none can be made")
	}
	var visible libraries
	if err := d.get(ctx, librariesPath, &visible); err != nil {
		return err
	}
	for _, id := range want.access.IDs() {
		at := slices.IndexFunc(visible, func(one library) bool { return one.ID == string(id) })
		switch {
		case at < 0:
			return media.Errorf(media.Invalid, "there is no such library to give")
		case *visible[at].IsDefault:
			return media.Errorf(media.Conflict, "a personal library is never given to anybody else")
		case !visible[at].manageable():
			return media.Errorf(media.PermissionDenied, "the account that Usher uses is no admin of a library that is to be given: make it one on the server's own pages")
		}
	}
	return nil
}

func (r *registering) mintOne(ctx context.Context, library string) error {
	once, until := 1, time.Now().Add(ownLink)
	made, err := r.mint(ctx, library, linkBody{MaxUses: &once, ExpiresAt: &until})
	if err == nil {
		r.links[library] = made
		return nil
	}
	if r.who.ID != "" {
		return partly(ctx)
	}
	return err
}

// signUp registers, with the link to a library where one is named. The server redeems the link after it has made the
// account, and may fail in between (section 3): then the account is ours if it accepts our password, and accepts the
// link by itself.
func (r *registering) signUp(ctx context.Context, library string) error {
	body := map[string]string{"name": r.want.name, "email": r.want.email, "password": r.want.password}
	if library != "" {
		body["inviteToken"] = r.links[library].Token
	}
	answer, err := r.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: "/api/auth/register", Anonymous: true, Body: body, Into: &r.who,
		Codes: map[int]media.Code{http.StatusConflict: media.AlreadyExists},
	})
	if err == nil {
		if r.session, err = sessionOf(answer); err != nil {
			err = partly(ctx)
		}
		return err
	}
	if answer.Status != http.StatusInternalServerError {
		return err
	}
	who, session, failed := r.trySignIn(ctx, r.want.email, r.want.password)
	if failed != nil {
		return err
	}
	r.who, r.session = who, session
	if library == "" {
		return nil
	}
	return r.accept(ctx, library)
}

// accept redeems a link as the new account.
func (r *registering) accept(ctx context.Context, library string) error {
	var done accepted
	_, err := r.client.DoAs(ctx, r.session.Value, wire.Call{
		Method: http.MethodPost, Path: acceptPath, Args: []string{r.links[library].Token}, Into: &done,
	})
	if err != nil || done.LibraryID != library {
		return partly(ctx)
	}
	return nil
}

// cleanUp revokes the links and signs the new account out. What fails here expires by itself.
func (r *registering) cleanUp(ctx context.Context) {
	for library, one := range r.links {
		_ = r.revokeLinks(ctx, library, []link{one})
	}
	if r.session.Value != "" {
		r.signOut(ctx, r.session)
	}
}

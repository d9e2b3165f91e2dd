package redeem

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// Engine admits people by Invites of servers that have none of their own. Several may run at once, in one process or
// in many: what they must agree on is in the API server. Use New.
type Engine struct {
	client  client.Client
	code    func(types.UID) string
	connect Connect
	now     func() time.Time
	wait    Waiting
}

// Connect returns the connection to a MediaServer.
type Connect func(ctx context.Context, server types.NamespacedName) (*media.Server, error)

// Waiting bounds how an Engine waits.
type Waiting struct {
	// Poll is the time between two looks at the User that is being made.
	Poll time.Duration
	// Account is how long an account may take to be made.
	Account time.Duration
	// Lease is how long a reservation counts as being worked on by who made it or last took it up. Longer than Account.
	Lease time.Duration
}

// DefaultWaiting suits people before a page.
var DefaultWaiting = Waiting{Poll: 250 * time.Millisecond, Account: 45 * time.Second, Lease: time.Minute}

// New makes an Engine. The client must read live: an engine never decides on the word of a cache. code derives an
// Invite's code from its UID.
func New(live client.Client, code func(types.UID) string, connect Connect, now func() time.Time, wait Waiting) *Engine {
	return &Engine{client: live, code: code, connect: connect, now: now, wait: wait}
}

// Request is a person with a link.
type Request struct {
	Person
	// Code of the link. A secret.
	Code string
	// Password that the person chose. A secret; it goes to the media server and nowhere else.
	Password string
}

// Receipt says what a person got.
type Receipt struct {
	// User that stands for the person.
	User string
	// AlreadyMember: the person came by this invite before; nothing was changed, not the password either.
	AlreadyMember bool
}

// Redeem admits one person. The same again after ErrUnavailable or a crash goes on where it ended; the same again
// after success is a no-op. The error is one of those of this package.
func (e *Engine) Redeem(ctx context.Context, name types.NamespacedName, request Request) (Receipt, error) {
	invite, err := e.invite(ctx, name, request.Code)
	if err != nil {
		return Receipt{}, err
	}
	if len(invite.Spec.Offers) != 1 {
		return Receipt{}, unavailable(errSeveralOffers)
	}
	offer := &invite.Spec.Offers[0]
	server, err := e.connect(ctx, types.NamespacedName{Namespace: invite.Namespace, Name: offer.ServerRef.Name})
	if err != nil {
		return Receipt{}, unavailable(err)
	}
	if traits := server.Traits(); traits.NamedByEmail {
		request.Username = traits.FoldEmail(request.Email) // whatever else the person would like to be called
	}
	if err := validate(invite, request, server.Traits()); err != nil {
		return Receipt{}, err
	}
	redemptions, err := e.redemptions(ctx, invite)
	if err != nil {
		return Receipt{}, unavailable(err)
	}
	mine := find(redemptions, offer.ServerRef.Name, request.Username, server.Traits().FoldUsername)
	switch {
	case mine != nil && mine.Status.Phase == v1alpha1.RedemptionCompleted:
		return Receipt{User: mine.Account(offer.ServerRef.Name).UserRef.Name, AlreadyMember: true}, nil
	case mine != nil:
		err = e.takeUp(ctx, mine)
	default:
		mine, err = e.reserve(ctx, invite, request, redemptions)
	}
	if err != nil {
		return Receipt{}, err
	}
	account := mine.Account(offer.ServerRef.Name)
	if account == nil {
		return Receipt{}, unavailable(errOtherOffers)
	}
	if err := e.admit(ctx, mine, account, request, server); err != nil {
		return Receipt{}, err
	}
	return Receipt{User: account.UserRef.Name}, nil
}

// invite reads the Invite live and compares the code.
func (e *Engine) invite(ctx context.Context, name types.NamespacedName, code string) (*v1alpha1.Invite, error) {
	invite := &v1alpha1.Invite{}
	if err := e.client.Get(ctx, name, invite); apierrors.IsNotFound(err) {
		return nil, ErrUnknown
	} else if err != nil {
		return nil, unavailable(err)
	}
	if !hmac.Equal([]byte(e.code(invite.UID)), []byte(code)) {
		return nil, ErrUnknown
	}
	return invite, nil
}

func (e *Engine) redemptions(ctx context.Context, invite *v1alpha1.Invite) ([]v1alpha1.Redemption, error) {
	var list v1alpha1.RedemptionList
	err := e.client.List(ctx, &list, client.InNamespace(invite.Namespace), client.MatchingLabels{v1alpha1.LabelInviteUID: string(invite.UID)})
	return list.Items, err
}

func find(redemptions []v1alpha1.Redemption, server, username string, fold func(string) string) *v1alpha1.Redemption {
	for i := range redemptions {
		if account := redemptions[i].Account(server); account != nil && fold(account.Username) == fold(username) {
			return &redemptions[i]
		}
	}
	return nil
}

// open says whether the invite admits one more, by its spec, the uses and the time.
func (e *Engine) open(invite *v1alpha1.Invite, uses int) error {
	switch state, _ := access.InviteState(invite, uses, e.now()); state {
	case v1alpha1.InviteRevoked:
		return ErrRevoked
	case v1alpha1.InviteExpired:
		return ErrExpired
	case v1alpha1.InviteExhausted:
		return ErrExhausted
	}
	return nil
}

// reserve takes a slot, and makes sure afterwards that the Invite still admits: what was revoked before the slot was
// taken admits nobody.
func (e *Engine) reserve(ctx context.Context, invite *v1alpha1.Invite, request Request, taken []v1alpha1.Redemption) (*v1alpha1.Redemption, error) {
	if err := e.open(invite, len(taken)); err != nil {
		return nil, err
	}
	accounts, err := e.accounts(ctx, invite, request)
	if err != nil {
		return nil, unavailable(err)
	}
	use := Use{Invite: invite, Accounts: accounts, At: e.now(), Taken: taken}
	if invite.Spec.MaxUses != nil {
		use.Limit = int(*invite.Spec.MaxUses)
	}
	mine, err := Reserve(ctx, e.client, use)
	if errors.Is(err, ErrExhausted) {
		return nil, err
	}
	if err != nil {
		return nil, unavailable(err) // it may be reserved: the same username finds it again
	}
	if err := e.confirm(ctx, invite, mine); err != nil {
		return nil, errors.Join(err, e.giveBack(ctx, mine))
	}
	return mine, nil
}

// confirm reads the Invite and its uses again, now that the slot is taken.
func (e *Engine) confirm(ctx context.Context, invite *v1alpha1.Invite, mine *v1alpha1.Redemption) error {
	again, err := e.invite(ctx, client.ObjectKeyFromObject(invite), e.code(invite.UID))
	if err != nil {
		return err
	}
	uses, err := e.redemptions(ctx, again)
	if err != nil {
		return unavailable(err)
	}
	for i := range uses { // two that asked for one name at the same moment: the lower slot has it
		if other := &uses[i]; other.UID != mine.UID && sharesUser(other, mine) && other.Spec.Slot < mine.Spec.Slot {
			return ErrBusy
		}
	}
	return e.open(again, len(uses)-1)
}

// sharesUser says whether two uses are to make the same User.
func sharesUser(a, b *v1alpha1.Redemption) bool {
	return slices.ContainsFunc(a.Spec.Accounts, func(account v1alpha1.RedeemedAccount) bool { return b.AccountOf(account.UserRef.Name) != nil })
}

// accounts are those that somebody gets who comes now.
func (e *Engine) accounts(ctx context.Context, invite *v1alpha1.Invite, request Request) ([]v1alpha1.RedeemedAccount, error) {
	var libraries v1alpha1.LibraryList
	if err := e.client.List(ctx, &libraries, client.InNamespace(invite.Namespace)); err != nil {
		return nil, err
	}
	var accounts []v1alpha1.RedeemedAccount
	for i := range invite.Spec.Offers {
		offer := &invite.Spec.Offers[i]
		edges, err := access.OfferEdges(offer, libraries.Items)
		if err != nil {
			return nil, err
		}
		name := UserName(request.Username, string(invite.UID))
		accounts = append(accounts, TermsOf(invite, offer).Account(offer.ServerRef.Name, request.Username, name, edges, e.now()))
	}
	return accounts, nil
}

// takeUp goes on with a reservation that nobody works on any more. The patch fails when somebody else takes it up at
// the same moment.
func (e *Engine) takeUp(ctx context.Context, mine *v1alpha1.Redemption) error {
	now := e.now()
	if attempt := lastAttempt(mine); now.Before(attempt.Add(e.wait.Lease)) {
		return ErrBusy
	}
	base := mine.DeepCopy()
	setAttempt(mine, now)
	err := e.client.Patch(ctx, mine, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsConflict(err) {
		return ErrBusy
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// validate refuses what the media server would refuse after the use was reserved.
func validate(invite *v1alpha1.Invite, request Request, traits media.Traits) error {
	invalid := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
	}
	name := request.Username
	switch {
	case name == "" || utf8.RuneCountInString(name) > 64 || strings.TrimSpace(name) != name || strings.ContainsFunc(name, unicode.IsControl):
		return invalid("a username has 1 to 64 characters, and no space at its ends")
	case len(request.Password) < traits.MinPassword:
		return invalid("a password has at least %d characters", traits.MinPassword)
	case traits.MaxPassword > 0 && len(request.Password) > traits.MaxPassword:
		return invalid("a password has at most %d characters", traits.MaxPassword)
	case strings.ContainsFunc(request.Password, unicode.IsControl):
		return invalid("a password has no control characters")
	case (traits.KeyedByEmail || invite.Spec.Email != "") && request.Email == "":
		return invalid("an email address is needed")
	case invite.Spec.Email != "" && traits.FoldEmail(invite.Spec.Email) != traits.FoldEmail(request.Email):
		return ErrWrongEmail
	}
	return nil
}

// unavailable keeps the cause for logs and errors.Is; a page shows ErrUnavailable's own words.
func unavailable(cause error) error {
	return fmt.Errorf("%w (%w)", ErrUnavailable, cause)
}

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

const (
	// recordedWithin is how soon after a sign-up the person is a User.
	recordedWithin = 10 * time.Second
	// expiresIn leaves time to watch an Invite that is still Pending.
	expiresIn = 5 * time.Second
	// expiredWithin leaves a slow machine time to say so.
	expiredWithin = expiresIn + 5*time.Second
)

// recorded waits until Usher has made a Redemption and a User of each person who came, and says that nobody more may.
func (g *guests) recorded(ctx context.Context) error {
	g.out.wait("for Usher to hear of them (within %s)", recordedWithin)
	began := time.Now()
	missing, err := g.until(ctx, recordedWithin, func(ctx context.Context) (string, error) { return g.unrecorded(ctx) })
	if err != nil {
		return err
	}
	g.line(missing == "", "%s are Users and Redemptions, the invite is %s: %.1f s later%s",
		strings.Join(comers, " and "), endsAs[cousins], time.Since(began).Seconds(), missing)
	for _, what := range [][]string{{"redemptions"}, {"users", "-l", "usher.media/invite=" + cousins}} {
		if err := g.table(ctx, what...); err != nil {
			return err
		}
	}
	for _, name := range comers { // Usher has compared by now what they see with what they should see.
		if err := g.seesExactly(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// unrecorded says what Usher has not said yet.
func (g *guests) unrecorded(ctx context.Context) (string, error) {
	var redemptions v1alpha1.RedemptionList
	if err := g.env.Client().List(ctx, &redemptions, client.InNamespace(namespace)); err != nil {
		return "", err
	}
	var came []string
	for _, r := range redemptions.Items {
		if r.Spec.InviteRef.Name != cousins || r.Status.Phase != v1alpha1.RedemptionCompleted {
			return fmt.Sprintf("; Redemption %s is of %s and %s", r.Name, r.Spec.InviteRef.Name, r.Status.Phase), nil
		}
		if len(r.Spec.Accounts) != 1 {
			return fmt.Sprintf("; Redemption %s has %d accounts", r.Name, len(r.Spec.Accounts)), nil
		}
		var user v1alpha1.User
		account := r.Spec.Accounts[0]
		if err := g.env.Client().Get(ctx, client.ObjectKey{Namespace: namespace, Name: account.UserRef.Name}, &user); client.IgnoreNotFound(err) != nil {
			return "", err
		}
		if problem := wrong(&user, account.Username); problem != "" {
			return problem, nil
		}
		came = append(came, account.Username)
	}
	slices.Sort(came)
	if !slices.Equal(came, comers) {
		return fmt.Sprintf("; there are Redemptions of %v", came), nil
	}
	return g.notIn(ctx, cousins, endsAs[cousins])
}

// wrong says what is not as it should be with the User of somebody who came.
func wrong(user *v1alpha1.User, name string) string {
	ready := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case user.Name == "":
		return "; there is no User for " + name
	case user.Spec.Username != name || user.Labels["group"] != cousins || user.Spec.ExpiresAt == nil:
		return "; User " + user.Name + " is not what the invite says"
	case ready == nil:
		return "; User " + user.Name + " has no status"
	case ready.Status != "True":
		return "; User " + user.Name + ": " + ready.Message
	}
	return ""
}

// notIn says in which state an Invite is that should be in another; nothing when it is.
func (g *guests) notIn(ctx context.Context, name string, wanted v1alpha1.InviteState) (string, error) {
	var invite v1alpha1.Invite
	if err := g.env.Client().Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &invite); err != nil {
		return "", err
	}
	if invite.Status.State == wanted && invite.Status.ObservedGeneration == invite.Generation {
		return "", nil
	}
	return fmt.Sprintf("; Invite %s is %s", name, invite.Status.State), nil
}

// until asks again and again until there is no problem any more, and returns the last one when the time is over.
func (g *guests) until(ctx context.Context, limit time.Duration, ask func(context.Context) (string, error)) (string, error) {
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		problem, err := ask(ctx)
		if problem == "" || err != nil {
			return "", err
		}
		if err := g.pause(within); within.Err() != nil && ctx.Err() == nil {
			return problem, nil
		} else if err != nil {
			return "", err
		}
	}
}

// expire moves the expiry of an Invite to a few seconds ahead and watches: the time comes, nobody does anything more.
func (g *guests) expire(ctx context.Context) error {
	at := time.Now().Add(expiresIn).Truncate(time.Second)
	patch := fmt.Sprintf(`{"spec":{"expiresAt":%q}}`, at.UTC().Format(time.RFC3339))
	if _, err := g.kubectl(ctx, "patch", "invite", movieNight, "-n", namespace, "--type=merge", "-p", patch); err != nil {
		return err
	}
	offered, err := g.preview(ctx, movieNight)
	if err != nil {
		return err
	}
	g.line(offered.CanAccept, "%-13s is %s, until %s", movieNight, offered.Status, at.Format(time.TimeOnly))
	g.out.wait("for its time to come")
	problem, err := g.until(ctx, expiredWithin, func(ctx context.Context) (string, error) {
		return g.notIn(ctx, movieNight, v1alpha1.InviteExpired)
	})
	if err != nil {
		return err
	}
	late := time.Since(at)
	g.line(problem == "" && late >= 0, "%-13s is Expired, %.1f s after its time%s", movieNight, late.Seconds(), problem)
	return g.refused(ctx, movieNight, "410 Invite has expired")
}

// states shows the Invites, each in a state of its own.
func (g *guests) states(ctx context.Context) error {
	if err := g.table(ctx, "invites"); err != nil {
		return err
	}
	for _, name := range []string{friends, oldFlatmates, movieNight, cousins} {
		problem, err := g.notIn(ctx, name, endsAs[name])
		if err != nil {
			return err
		}
		g.line(problem == "", "%-13s is %s%s", name, endsAs[name], problem)
	}
	return nil
}

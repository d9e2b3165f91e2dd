package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

// reportPlan is what mode Observe does: it prints the plan, and leaves it.
func (r *userReconciler) reportPlan(ctx context.Context, p *userPass, next plan.Plan) outcome {
	if p.renamed() {
		p.status.Plan = firstListed(next.Reasons())
		return p.orDuplicate(*p.renamedConflict())
	}
	words := slices.Concat(next.Reasons(), p.awaitedWords())
	if p.problem == nil && p.snapshot.Ownership == access.ActionManage {
		passwords, o := r.passwordReasons(ctx, p)
		words, p.problem = append(words, passwords...), o
	}
	if p.record.Generated && p.passwordRef() == nil && !p.chosenByHolder() && !r.exists(ctx, types.NamespacedName{Namespace: p.user.Namespace, Name: credentialsSecretName(p.user)}) {
		words = append(words, "its password kept in Secret "+credentialsSecretName(p.user))
	}
	if len(words) == 0 {
		p.describe(next)
	}
	p.status.Plan = firstListed(words)
	o := p.summary()
	if len(words) > 0 {
		o = *observed(words)
	}
	switch {
	case p.problem != nil && len(words) == 0:
		return *p.problem
	case p.problem != nil:
		o.message += "; besides, " + p.problem.message
	}
	return o
}

// saysSame says whether the status says what the account will have.
func (p *userPass) saysSame(next plan.Plan) bool {
	return sameAccess(p.status.Access, p.accessStatus(next.After(), next.Of.Effective)) &&
		(p.status.State == p.snapshot.Want || p.status.State == v1alpha1.UserDisabledOnServer)
}

func sameAccess(a, b *v1alpha1.UserAccessStatus) bool {
	return a != nil && b != nil && a.Total == b.Total && fmt.Sprint(a.Items) == fmt.Sprint(b.Items)
}

func (r *userReconciler) reportDrift(p *userPass, drift *v1alpha1.Drift) {
	if drift == nil {
		return
	}
	p.status.Drift = repaired(drift, r.Clock.Now())
	r.counters.driftRepaired.WithLabelValues("User").Inc()
	r.normal(p.user, "DriftRepaired", "Repair", "changed by hand on the server, and repaired: %s", bounded(strings.Join(drift.Differences, "; "), 500))
}

// describe fills the status of an account once its plan is executed.
func (p *userPass) describe(executed plan.Plan) {
	s, now := p.status, executed.Of.With(p.account, p.record.facts())
	s.ExternalID, s.Origin = string(p.account.ID), p.record.Origin
	s.Access = p.accessStatus(p.account, now.Effective)
	s.Plan = nil
	s.State, s.DisableMethod = now.State(), ""
	if now.Disabled() && now.Record.Disabled {
		s.DisableMethod = now.Method()
	}
}

// accessStatus lists the declared libraries that an account sees, as it was read back, with what each comes from. One in
// doubt is listed for as long as the account has what Usher gave it there.
func (p *userPass) accessStatus(account media.Account, effective access.Effective) *v1alpha1.UserAccessStatus {
	var items []v1alpha1.UserAccessEntry
	add := func(name string, id media.LibraryID, through []string) {
		if role, _, sees := seesLibrary(p.able(), account, id); sees && id != "" {
			items = append(items, v1alpha1.UserAccessEntry{Library: name, Role: v1alpha1.LibraryRole(role), Through: through[:min(len(through), 10)]})
		}
	}
	beliefs := p.snapshot.Beliefs
	for _, believed := range []map[string]media.LibraryID{beliefs.Given, beliefs.Kept} {
		for name, id := range believed {
			add(name, id, effective[name].Through)
		}
	}
	for name, id := range beliefs.Returning {
		if !slices.ContainsFunc(items, func(e v1alpha1.UserAccessEntry) bool { return e.Library == name }) {
			add(name, id, effective[name].Through)
		}
	}
	for name, id := range beliefs.Doubted {
		if plan.SaysGiven(p.user, name) {
			add(name, id, plan.ThroughBefore(p.user, name))
		}
	}
	slices.SortFunc(items, func(a, b v1alpha1.UserAccessEntry) int { return strings.Compare(a.Library, b.Library) })
	return &v1alpha1.UserAccessStatus{Total: int32(len(items)), Items: firstListed(items)}
}

// awaitedWords say in mode Observe which access is given once a library is there, that would be made or adopted.
func (p *userPass) awaitedWords() (words []string) {
	s := p.view()
	desired := s.Desired()
	if s.AccessWithheld() || p.able().Roles[s.Role()].SeesAll {
		return nil
	}
	for i := range s.Libraries {
		library := &s.Libraries[i]
		name := library.Name
		edge, wanted := s.Effective[name]
		_, resolved := s.Beliefs.Given[name]
		all := desired.All && edge.Role == v1alpha1.LibraryRoleViewer
		if recorded := readRecord(library, p.identity()).ID; wanted && !all && !resolved && recorded == "" && !declines(library) {
			words = append(words, "access to "+name+" given, once that library is there")
		}
	}
	slices.Sort(words)
	return words
}

// summary says that the server agrees, and what is to be said besides.
func (p *userPass) summary() outcome {
	o := p.agreement()
	if p.note != "" {
		o.message += "; " + p.note
	}
	o.after = p.after
	return o
}

func (p *userPass) agreement() outcome {
	switch p.status.State {
	case v1alpha1.UserDisabledOnServer:
		if p.account.LockedOut {
			return done(v1alpha1.ReasonSynced, "the media server agrees, but it has locked the account out itself, after too many wrong passwords: somebody may be guessing. Usher leaves it so: enable the account on the server to let the person in")
		}
		return done(v1alpha1.ReasonSynced, "the media server agrees, but the account is disabled there, and nothing on record says by Usher: somebody, or the server itself, disabled it; or a restored backup holds it disabled, or Usher did, before the cluster was restored. Usher leaves it so: enable it on the server to let the person in")
	case v1alpha1.UserExpired, v1alpha1.UserDisabled:
		if p.status.DisableMethod == v1alpha1.DisableNoAccess {
			return done(v1alpha1.ReasonSynced, "the media server agrees: it cannot disable accounts, so this one sees no library")
		}
		return done(v1alpha1.ReasonSynced, "the media server agrees: nobody can sign in with the account")
	}
	return done(v1alpha1.ReasonSynced, "the media server agrees")
}

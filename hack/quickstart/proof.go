package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/hack/internal/household"
)

// proof gathers what the media server says, and counts the lines that do not hold.
type proof struct {
	*quickstart
	people map[string]*household.Visitor
	// libraries by name, as the owner sees them, and what is in each.
	libraries map[string]household.Library
	items     map[string][]household.Item
	broken    int
}

func newProof(q *quickstart) *proof {
	return &proof{quickstart: q, people: map[string]*household.Visitor{}, libraries: map[string]household.Library{}, items: map[string][]household.Item{}}
}

// prove asks the media server, as each person, and compares with what should be.
func (q *quickstart) prove(ctx context.Context) error {
	p := newProof(q)
	for _, step := range []func(context.Context) error{
		p.signInAll, p.matrix, p.awaitItems, p.strangers, p.stream, p.repair,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return p.verdict()
}

// verdict is an error when a line does not hold.
func (p *proof) verdict() error {
	if p.broken > 0 {
		return fmt.Errorf("%d lines of the proof do not hold", p.broken)
	}
	return nil
}

// line prints one line of the proof.
func (p *proof) line(holds bool, format string, args ...any) {
	if !holds {
		p.broken++
	}
	p.out.mark(holds, format, args...)
}

// signInAll signs everybody in with the password that their Secret holds.
func (p *proof) signInAll(ctx context.Context) error {
	for _, person := range household.People {
		var secret corev1.Secret
		if err := p.env.Client().Get(ctx, client.ObjectKey{Namespace: namespace, Name: person.Secret}, &secret); err != nil {
			return fmt.Errorf("the password of %s: %w", person.Name, err)
		}
		visitor, err := household.SignIn(ctx, p.serverURL, person.Name, string(secret.Data["password"]))
		if err != nil {
			return err
		}
		p.people[person.Name] = visitor
	}
	p.line(true, "all %d sign in with the password from their Secret", len(household.People))
	return nil
}

// matrix prints who sees which library, beside who should.
func (p *proof) matrix(ctx context.Context) error {
	header := strings.Join(household.Libraries, "  ")
	p.out.say("\n              %-*s     should see", len([]rune(header)), "sees")
	p.out.say("              %s     %s", header, header)
	for _, person := range household.People {
		seen, err := p.people[person.Name].Libraries(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", person.Name, err)
		}
		var names []string
		for _, library := range seen {
			names = append(names, library.Name)
			if person.Name == household.People[0].Name {
				p.libraries[library.Name] = library
			}
		}
		slices.Sort(names)
		wanted := slices.Sorted(slices.Values(person.Sees))
		row := fmt.Sprintf("%-9s %s     %s", person.Name, dots(names), dots(wanted))
		if slices.Equal(names, wanted) {
			p.line(true, "%s", strings.TrimRight(row, " "))
		} else {
			p.line(false, "%s  sees %v", row, names)
		}
	}
	p.out.say("")
	if len(p.libraries) != len(household.Libraries) {
		return fmt.Errorf("the owner sees %d libraries, not %d", len(p.libraries), len(household.Libraries))
	}
	return nil
}

// dots shows a row of the matrix: a dot below the name of each library in it.
func dots(names []string) string {
	var row strings.Builder
	for _, name := range household.Libraries {
		dot := "·"
		if slices.Contains(names, name) {
			dot = "●"
		}
		row.WriteString(dot + strings.Repeat(" ", len(name)+1))
	}
	return strings.TrimSuffix(row.String(), "  ")
}

// others returns the libraries that a person should not see.
func others(p household.Person) []string {
	return slices.DeleteFunc(slices.Clone(household.Libraries), func(name string) bool { return slices.Contains(p.Sees, name) })
}

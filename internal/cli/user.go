package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/change"
	"github.com/usher-media/usher/internal/cli/objects"
	"github.com/usher-media/usher/internal/cli/text"
)

// changeFlags are those of all commands that change an object.
type changeFlags struct {
	dryRun  string
	output  string
	timeout time.Duration
}

func (f *changeFlags) add(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.dryRun, "dry-run", "none", "client: change nothing, and print the changed manifest")
	flags.StringVarP(&f.output, "output", "o", "yaml", "yaml: the format of --dry-run=client")
	flags.DurationVar(&f.timeout, "timeout", time.Minute, "how long to wait until Usher has done it; 0 for not at all")
}

func (f *changeFlags) options(b *base) (change.Options, error) {
	o := change.Options{DryRun: f.dryRun == "client", Out: b.Streams.Out, Progress: b.Streams.ErrOut, Timeout: f.timeout}
	switch {
	case f.dryRun != "none" && f.dryRun != "client":
		return o, errors.New("--dry-run is none or client")
	case f.output != "yaml":
		return o, errors.New("-o is yaml")
	}
	return o, nil
}

const aboutUser = `Suspend people, let them in again, and say when their accounts end.

Each command changes the manifest in the cluster, and waits until Usher has done it on the server. Where Git holds the
manifests, print the change instead, by --dry-run=client -o yaml: what Git says comes back otherwise.`

func (b *base) userCommand() *cobra.Command {
	command := &cobra.Command{Use: "user", Short: "Suspend people, let them in again, extend their accounts", Long: text.Paragraphs(aboutUser)}
	command.AddCommand(
		b.userChange("suspend", "Shut people out, without losing anything of theirs", func(u *v1alpha1.User) error {
			u.Spec.Disabled = true
			return nil
		}),
		b.userChange("resume", "Let suspended people in again", func(u *v1alpha1.User) error {
			u.Spec.Disabled = false
			if end := u.Spec.ExpiresAt; end != nil {
				if at, err := end.Parse(); err == nil && !time.Now().Before(at) {
					return fmt.Errorf("the account of %s ended at %s: give it a later end by `kubectl usher user extend %s`", u.Name, *end, u.Name)
				}
			}
			return nil
		}),
		b.userExtend(),
	)
	return command
}

func (b *base) userExtend() *cobra.Command {
	var until, by string
	command := b.userChange("extend", "Say when people's accounts end", func(u *v1alpha1.User) (err error) {
		u.Spec.ExpiresAt, err = change.Until(until, by, u.Spec.ExpiresAt, time.Now())
		return err
	})
	command.Example = "  # Grace may stay another month\n  kubectl usher user extend grace --by 30d -n media"
	command.Flags().StringVar(&until, "until", "", "the end, like 2027-06-30T20:00:00Z")
	command.Flags().StringVar(&by, "by", "", "how much longer, like 30d or 12h")
	return command
}

// userChange is a command that changes Users by name or by label.
func (b *base) userChange(verb, short string, edit func(*v1alpha1.User) error) *cobra.Command {
	var flags changeFlags
	var selector string
	command := &cobra.Command{
		Use: verb + " NAME... | -l SELECTOR", Short: short, Long: short + ".",
		Example: fmt.Sprintf("  # One account\n  kubectl usher user %[1]s mia -n media\n\n  # All accounts of one person\n  kubectl usher user %[1]s -l person=mia -n media", verb),
		RunE: func(command *cobra.Command, args []string) error {
			options, err := flags.options(b)
			if err != nil {
				return err
			}
			c, users, err := b.users(command.Context(), args, selector)
			if err != nil {
				return err
			}
			var errs []error
			for i := range users {
				edited := users[i].DeepCopy()
				if err := edit(edited); err != nil {
					return err
				}
				errs = append(errs, change.Apply(command.Context(), c, change.User{User: &users[i]}, &users[i], func() { users[i].Spec = edited.Spec }, options))
			}
			return errors.Join(errs...)
		},
		ValidArgsFunction: b.completeNames,
	}
	flags.add(command)
	command.Flags().StringVarP(&selector, "selector", "l", "", "people with these labels, like person=mia")
	return command
}

// users are those that the arguments name, or the selector takes.
func (b *base) users(ctx context.Context, names []string, selector string) (client.Client, []v1alpha1.User, error) {
	if (len(names) == 0) == (selector == "") {
		return nil, nil, errors.New("name Users, or select them by -l, as in -l person=mia")
	}
	c, namespace, err := b.client()
	if err != nil {
		return nil, nil, err
	}
	var found []v1alpha1.User
	for _, name := range names {
		var user v1alpha1.User
		if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &user); err != nil {
			return nil, nil, notThere(err, "User", "users", name, namespace)
		}
		found = append(found, user)
	}
	if selector == "" {
		return c, found, nil
	}
	parsed, err := labels.Parse(selector)
	if err != nil || parsed.Empty() {
		return nil, nil, fmt.Errorf("-l %q is no selector: write it like person=mia", selector)
	}
	var list v1alpha1.UserList
	if err := c.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: parsed}); err != nil {
		return nil, nil, objects.Explain(err)
	}
	if len(list.Items) == 0 {
		return nil, nil, fmt.Errorf("there is no User with the labels %s in namespace %s", selector, namespace)
	}
	return c, list.Items, nil
}

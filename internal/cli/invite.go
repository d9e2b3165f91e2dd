package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/change"
	"github.com/usher-media/usher/internal/cli/objects"
	"github.com/usher-media/usher/internal/cli/text"
)

const aboutInvite = `List invites, show their links, revoke and extend them.

revoke and extend change the manifest in the cluster, and wait until Usher has done it. Where Git holds the manifests, print
the change instead, by --dry-run=client -o yaml.`

func (b *base) inviteCommand() *cobra.Command {
	command := &cobra.Command{Use: "invite", Short: "List invites, show their links, revoke and extend them", Long: text.Paragraphs(aboutInvite)}
	command.AddCommand(b.inviteList(), b.inviteLink(), b.inviteRevoke(), b.inviteExtend())
	return command
}

func (b *base) inviteList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List invites, and who came", Long: "List invites, and who came.", Args: cobra.NoArgs,
		Example: "  kubectl usher invite list -n media",
		RunE: func(command *cobra.Command, _ []string) error {
			c, namespace, err := b.client()
			if err != nil {
				return err
			}
			var list v1alpha1.InviteList
			if err := c.List(command.Context(), &list, client.InNamespace(namespace)); err != nil {
				return objects.Explain(err)
			}
			if len(list.Items) == 0 {
				return fmt.Errorf("there is no Invite in namespace %s", namespace)
			}
			return b.printInvites(list.Items)
		},
	}
}

func (b *base) printInvites(invites []v1alpha1.Invite) error {
	w := printers.GetNewTabWriter(b.Streams.Out)
	_, _ = fmt.Fprintln(w, "NAME\tSTATE\tUSED\tLEFT\tENDS\tREADY")
	for i := range invites {
		invite := &invites[i]
		used, left, ends, ready := "0", "any", "never", "?"
		if uses := invite.Status.Uses; uses != nil {
			used = strconv.Itoa(int(uses.Total))
		}
		if invite.Status.Remaining != nil {
			left = strconv.Itoa(int(*invite.Status.Remaining))
		}
		if invite.Spec.ExpiresAt != nil {
			ends = string(*invite.Spec.ExpiresAt)
		}
		if condition := meta.FindStatusCondition(invite.Status.Conditions, v1alpha1.ConditionReady); condition != nil {
			ready = string(condition.Status)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", invite.Name, cmp.Or(string(invite.Status.State), "?"), used, left, ends, ready)
	}
	return w.Flush()
}

func (b *base) inviteLink() *cobra.Command {
	return &cobra.Command{
		Use: "link NAME", Short: "Show the link of an invite", Long: "Show the link of an invite. Whoever has the link can use it.", Args: cobra.ExactArgs(1),
		Example: "  kubectl usher invite link cousins -n media",
		RunE: func(command *cobra.Command, args []string) error {
			c, invite, err := b.oneInvite(command.Context(), args[0])
			if err != nil {
				return err
			}
			if invite.Status.State != v1alpha1.InvitePending {
				b.progress("This link admits nobody now: the Invite is %s", cmp.Or(string(invite.Status.State), "not handled yet"))
			}
			var secret corev1.Secret
			name := cmp.Or(invite.Status.SecretName, invite.Name+"-invite")
			err = c.Get(command.Context(), client.ObjectKey{Namespace: invite.Namespace, Name: name}, &secret)
			switch {
			case apierrors.IsForbidden(err):
				return fmt.Errorf("the link is in Secret %s, which you may not read: %w", name, err)
			case apierrors.IsNotFound(err), err == nil && len(secret.Data["url"]) == 0:
				return fmt.Errorf("there is no link yet: `kubectl -n %s get invite %s -o wide` says why", invite.Namespace, invite.Name)
			case err != nil:
				return err
			}
			_, err = fmt.Fprintf(b.Streams.Out, "%s\n", secret.Data["url"])
			return err
		},
	}
}

func (b *base) inviteRevoke() *cobra.Command {
	return b.inviteChange("revoke NAME", "Let nobody come by an invite any more; who came stays",
		"  kubectl usher invite revoke cousins -n media", func(invite *v1alpha1.Invite) error {
			invite.Spec.Revoked = true
			return nil
		})
}

func (b *base) inviteExtend() *cobra.Command {
	var until, by string
	var uses int32
	command := b.inviteChange("extend NAME", "Let an invite last longer, or admit more people",
		"  # Three more people, for another week\n  kubectl usher invite extend cousins --uses 3 --by 7d -n media", func(invite *v1alpha1.Invite) (err error) {
			if until == "" && by == "" && uses == 0 {
				return errors.New("say --until or --by, --uses, or both")
			}
			if uses < 0 || uses > 0 && invite.Spec.MaxUses == nil {
				return errors.New("--uses is how many more people may come; an invite without maxUses takes any number")
			}
			if uses > 0 {
				most := *invite.Spec.MaxUses + uses
				invite.Spec.MaxUses = &most
			}
			if until != "" || by != "" {
				invite.Spec.ExpiresAt, err = change.Until(until, by, invite.Spec.ExpiresAt, time.Now())
			}
			return err
		})
	command.Flags().StringVar(&until, "until", "", "the end, like 2027-06-30T20:00:00Z")
	command.Flags().StringVar(&by, "by", "", "how much longer, like 7d or 12h")
	command.Flags().Int32Var(&uses, "uses", 0, "how many more people may come")
	return command
}

// inviteChange is a command that changes one Invite.
func (b *base) inviteChange(use, short, example string, edit func(*v1alpha1.Invite) error) *cobra.Command {
	var flags changeFlags
	command := &cobra.Command{
		Use: use, Short: short, Long: short + ".", Example: example, Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			options, err := flags.options(b)
			if err != nil {
				return err
			}
			c, invite, err := b.oneInvite(command.Context(), args[0])
			if err != nil {
				return err
			}
			edited := invite.DeepCopy()
			if err := edit(edited); err != nil {
				return err
			}
			return change.Apply(command.Context(), c, change.Invite{Invite: invite}, invite, func() { invite.Spec = edited.Spec }, options)
		},
	}
	flags.add(command)
	return command
}

func (b *base) oneInvite(ctx context.Context, name string) (client.Client, *v1alpha1.Invite, error) {
	c, namespace, err := b.client()
	if err != nil {
		return nil, nil, err
	}
	var invite v1alpha1.Invite
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &invite); err != nil {
		return nil, nil, notThere(err, "Invite", "invites", name, namespace)
	}
	return c, &invite, nil
}

// notThere says how to find the names of what is there.
func notThere(err error, kind, plural, name, namespace string) error {
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("there is no %s %q in namespace %s; `kubectl -n %s get %s` lists them", kind, name, namespace, namespace, plural)
	}
	return objects.Explain(err)
}

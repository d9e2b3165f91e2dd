package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/cli/explain"
	"github.com/usher-media/usher/internal/cli/matrix"
	"github.com/usher-media/usher/internal/cli/objects"
	"github.com/usher-media/usher/internal/cli/text"
)

// client connects to the cluster that kubectl's flags name, and says which namespace is meant.
func (b *base) client() (client.Client, string, error) {
	namespace, _, err := b.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	config, err := b.config.ToRESTConfig()
	if err != nil {
		return nil, "", fmt.Errorf("no cluster to ask: %w; name one by --kubeconfig or --context", err)
	}
	c, err := client.New(config, client.Options{Scheme: app.Scheme()})
	if err != nil {
		return nil, "", objects.Explain(err)
	}
	return c, namespace, nil
}

func (b *base) objects(ctx context.Context) (objects.Objects, error) {
	c, namespace, err := b.client()
	if err != nil {
		return objects.Objects{}, err
	}
	return objects.Read(ctx, c, namespace)
}

// moment reads --as-of; empty is now.
func moment(asOf string) (at time.Time, present bool, err error) {
	if asOf == "" {
		return time.Now(), true, nil
	}
	if at, err = time.Parse(time.RFC3339, asOf); err != nil {
		return at, false, fmt.Errorf("--as-of %q is no time: write it like 2026-12-24T18:00:00Z", asOf)
	}
	return at, false, nil
}

const aboutAccess = `Show who sees which library: people down, libraries across.

The answer is computed from the manifests in the cluster, as Usher computes it. Where a server was last seen to differ, the
cell is marked. Accounts that no manifest declares are shown with a *, as far as the statuses of the Libraries name them.`

func (b *base) accessCommand() *cobra.Command {
	var format, server, asOf string
	command := &cobra.Command{
		Use: "access", Short: "Show who sees which library", Long: text.Paragraphs(aboutAccess), Args: cobra.NoArgs,
		Example: "  # Who sees what\n  kubectl usher access -n media\n\n  # Who will see what on Christmas Eve, for a spreadsheet\n  kubectl usher access -n media --as-of 2026-12-24T18:00:00Z -o csv",
		RunE: func(command *cobra.Command, _ []string) error {
			at, present, err := moment(asOf)
			if err != nil {
				return err
			}
			all, err := b.objects(command.Context())
			if err == nil {
				all, err = all.Only(server)
			}
			if err != nil {
				return err
			}
			return matrix.Build(all, at, present).Print(b.Streams.Out, format)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&format, "output", "o", "table", strings.Join(matrix.Formats, ", "))
	flags.StringVar(&server, "server", "", "only this MediaServer")
	flags.StringVar(&asOf, "as-of", "", "who will see what at a time, like 2026-12-24T18:00:00Z")
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(matrix.Formats, cobra.ShellCompDirectiveNoFileComp))
	return command
}

const aboutExplain = `Say why a person sees a library, or does not.

Names each LibraryGrant, role or Invite that gives it, what blocks it, and what would change it. Without a library, all of
the server are explained.`

func (b *base) explainCommand() *cobra.Command {
	var asOf string
	command := &cobra.Command{
		Use: "explain USER [LIBRARY]", Short: "Say why a person sees a library, or does not", Long: text.Paragraphs(aboutExplain),
		Example: "  # Why does Mia not see the horror films?\n  kubectl usher explain mia horror -n media",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return fmt.Errorf("name a User, and a Library if you like, as in: kubectl usher explain mia horror")
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			at, _, err := moment(asOf)
			if err != nil {
				return err
			}
			all, err := b.objects(command.Context())
			if err != nil {
				return err
			}
			answer, err := explain.Ask(all, args[0], strings.Join(args[1:], ""), at)
			if err != nil {
				return err
			}
			return answer.Print(b.Streams.Out)
		},
		ValidArgsFunction: b.completeNames,
	}
	command.Flags().StringVar(&asOf, "as-of", "", "explain what holds at a time, like 2026-12-24T18:00:00Z")
	return command
}

// completeNames completes a User, then a Library of its server.
func (b *base) completeNames(command *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	all, err := b.objects(command.Context())
	if err != nil || len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	server := ""
	for i := range all.Users {
		if len(args) == 0 {
			names = append(names, all.Users[i].Name)
		} else if all.Users[i].Name == args[0] {
			server = all.Users[i].Spec.ServerRef.Name
		}
	}
	for i := range all.Libraries {
		if server != "" && all.Libraries[i].Spec.ServerRef.Name == server {
			names = append(names, all.Libraries[i].Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

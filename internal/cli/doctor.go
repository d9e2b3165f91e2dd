package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/usher-media/usher/internal/cli/doctor"
	"github.com/usher-media/usher/internal/cli/objects"
	"github.com/usher-media/usher/internal/cli/text"
)

const aboutDoctor = `Look for what is wrong, and say the way out of each.

Looks at versions, kinds, admission policies, your rights, whether Usher runs, MediaServers that are not Ready, changes made
by hand on a server, what the disruption limit holds back, undeclared accounts, and the objects that have waited longest.
Exits with 1 if something does not work.`

func (b *base) doctorCommand() *cobra.Command {
	var operator string
	command := &cobra.Command{
		Use: "doctor", Short: "Look for what is wrong, and say the way out", Long: text.Paragraphs(aboutDoctor), Args: cobra.NoArgs,
		Example: "  # Is all well?\n  kubectl usher doctor -n media",
		RunE:    func(command *cobra.Command, _ []string) error { return b.runDoctor(command.Context(), operator) },
	}
	command.Flags().StringVar(&operator, "operator-namespace", "usher-system", "namespace that Usher runs in")
	return command
}

func (b *base) runDoctor(ctx context.Context, operator string) error {
	api, err := b.config.ToDiscoveryClient()
	if err != nil {
		return fmt.Errorf("no cluster to ask: %w; name one by --kubeconfig or --context", err)
	}
	api.Invalidate() // what was installed lately counts
	c, namespace, err := b.client()
	if err != nil {
		return err
	}
	now := time.Now()
	findings, usable := doctor.Cluster{Client: c, Discovery: api, Namespace: namespace, Operator: operator, Now: now}.Look(ctx)
	if usable {
		all, err := objects.Read(ctx, c, namespace)
		if err != nil {
			return errors.Join(b.printFindings(findings), err)
		}
		findings = append(findings, doctor.Objects(all, now)...)
	}
	return b.printFindings(findings)
}

func (b *base) printFindings(findings []doctor.Finding) error {
	wrong, err := doctor.Print(b.Streams.Out, findings, b.coloured(b.Streams.Out))
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%d things do not work", wrong)
	}
	return err
}

// coloured says whether colours are shown: on a terminal, unless NO_COLOR says otherwise.
func (b *base) coloured(out io.Writer) bool {
	file, isFile := out.(*os.File)
	return isFile && b.Getenv("NO_COLOR") == "" && b.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

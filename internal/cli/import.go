package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/connect"
	"github.com/usher-media/usher/internal/cli/importer"
	"github.com/usher-media/usher/internal/cli/manifests"
	"github.com/usher-media/usher/internal/cli/text"
)

// importOptions are the flags of import.
type importOptions struct {
	folder, kind, url, manifestURL, name, secret, caFile string
	emails, allowPlain                                   bool
}

const aboutImport = `Write what a media server has into a new folder of manifests, for Git.

The folder declares the server (in mode Observe, so that nothing happens to it), its libraries and accounts, and few
LibraryGrants: people with the same libraries share a label and a grant. Computed from what was written, every account
must see exactly what it sees on the server, or nothing is written.

No cluster is needed. The server is only read. Its administrator's credentials are asked for, or come from the environment
(` + connect.UsernameVariable + ` and ` + connect.PasswordVariable + `, or ` + connect.TokenVariable + `). They are written nowhere.`

const importExamples = `  # Import a server, and look at what was written
  kubectl usher import home/ --type Embedded --url http://192.168.1.10:3000

  # The cluster reaches it by another address; keep email addresses
  kubectl usher import home/ --type Shisho --url https://books.example.org \
    --manifest-url http://shisho.media.svc:3689 --emails`

func (b *base) importCommand() *cobra.Command {
	o := &importOptions{}
	command := &cobra.Command{
		Use: "import FOLDER --type TYPE --url URL", Short: "Write what a running media server has into manifests",
		Long: text.Paragraphs(aboutImport), Example: importExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("name one new folder to write to, as in: kubectl usher import home/ --type Embedded --url http://192.168.1.10:3000")
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			o.folder = args[0]
			return b.runImport(command.Context(), *o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.kind, "type", "", "type of the server: "+strings.Join(b.types(), ", "))
	flags.StringVar(&o.url, "url", "", "address of the server's API, as this machine reaches it")
	flags.StringVar(&o.manifestURL, "manifest-url", "", "address of the server's API, as the cluster reaches it (default: --url)")
	flags.StringVar(&o.name, "name", "home", "name of the MediaServer")
	flags.StringVar(&o.secret, "credentials-secret", "", "name of the Secret with Usher's account on the server (default: NAME-admin)")
	flags.StringVar(&o.caFile, "server-ca-file", "", "file with the certificates to trust instead of the system's")
	flags.BoolVar(&o.emails, "emails", false, "write email addresses also where the server needs none")
	flags.BoolVar(&o.allowPlain, "allow-plain-http", false, "send the password over http:// also beyond private networks")
	_ = command.RegisterFlagCompletionFunc("type", cobra.FixedCompletions(b.types(), cobra.ShellCompDirectiveNoFileComp))
	return command
}

func (b *base) types() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(b.Drivers)) {
		names = append(names, string(name))
	}
	return names
}

func (b *base) runImport(ctx context.Context, o importOptions) error {
	open, known := b.Drivers[v1alpha1.MediaServerType(o.kind)]
	switch {
	case !known:
		return fmt.Errorf("--type is one of %s", strings.Join(b.types(), ", "))
	case o.url == "":
		return errors.New("give the server's address by --url, as in --url http://192.168.1.10:3000")
	case len(validation.IsDNS1123Subdomain(o.name)) > 0:
		return fmt.Errorf("--name %q is no name in Kubernetes: use small letters, digits and dashes", o.name)
	}
	target := connect.Target{
		Open: open, URL: o.url, AllowPlain: o.allowPlain, DatabaseURL: b.Getenv(connect.DatabaseVariable), Progress: b.progress,
	}
	var err error
	if o.caFile != "" {
		if target.CA, err = os.ReadFile(o.caFile); err != nil {
			return fmt.Errorf("--server-ca-file: %w", err)
		}
	}
	if target.Credentials, err = connect.Credentials(b.Getenv, connect.OpenConsole(b.Streams.In, b.Streams.ErrOut)); err != nil {
		return err
	}
	server, err := connect.List(ctx, target)
	if err != nil {
		return err
	}
	household := importer.Plan(server, b.manifestOptions(o, target))
	prove := func(written importer.Household) error { return importer.Prove(server, written, time.Now()) }
	if err := manifests.Write(o.folder, household, prove); err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	b.progress("Proved for %d accounts: they see what they see on the server", len(household.Users))
	return b.reportImport(o, household)
}

func (b *base) manifestOptions(o importOptions, target connect.Target) importer.Options {
	options := importer.Options{
		Name: o.name, Namespace: "media", Type: v1alpha1.MediaServerType(o.kind), URL: o.url, CredentialsSecret: o.secret, Emails: o.emails,
	}
	if *b.config.Namespace != "" {
		options.Namespace = *b.config.Namespace
	}
	if o.manifestURL != "" {
		options.URL = o.manifestURL
	}
	if options.CredentialsSecret == "" {
		options.CredentialsSecret = o.name + "-admin"
	}
	if target.CA != nil {
		options.CASecret = o.name + "-ca"
	}
	if target.DatabaseURL != "" {
		options.DatabaseSecret = o.name + "-db"
	}
	return options
}

// progress tells a person how far it is.
func (b *base) progress(format string, args ...any) {
	_, _ = fmt.Fprintf(b.Streams.ErrOut, format+"\n", args...)
}

func (b *base) reportImport(o importOptions, h importer.Household) error {
	for _, left := range h.LeftOut {
		if !left.Personal {
			b.progress("Left out: %s %q: %s", left.Kind, left.Name, left.Reason)
		}
	}
	if n := len(h.Exposed); n > 0 {
		b.progress("%d accounts see more than they were given, by a hole of their server; README.md names them", n)
	}
	if loopback(h.Server.Spec.URL) {
		b.progress("The cluster cannot reach %s: write its address into mediaserver.yaml, or give it by --manifest-url", h.Server.Spec.URL)
	}
	_, err := fmt.Fprintf(b.Streams.Out, "Wrote %d libraries, %d users and %d grants to %s. Read the comments with REVIEW, then:\n\n%s\n\n%s/README.md says what comes next.\n",
		len(h.Libraries), len(h.Users), len(h.Grants), o.folder, strings.Join(manifests.NextCommands(o.folder, h.Server), "\n"), strings.TrimRight(o.folder, "/"))
	return err
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || (err == nil && ip.IsLoopback())
}

package cli

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/cli/text"
	"github.com/usher-media/usher/internal/media"
)

// Environment is what the commands need from outside.
type Environment struct {
	Streams genericiooptions.IOStreams
	Getenv  func(string) string
	// Drivers by type of MediaServer.
	Drivers map[v1alpha1.MediaServerType]media.Open
	// SetLogger sets the logger of the whole process, for client-go too; nil where the process has one of its own.
	SetLogger func(logr.Logger)
}

// Main runs the program with the arguments after its name, and returns its exit status.
func Main(ctx context.Context, args []string) int {
	env := Environment{
		Streams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}, Getenv: os.Getenv, Drivers: app.Drivers(),
		SetLogger: klog.SetLogger,
	}
	command := New(env)
	command.SetArgs(args)
	if err := command.ExecuteContext(ctx); err != nil {
		_, _ = fmt.Fprintln(env.Streams.ErrOut, "Error:", err)
		return 1
	}
	return 0
}

// base is what all commands share.
type base struct {
	Environment
	config *genericclioptions.ConfigFlags
}

const about = `Access to media servers, as code.

import writes what a running server has into manifests. The other commands answer questions about the objects in a cluster, and change them.
All of kubectl's flags for connections work, as --context and --kubeconfig do ("kubectl options" lists them).`

// New assembles the command `kubectl usher`.
func New(env Environment) *cobra.Command {
	b := &base{Environment: env, config: genericclioptions.NewConfigFlags(true)}
	root := &cobra.Command{
		Use: "kubectl-usher", Short: "Access to media servers, as code", Long: text.Paragraphs(about),
		Annotations:  map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl usher"},
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRunE: func(command *cobra.Command, _ []string) error { return b.log(command) },
	}
	root.SetIn(env.Streams.In)
	root.SetOut(env.Streams.Out)
	root.SetErr(env.Streams.ErrOut)
	cobra.AddTemplateFunc("flags", func(flags *pflag.FlagSet) string { return flags.FlagUsagesWrapped(text.Columns) })
	usage := strings.NewReplacer("for more information about a command", "for more about a command", ".LocalFlags.FlagUsages", "flags .LocalFlags", ".InheritedFlags.FlagUsages", "flags .InheritedFlags")
	root.SetUsageTemplate(usage.Replace(root.UsageTemplate()))
	b.addFlags(root.PersistentFlags())
	root.AddCommand(b.importCommand(), b.accessCommand(), b.explainCommand(), b.doctorCommand(), b.userCommand(), b.inviteCommand())
	return root
}

// addFlags adds kubectl's flags. Help shows the ones that people look for; the others work as well.
func (b *base) addFlags(flags *pflag.FlagSet) {
	b.config.AddFlags(flags)
	logging := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(logging)
	flags.AddGoFlag(logging.Lookup("v"))
	flags.AddGoFlag(logging.Lookup("vmodule"))
	flags.VisitAll(func(f *pflag.Flag) {
		f.Hidden = !slices.Contains([]string{"namespace", "context", "kubeconfig"}, f.Name)
	})
}

// log has everything that is logged, by client-go too, go where progress does.
func (b *base) log(command *cobra.Command) error {
	verbosity, err := strconv.Atoi(command.Flag("v").Value.String())
	if err != nil {
		return fmt.Errorf("-v: %w", err)
	}
	logger := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(b.Streams.ErrOut), textlogger.Verbosity(verbosity)))
	if b.SetLogger != nil {
		b.SetLogger(logger)
	}
	command.SetContext(logr.NewContext(command.Context(), logger))
	return nil
}

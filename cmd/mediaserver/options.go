package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// envPrefix begins the environment variable that stands in for a flag: --media-root is MEDIASERVER_MEDIA_ROOT.
const envPrefix = "MEDIASERVER_"

const usage = `mediaserver serves media libraries over HTTP to the people who may see them.

It keeps accounts, libraries and permissions in one SQLite file, or in PostgreSQL for more than one server, and reads
media from real directories below the root folders that you name. The first account to register owns the server:

  mediaserver --data ./data --media-root /media
  curl http://127.0.0.1:3000/v1/auth/register -H 'Content-Type: application/json' \
    -d '{"username": "you", "password": "a long password"}'

Then read http://127.0.0.1:3000/docs. Others come in by invite: POST /v1/invites answers with a code, and
http://127.0.0.1:3000/invite/CODE is the page to send them. /healthz says that the server runs, /readyz that it can
answer, and --metrics-address has Prometheus metrics.

Commands, instead of serving:

  mediaserver backup FILE   copy the SQLite database of --data or --database into a new file, while the server runs
  mediaserver copy-to URL   move that database to an empty PostgreSQL one (postgres://...), while no server runs
  mediaserver version       show the version (or --version)
  mediaserver help          show this (or --help)

Each flag can also be given in the environment, as MEDIASERVER_ and its name in capitals with underscores; the flag
wins. Give a database's password in the environment: others can read a program's flags.

Flags:
`

// The commands that do something else than serving.
const (
	commandBackup = "backup"
	commandCopy   = "copy-to"
	// commandRead is what the server runs for itself: it reads metadata of files that it is told on standard input.
	commandRead = "read-metadata"
)

// options is what the program was asked for.
type options struct {
	// command is backup or copy-to with its argument, or empty: serve.
	command, argument string

	listen          string
	metrics         string
	data            string
	database        string
	personalRoot    string
	mediaRoots      []string
	passwordHashing string
	signInsClient   int
	signInsAccount  int
	proxyTexts      []string
	proxies         []netip.Prefix
	logFormat       string
	logLevel        string
}

// parse reads the flags and, for those not given, the environment. It returns pflag.ErrHelp after printing the help.
func parse(args []string, getenv func(string) string, out io.Writer) (options, error) {
	var o options
	flags := o.flags()
	flags.SetOutput(out)
	flags.Usage = func() { _, _ = fmt.Fprint(out, usage, flags.FlagUsagesWrapped(100)) }
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if err := o.takeCommand(flags.Args()); err != nil {
		return o, err
	}
	if err := fromEnvironment(flags, getenv); err != nil {
		return o, err
	}
	return o, o.check()
}

// takeCommand reads what stands beside the flags.
func (o *options) takeCommand(args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case len(args) == 1 && args[0] == commandRead:
		o.command = commandRead
		return nil
	case args[0] != commandBackup && args[0] != commandCopy:
		return fmt.Errorf("unexpected argument %q: to serve, everything is said by flags, see mediaserver help", args[0])
	case len(args) != 2:
		return fmt.Errorf("%s takes one argument, see --help", args[0])
	}
	o.command, o.argument = args[0], args[1]
	return nil
}

func (o *options) flags() *pflag.FlagSet {
	flags := pflag.NewFlagSet("mediaserver", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.StringVar(&o.listen, "listen", "127.0.0.1:3000", "address to listen on; 0.0.0.0:3000 for all networks")
	flags.StringVar(&o.metrics, "metrics-address", "", "address for Prometheus metrics at /metrics, such as 127.0.0.1:3001; "+
		"not for guests (default: none)")
	flags.StringVar(&o.data, "data", "mediaserver-data", "directory for the server's own files; made when missing")
	flags.StringVar(&o.database, "database", "", "SQLite file, or postgres:// URL that several servers may share "+
		"(default: mediaserver.db in the data directory)")
	flags.StringVar(&o.personalRoot, "personal-root", "", "folder of people's personal libraries, the same for all servers "+
		"(default: personal in the data directory)")
	flags.StringArrayVar(&o.mediaRoots, "media-root", nil, "folder below which libraries may lie; repeat it for more "+
		"(in the environment: separated by "+string(os.PathListSeparator)+")")
	flags.StringVar(&o.passwordHashing, "password-hashing", "normal", "normal, or cheap: for tests only, protects nobody")
	flags.IntVar(&o.signInsClient, "sign-ins-per-client", 60, "sign-ins a minute from one address, and as many looks at invites; 0 for no limit")
	flags.IntVar(&o.signInsAccount, "sign-ins-per-account", 10, "sign-ins a minute to one account; 0 for no limit")
	flags.StringSliceVar(&o.proxyTexts, "trusted-proxy", nil, "address or network (CIDR) of a proxy in front, whose "+
		"X-Forwarded-For says who the client is; repeat it, or separate by commas")
	flags.StringVar(&o.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error; debug shows reads too")
	return flags
}

// fromEnvironment sets the flags that were not given from their environment variables.
func fromEnvironment(flags *pflag.FlagSet, getenv func(string) string) (err error) {
	flags.VisitAll(func(flag *pflag.Flag) {
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		text := getenv(name)
		if flag.Changed || text == "" || err != nil {
			return
		}
		values := []string{text}
		if flag.Value.Type() == "stringArray" {
			values = filepath.SplitList(text)
		}
		for _, value := range values {
			if setErr := flags.Set(flag.Name, value); setErr != nil {
				err = fmt.Errorf("%s: %w", name, setErr)
			}
		}
	})
	return err
}

// check makes relative root folders absolute and refuses words that mean nothing.
func (o *options) check() error {
	for i, folder := range o.mediaRoots {
		absolute, err := filepath.Abs(folder)
		if err != nil {
			return err
		}
		o.mediaRoots[i] = absolute
	}
	for _, text := range o.proxyTexts {
		proxy, err := parseNetwork(text)
		if err != nil {
			return fmt.Errorf("--trusted-proxy %q must be an address or a network such as 10.0.0.0/8", text)
		}
		o.proxies = append(o.proxies, proxy)
	}
	switch {
	case o.passwordHashing != "normal" && o.passwordHashing != "cheap":
		return errors.New("--password-hashing must be normal or cheap")
	case o.logFormat != "text" && o.logFormat != "json":
		return errors.New("--log-format must be text or json")
	case o.signInsClient < 0 || o.signInsAccount < 0:
		return errors.New("limits must not be negative")
	}
	return nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// logger returns the logger that the options ask for.
func (o *options) logger(out io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, errors.New("--log-level must be debug, info, warn or error")
	}
	settings := &slog.HandlerOptions{Level: level}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, settings)), nil
	}
	return slog.New(slog.NewTextHandler(out, settings)), nil
}

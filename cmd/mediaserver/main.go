// Command mediaserver serves media libraries over HTTP to the people who may see them. See mediaserver --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/usher-media/usher/internal/mediaserver"
	"github.com/usher-media/usher/internal/version"
)

const (
	// headerTimeout keeps clients that never finish their request from piling up.
	headerTimeout = 10 * time.Second
	// idleTimeout ends connections that nobody uses.
	idleTimeout = 2 * time.Minute
	// stopTimeout is how long requests under way may take after the signal to stop.
	stopTimeout = 10 * time.Second
)

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	if text := about(os.Args[1:]); text != "" {
		fmt.Print(text)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stderr))
}

// about answers what the program is asked of itself; empty for everything else.
func about(args []string) string {
	switch strings.Join(args, " ") {
	case "version", "--version":
		return "mediaserver " + version.Build() + "\n"
	case "help", "--help", "-h":
		var o options
		return usage + o.flags().FlagUsagesWrapped(100)
	}
	return ""
}

// run is the program: it serves until ctx ends and returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) int {
	o, err := parse(args, getenv, out)
	if errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	log := slog.New(slog.DiscardHandler)
	if err == nil {
		log, err = o.logger(out)
	}
	if err != nil {
		_, _ = fmt.Fprintln(out, "mediaserver:", err)
		return exitUsage
	}
	config := mediaserver.Config{
		DataDir: o.data, Database: o.database, PersonalRoot: o.personalRoot, MediaRoots: o.mediaRoots,
		CheapPasswordHashing: o.passwordHashing == "cheap", TrustedProxies: o.proxies,
		SignInsPerClient: o.signInsClient, SignInsPerAccount: o.signInsAccount, Version: version.Number(), Logger: log,
	}
	switch o.command {
	case commandRead:
		if err := mediaserver.ReadMetadata(config, os.Stdin, os.Stdout); err != nil {
			return exitFailure
		}
		return 0
	case commandBackup:
		err = mediaserver.Backup(ctx, config, o.argument)
	case commandCopy:
		err = mediaserver.CopyTo(ctx, config, o.argument)
	default:
		err = start(ctx, o, config)
	}
	if err != nil {
		log.Error("stopped", "error", err)
		return exitFailure
	}
	if o.command != "" {
		log.Info("done", "command", o.command)
	}
	return 0
}

func start(ctx context.Context, o options, config mediaserver.Config) (err error) {
	log := config.Logger
	if len(o.mediaRoots) == 0 {
		log.Warn("no --media-root is given: no library can be made")
	}
	if config.MetadataReader, err = metadataReader(o); err != nil {
		return err
	}
	server, err := mediaserver.New(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	if o.metrics != "" {
		end, err := serveMetrics(o.metrics, server.Metrics(), log)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer end()
	}
	log.Info("listening", "url", "http://"+listener.Addr().String(), "mediaRoots", o.mediaRoots, "data", o.data)
	return serve(ctx, listener, server.Handler(), log)
}

// metadataReader is the command that starts this program to read metadata below the same folders.
func metadataReader(o options) ([]string, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find the program's own file, which also reads metadata: %w", err)
	}
	command := []string{program, commandRead, "--data", o.data, "--personal-root", o.personalRoot}
	for _, folder := range o.mediaRoots {
		command = append(command, "--media-root", folder)
	}
	return command, nil
}

// serveMetrics serves metrics on an address of their own until end is called.
func serveMetrics(address string, metrics http.Handler, log *slog.Logger) (end func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	server := &http.Server{
		Handler: mux, ReadTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	log.Info("listening for metrics", "metrics", "http://"+listener.Addr().String()+"/metrics")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are no longer served", "error", err)
		}
	}()
	return func() {
		_ = server.Close()
		<-ended
	}, nil
}

// serve answers requests until ctx ends, then lets those under way finish. There is no limit on how long an answer may
// take: a film takes an evening.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		log.Warn("requests under way were cut off", "error", err)
		return server.Close()
	}
	return nil
}

// Command kubectl-usher is Usher's plugin for kubectl: `kubectl usher`. It imports a running media server into manifests, and
// answers everyday questions about who sees what.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/usher-media/usher/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.Main(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

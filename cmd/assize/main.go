// Command assize decides, by measurement, whether the measures that protect an AI system do what they must.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/assize/assize/internal/cli"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/worker"
)

func main() { os.Exit(run()) }

func run() int {
	if len(os.Args) == 2 && os.Args[1] == worker.Argument {
		return worker.Main(suite.All()) // a child: it has neither a home nor a terminal
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "assize: find its own program:", err)
		return 1
	}
	keys, err := ledger.KeyFolder()
	if err != nil {
		fmt.Fprintln(os.Stderr, "assize:", err)
		return 1
	}
	width, colour := cli.Terminal(os.Stdout)
	app := &cli.App{
		Out: os.Stdout, Err: os.Stderr, Worker: worker.Command{Path: self, Args: []string{worker.Argument}},
		KeyFolder: keys, Now: time.Now, Width: width, Colour: colour,
	}
	return app.Run(ctx, os.Args[1:])
}

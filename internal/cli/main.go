package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/worker"
)

// Main is the program: it takes its surroundings from the process and returns the exit status.
func Main() int {
	if len(os.Args) == 2 && os.Args[1] == worker.Argument {
		return worker.Main(suite.All()) // a child: it has neither a home nor a terminal
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "assize: find its own program:", err)
		return exitUnable
	}
	keys, err := ledger.KeyFolder()
	if err != nil {
		fmt.Fprintln(os.Stderr, "assize:", err)
		return exitUnable
	}
	width, colour := terminalOf(os.Stdout)
	app := &App{
		Out: os.Stdout, Err: os.Stderr, Worker: worker.Command{Path: self, Args: []string{worker.Argument}},
		KeyFolder: keys, Now: time.Now, Width: width, Colour: colour,
	}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		app.In = os.Stdin
	}
	return app.Run(ctx, os.Args[1:])
}

// Package cli is the command line: one file a command. It parses flags, calls
// engine, and shows what comes back.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/worker"
)

// Version is the version of the program.
const Version = dossier.ToolVersion

// The exit statuses; see "Exit status" in the design.
const (
	exitOK       = 0
	exitUnable   = 1 // could not assess, or nothing was assessed
	exitUsage    = 2 // wrong usage or manifest
	exitGoal     = 3 // a claimed goal fails, is inconclusive or is not assessed
	exitBySignal = 130
)

// App is the program with its surroundings, so that tests can put in their own.
type App struct {
	Out, Err io.Writer
	// In is a terminal that questions can be asked on; nil is none.
	In io.Reader
	// Worker turns the program into a worker process.
	Worker worker.Command
	// KeyFolder holds the signing key.
	KeyFolder string
	Now       func() time.Time
	// Width and Colour describe the terminal behind Out; Width 0 is none.
	Width  int
	Colour bool
}

// exitError carries an exit status without words of its own.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

// usageError marks wrong usage.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Run runs one command and returns the exit status.
func (a *App) Run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	err := root.ExecuteContext(ctx)
	var exit exitError
	var usage usageError
	var bad *manifest.Error
	var refused *engine.Refusal
	var missing *catalogue.NotFoundError
	var date *catalogue.UnknownDateError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(a.Err, "assize: interrupted")
		return exitBySignal
	}
	fmt.Fprintf(a.Err, "assize: %s\n", strings.TrimSpace(err.Error()))
	if errors.As(err, &usage) || errors.As(err, &bad) || errors.As(err, &refused) || errors.As(err, &missing) || errors.As(err, &date) {
		return exitUsage
	}
	return exitUnable
}

func (a *App) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "assize",
		Short: "Decides, by measurement, whether the measures that protect an AI system do what they must",
		Long: `Assize opens a system's models and data, attacks them with and without each
protective measure, records what it measured in a tamper-evident log, decides by
objective criteria, and writes a dossier that somebody else can verify.

  assize init my-model                     draft a manifest for the files of a folder
  assize assess examples/credit            measure, decide, write examples/credit/dossier
  assize verify examples/credit/dossier    check somebody else's dossier, offline
  assize replay examples/credit/dossier    run a part of it again, drawn by you
  assize standards coverage --article '15(5)' --kind method,metric
                                           which standards give a method or metric for it today
  assize route examples/credit             which conformity assessment is due, and from which dates`,
		Version:       Version,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q\nhint: assize --help lists the commands", args[0])}
			}
			return c.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nhint: %s --help", err, c.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(a.init(), a.assess(), a.qualify(), a.verify(), a.replay(), a.rejudge(), a.redact(), a.export(), a.report(), a.plan(), a.probes(), a.manifest(), a.dossier(),
		a.standards(), a.threats(), a.requirements(), a.criteria(), a.solutions(), a.terms(), a.crosswalk(), a.schemes(),
		a.catalogue(), a.classify(), a.route(), a.checklist(), a.risk(), a.scan())
	return root
}

// exactly is cobra.ExactArgs with a hint.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("%s takes %s, got %d arguments\nhint: %s", c.CommandPath(), what, len(args), c.UseLine())}
		}
		return nil
	}
}

func (a *App) options(target, depth string) engine.Options {
	return engine.Options{
		Target: target, Depth: depth, Tool: dossier.Tool, Command: a.Worker,
		KeyFolder: a.KeyFolder, Log: a.Err, Now: a.Now,
	}
}

// checkDepth refuses what is no depth; "" keeps the manifest's.
func checkDepth(depth string) error {
	switch depth {
	case "", "quick", "standard", "thorough":
		return nil
	}
	return usageError{fmt.Errorf("depth %q is unknown\nhint: quick, standard or thorough", depth)}
}

// terminalOf describes the terminal behind a file: its width, 0 for none, and
// whether colours are welcome (NO_COLOR and a dumb terminal say no).
func terminalOf(f *os.File) (width int, colour bool) {
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, false
	}
	return w, os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

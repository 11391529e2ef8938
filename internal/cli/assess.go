package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/report/terminal"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/witness"
)

func (a *App) assess() *cobra.Command {
	var depth, overlay string
	var allow []string
	var workers int
	var memory int64
	var resume bool
	var replaced []string
	var threat string
	var budget time.Duration
	var most plan.Cap
	var stamps, witnesses []string
	var witnessKeys string
	c := &cobra.Command{
		Use:   "assess TARGET",
		Short: "Measure a target, decide, and write its dossier",
		Long: `Assess reads TARGET/assize.yaml, plans, logs the plan, measures in confined child
processes, decides by the criteria, and writes TARGET/dossier.

Exit status: 0 every claimed goal was assessed and passes; 1 could not assess;
2 wrong usage or manifest; 3 a claimed goal fails, is inconclusive or is not assessed.`,
		Args: exactly(1, "one folder with an assize.yaml"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkDepth(depth); err != nil {
				return err
			}
			if budget < 0 {
				return usageError{errNegativeBudget}
			}
			if err := checkCap(most); err != nil {
				return err
			}
			through, err := verdicts(allow)
			if err != nil {
				return err
			}
			o := a.options(args[0], depth)
			o.Budget, o.Cap = budget, most
			o.Workers, o.MemoryBytes, o.Catalogue, o.Resume = workers, memory<<20, overlay, resume
			if o.Overrides, err = overrides(replaced, threat); err != nil {
				return err
			}
			o.Timestamps, o.Witnesses = stamps, witnesses
			if len(witnesses) > 0 || witnessKeys != "" {
				if len(witnesses) == 0 || witnessKeys == "" {
					return usageError{fmt.Errorf("--witness and --witness-key go together\nhint: the key is what the witness publishes: name+id+base64")}
				}
				if o.WitnessKeys, err = witness.ReadKeys(witnessKeys); err != nil {
					return err
				}
			}
			show := a.progress()
			defer show.stop()
			o.Handler = show
			o.Planned = func(f *engine.Forecast) error {
				show.forecast(f)
				return a.showPlan(f)
			}
			d, dir, err := engine.Assess(c.Context(), o)
			show.stop()
			if err != nil && d == nil {
				return err
			}
			if err := terminal.Write(a.Out, d, a.look()); err != nil {
				return err
			}
			a.paths(dir)
			if d.Plan.ModelError != "" {
				fmt.Fprintf(a.Err, "assize: %s\n", d.Plan.ModelError)
			}
			if errors.Is(err, context.Canceled) {
				fmt.Fprintln(a.Err, "assize: interrupted; what was measured is in the dossier")
				return exitError{exitBySignal}
			}
			if code := judge.Allowed(d, through); code != exitOK {
				return exitError{code}
			}
			return nil
		},
	}
	addCatalogueFlag(c, &overlay)
	addOverrideFlags(c, &replaced, &threat)
	c.Flags().StringVar(&depth, "depth", "", "quick, standard or thorough (default: the manifest's)")
	c.Flags().StringSliceVar(&allow, "allow", nil, "verdicts of claimed goals that do not change the exit status: inconclusive, not-assessed")
	c.Flags().StringSliceVar(&stamps, "timestamp", nil, "address of a time stamping authority (RFC 3161) that stamps the end of the log")
	c.Flags().StringSliceVar(&witnesses, "witness", nil, "submission prefix of a witness (C2SP tlog-witness) that cosigns the end of the log")
	c.Flags().StringVar(&witnessKeys, "witness-key", "", "file of the witnesses' keys, one a line")
	c.Flags().BoolVar(&resume, "resume", false, "go on with the last run where it was broken off, by a crash or kill -9")
	addBudgetFlag(c, &budget)
	addCapFlags(c, &most)
	c.Flags().IntVar(&workers, "workers", 0, "processes at a time (default: one per core)")
	c.Flags().Int64Var(&memory, "memory", 1024, "data memory of each worker, in MiB")
	return c
}

// addOverrideFlags adds what an assessor sets in place of the provider.
func addOverrideFlags(c *cobra.Command, data *[]string, threat *string) {
	c.Flags().StringArrayVar(data, "data-override", nil, "NAME=FILE: an assessor's data in place of the data set of that name; can be repeated")
	c.Flags().StringVar(threat, "threat", "", "an assessor's threat model: YAML with the section threat_model, in place of the manifest's")
}

// overrides reads the values of these flags.
func overrides(data []string, threat string) (manifest.Overrides, error) {
	o := manifest.Overrides{Data: map[string]string{}, Threat: threat}
	for _, text := range data {
		name, file, ok := strings.Cut(text, "=")
		if _, twice := o.Data[name]; !ok || name == "" || file == "" || twice {
			return o, usageError{fmt.Errorf("--data-override %.80q: it is not NAME=FILE, or the name stands twice\nhint: --data-override test=held-out.csv", text)}
		}
		o.Data[name] = file
	}
	return o, nil
}

// errNegativeBudget refuses a budget below 0.
var errNegativeBudget = errors.New("--budget cannot be negative\nhint: a duration such as 90s, 10m or 2h")

func addBudgetFlag(c *cobra.Command, budget *time.Duration) {
	c.Flags().DurationVar(budget, "budget", 0, "wall time to fit rows and queries to, as 10m: claimed goals that intervals decide come first (default: as the depth has it)")
}

func addCapFlags(c *cobra.Command, most *plan.Cap) {
	c.Flags().IntVar(&most.Rows, "max-rows", 0, "rows that are sent to a served model at most, those of retries included (default: the manifest's)")
	c.Flags().IntVar(&most.Requests, "max-requests", 0, "requests that are made of a served model at most (default: the manifest's)")
}

// checkCap refuses a cap below 0.
func checkCap(most plan.Cap) error {
	if most.Rows < 0 || most.Requests < 0 {
		return usageError{errors.New("--max-rows and --max-requests cannot be negative\nhint: leave a flag out to keep what the manifest says")}
	}
	return nil
}

func verdicts(names []string) ([]dossier.Verdict, error) {
	var out []dossier.Verdict
	for _, n := range names {
		switch v := dossier.Verdict(n); v {
		case dossier.Inconclusive, dossier.NotAssessed:
			out = append(out, v)
		default:
			return nil, usageError{fmt.Errorf("--allow %q: only inconclusive and not-assessed can be let through", n)}
		}
	}
	return out, nil
}

// look is how reports for the terminal are laid out.
func (a *App) look() terminal.Options {
	return terminal.Options{Width: a.Width, Colour: a.Colour}
}

func (a *App) showPlan(f *engine.Forecast) error {
	cost := func(i *plan.Item) float64 { return f.Seconds(i) / float64(f.Workers) }
	if err := terminal.WritePlan(a.Out, f.Plan, cost, a.look()); err != nil {
		return err
	}
	a.showPrice(f)
	for _, n := range f.Notes {
		fmt.Fprintf(a.Out, "note: %s\n", n)
	}
	for _, n := range f.Sandbox {
		fmt.Fprintf(a.Out, "note: sandbox: %s\n", n)
	}
	fmt.Fprintln(a.Out)
	return nil
}

// showPrice says what asking a served model takes and costs, before it is asked.
func (a *App) showPrice(f *engine.Forecast) {
	if f.Price == nil {
		return
	}
	e, rows := f.Price.Endpoint, f.Plan.Queries()
	fmt.Fprintf(a.Out, "\nServed at %s (%s)\n", f.Price.Address, e.Protocol)
	fmt.Fprintf(a.Out, "  to ask     %s rows in at least %s calls, before retries\n", wording.Whole(int64(rows)), wording.Whole(int64(e.Calls(rows))))
	rate := "none was agreed"
	if least := e.AtLeast(rows); least > 0 {
		rate = fmt.Sprintf("%s, so at least %s", agreed(e), wording.Seconds(least.Seconds()))
	}
	fmt.Fprintf(a.Out, "  rate       %s\n", rate)
	cost := "no price is stated"
	if e.PricePer1000 > 0 {
		cost = fmt.Sprintf("about %.2f %s at %g for 1 000 queries", f.Price.Cost(f.Price.Asked(rows)), e.Currency, e.PricePer1000)
	}
	fmt.Fprintf(a.Out, "  cost       %s\n", cost)
	grant := "not stated"
	if e.QueriesPerUser > 0 {
		grant = wording.Whole(int64(e.QueriesPerUser)) + " queries"
	}
	fmt.Fprintf(a.Out, "  one user   %s\n", grant)
	most := "none: set max_rows or max_requests under endpoint, or --max-rows, for one"
	if c := f.Price.Cap; c != nil {
		most = c.String()
		if f.Price.Asked(rows) < rows || c.Requests > 0 && e.Calls(rows) > c.Requests {
			most += ", which is less than the plan asks: what does not fit is not sent, and what it decides is inconclusive or not assessed"
		}
	}
	fmt.Fprintf(a.Out, "  cap        %s\n", most)
}

// agreed writes the rates of an endpoint.
func agreed(e *manifest.Endpoint) string {
	var words []string
	if e.RequestsPerSecond > 0 {
		words = append(words, fmt.Sprintf("%g calls a second", e.RequestsPerSecond))
	}
	if e.RowsPerSecond > 0 {
		words = append(words, fmt.Sprintf("%g rows a second", e.RowsPerSecond))
	}
	return strings.Join(words, " and ")
}

// paths says where the dossier is and what to do with it.
func (a *App) paths(dir string) {
	short := dir
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, dir); err == nil && !strings.HasPrefix(rel, "..") {
			short = rel
		}
	}
	fmt.Fprintf(a.Out, "\nwrote %s\n", filepath.Join(short, dossier.ReportName))
	fmt.Fprintf(a.Out, "      %s\n", filepath.Join(short, dossier.MainName))
	fmt.Fprintf(a.Out, "check it with: assize verify %s\n", short)
}

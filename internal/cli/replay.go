package cli

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/replay"
	"github.com/assize/assize/internal/report/wording"
)

func (a *App) replay() *cobra.Command {
	var nonce, target, keyFile, overlay, threat string
	var replaced []string
	var sample, rows, workers int
	var memory int64
	var most plan.Cap
	var asJSON bool
	c := &cobra.Command{
		Use:   "replay DOSSIER",
		Short: "Run a part of somebody else's dossier again, drawn by you, and compare",
		Long: `Replay verifies DOSSIER, checks the manifest, the model and the data in the folder
that holds it (or --target) against the recorded digests, makes the plan again,
computes every observation's numbers again from its recorded rows, and then runs
observations again, in confined child processes with the recorded seeds, and compares
rows, numbers and decisions.

Which observations and rows are run follows from --nonce, which you choose or which
is drawn and printed; whoever made the dossier could not know it. What does not agree
on the rows drawn is run again on all of them. docs/hand-over.md holds the rule of tolerance.

Exit status: 0 everything agrees; 1 something contradicts the dossier, or nothing could
be run; 2 wrong usage.`,
		Example: `  assize replay examples/credit/dossier
  assize replay DOSSIER --target DIR --sample 0 --rows 0     # all of it`,
		Args: exactly(1, "one dossier folder"),
		RunE: func(c *cobra.Command, args []string) error {
			drawn := make([]byte, 16)
			rand.Read(drawn) // never fails
			if nonce != "" {
				var err error
				if drawn, err = hex.DecodeString(nonce); err != nil || len(drawn) == 0 {
					return usageError{fmt.Errorf("--nonce %.80q is not hexadecimal\nhint: an even number of the digits 0 to 9 and a to f", nonce)}
				}
			}
			if sample < 0 || rows < 0 {
				return usageError{fmt.Errorf("--sample and --rows cannot be negative\nhint: 0 is all")}
			}
			if err := checkCap(most); err != nil {
				return err
			}
			key, err := trusted(keyFile)
			if err != nil {
				return err
			}
			show := a.progress()
			defer show.stop()
			o := engine.ReplayOptions{Options: a.options(target, ""), Dossier: args[0], Key: key, Sample: sample, Rows: rows, Nonce: drawn}
			o.Workers, o.MemoryBytes, o.Catalogue, o.Handler = workers, memory<<20, overlay, show
			o.Cap = most
			if o.Overrides, err = overrides(replaced, threat); err != nil {
				return err
			}
			r, err := engine.Replay(c.Context(), o)
			show.stop()
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(a.Out)
				e.SetIndent("", " ")
				err = e.Encode(r)
			} else {
				writeReplay(a.Out, r)
			}
			if err == nil && !r.OK() {
				return exitError{exitUnable}
			}
			return err
		},
	}
	addCatalogueFlag(c, &overlay)
	addOverrideFlags(c, &replaced, &threat)
	addCapFlags(c, &most)
	c.Flags().IntVar(&sample, "sample", 5, "observations to run again; 0 is all")
	c.Flags().IntVar(&rows, "rows", 50, "rows of each observation to run again; 0 is all")
	c.Flags().StringVar(&nonce, "nonce", "", "what draws them, in hexadecimal (default: drawn, and printed)")
	c.Flags().StringVar(&target, "target", "", "folder with assize.yaml, model and data (default: the one that holds DOSSIER)")
	c.Flags().StringVar(&keyFile, "key", "", "file with the signer's public key, from somewhere other than the dossier")
	c.Flags().IntVar(&workers, "workers", 0, "processes at a time (default: one per core)")
	c.Flags().Int64Var(&memory, "memory", 1024, "data memory of each worker, in MiB")
	c.Flags().BoolVar(&asJSON, "json", false, "write the comparison as JSON")
	return c
}

// trusted reads the key that the caller trusts; nil where none is named.
func trusted(file string) (*ledger.Verifier, error) {
	if file == "" {
		return nil, nil
	}
	return ledger.ReadVerifier(file)
}

func writeReplay(w io.Writer, r *replay.Report) {
	if r.Target != "" {
		fmt.Fprintf(w, "%s, run %.8s\n", wording.Clean(r.Target), wording.Clean(r.Run))
	}
	fmt.Fprintf(w, "drawn by nonce %s\n\n", r.Nonce)
	for _, c := range r.Checks {
		line(w, c.OK, c.Name, c.Detail)
	}
	if len(r.Observations) > 0 {
		fmt.Fprintln(w)
	}
	for _, o := range r.Observations {
		what := "run again"
		if o.Rows > 0 {
			what = fmt.Sprintf("%d of %d rows agree", o.Rows-o.Differ-o.Amounts, o.Rows)
		}
		if len(o.SolutionsOn) > 0 {
			what += ", with solutions"
		}
		if !o.Drawn {
			what += "; not drawn, run because its numbers rest on more than its rows, or because a drawn one reads it"
		}
		line(w, len(o.Wrong) == 0, o.ID+" "+o.Probe, what)
		for _, t := range o.Wrong {
			fmt.Fprintf(w, "          - %s\n", wording.Clean(t))
		}
		for _, t := range o.Said {
			fmt.Fprintf(w, "          - %s\n", wording.Clean(t))
		}
	}
	list := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(w, "%s\n", title)
		for _, t := range lines {
			fmt.Fprintf(w, "  - %s\n", wording.Clean(t))
		}
	}
	fmt.Fprintln(w)
	list("Not run again", r.NotReplayed)
	list("This machine is not that of the run", r.Differences)
	if r.OK() {
		list("REPLAYED, and it agrees. This shows", r.Shows)
	} else {
		fmt.Fprintln(w, "NOT CONFIRMED: what was run again contradicts the dossier, or nothing could be run.")
	}
	list("It does not show", r.DoesNotShow)
}

// line is one check: its mark, name and detail.
func line(w io.Writer, ok bool, name, detail string) {
	mark := "ok    "
	if !ok {
		mark = "FAILED"
	}
	fmt.Fprintf(w, "%s  %-32s %s\n", mark, wording.Clean(name), wording.Clean(detail))
}

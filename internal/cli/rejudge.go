package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/durable"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/report/terminal"
	"github.com/assize/assize/internal/report/wording"
)

func (a *App) rejudge() *cobra.Command {
	var criteria, keyFile, out string
	var claims, allow []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "rejudge DOSSIER --criteria FILE",
		Short: "Judge the evidence of a dossier by criteria of your own",
		Long: `Rejudge verifies DOSSIER and decides on its evidence by the criteria in FILE, and by no
others. FILE is written as criteria.yaml of the catalogue (docs/catalogue.md), with set_by:
assessor. The goals claimed are those that the criteria speak of, or --claims. Evidence that
the criteria need and the dossier lacks is listed as what to run. The dossier is not changed.

Exit status as of assess: 0 every claimed goal passes; 1 the dossier does not verify, or
nothing of it could be judged; 2 wrong usage or criteria; 3 a claimed goal does not pass.`,
		Example: "  assize rejudge examples/credit/dossier --criteria examples/credit/assessor.yaml",
		Args:    exactly(1, "one dossier folder"),
		RunE: func(c *cobra.Command, args []string) error {
			if criteria == "" {
				return usageError{fmt.Errorf("rejudge needs criteria\nhint: %s", c.UseLine())}
			}
			through, err := verdicts(allow)
			if err != nil {
				return err
			}
			if out != "" && inside(out, args[0]) {
				return usageError{fmt.Errorf("--out %q lies inside the dossier, which a new file would break\nhint: name a file beside it", out)}
			}
			key, err := trusted(keyFile)
			if err != nil {
				return err
			}
			r, err := engine.Rejudge(c.Context(), engine.RejudgeOptions{Dossier: args[0], Key: key, Criteria: criteria, Claims: claims, KeyFolder: a.KeyFolder})
			if err != nil {
				return err
			}
			b, err := json.MarshalIndent(r, "", " ")
			if err != nil {
				return err
			}
			b = append(b, '\n')
			if out != "" {
				if err := durable.WriteFile(out, b, 0o644); err != nil {
					return err
				}
			}
			if asJSON {
				_, err = a.Out.Write(b)
			} else if err = terminal.Write(a.Out, r.Dossier, a.look()); err == nil {
				writeNeeded(a.Out, r)
			}
			if err != nil {
				return err
			}
			if code := judge.Allowed(r.Dossier, through); code != exitOK {
				return exitError{code}
			}
			return nil
		},
	}
	c.Flags().StringVar(&criteria, "criteria", "", "file of criteria that decide, and no others do")
	c.Flags().StringSliceVar(&claims, "claims", nil, "goals that must pass (default: those that the criteria speak of)")
	c.Flags().StringSliceVar(&allow, "allow", nil, "verdicts of claimed goals that do not change the exit status: inconclusive, not-assessed")
	c.Flags().StringVar(&keyFile, "key", "", "file with the signer's public key, from somewhere other than the dossier")
	c.Flags().StringVar(&out, "out", "", "file to write the decisions to, as JSON; not inside the dossier")
	c.Flags().BoolVar(&asJSON, "json", false, "write the decisions as JSON")
	return c
}

// inside tells whether a path lies in a folder, links resolved where they can be.
func inside(path, dir string) bool {
	real := func(p string) string {
		p, err := filepath.Abs(p)
		if err != nil {
			return p
		}
		if r, err := filepath.EvalSymlinks(p); err == nil {
			return r
		}
		return p
	}
	rel, err := filepath.Rel(real(dir), filepath.Join(real(filepath.Dir(path)), filepath.Base(path)))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func writeNeeded(w io.Writer, r *engine.Rejudged) {
	if len(r.Needed) == 0 {
		return
	}
	fmt.Fprintf(w, "\nTo be run before these criteria can decide\n")
	for _, n := range r.Needed {
		what := n.Probe
		if n.Rows > 0 {
			what += fmt.Sprintf(" (%d rows)", n.Rows)
		}
		if what == "" {
			what = "no probe"
		}
		fmt.Fprintf(w, "  - %s, for %s: %s\n", wording.Clean(what), wording.Clean(n.Criterion), wording.Clean(n.Why))
	}
}

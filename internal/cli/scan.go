package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/report/sarif"
	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
	"github.com/assize/assize/internal/scan/suite"
)

func (a *App) scan() *cobra.Command {
	var format, policyFile string
	var noDigest bool
	c := &cobra.Command{
		Use:   "scan PATH...",
		Short: "Say what model files would do when they are loaded, without loading them",
		Long: `Scan reads model files, and every file below folders, and says of each one of
malicious, dangerous, unknown-code, incomplete or clean. The worst wins. What is
not read is never called clean. The content decides the format, never the name.

Every byte is read, since the report carries the SHA-256 of each file. --no-digest
leaves that out for a quick look: numbers of arrays, which nothing else looks into, are
then not read. The outcomes are the same, and the report is bound to no bytes.

Exit status: 0 all clean, 3 anything else, 1 could not run, 2 wrong usage.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("%s takes files or folders\nhint: %s", c.CommandPath(), c.UseLine())}
			}
			if !slices.Contains([]string{"text", "json", "sarif"}, format) {
				return usageError{fmt.Errorf("format %q is unknown\nhint: text, json or sarif", format)}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			set, err := rules.Load()
			if err != nil {
				return err
			}
			policy := &rules.Policy{}
			if policyFile != "" {
				if policy, err = rules.ReadPolicy(policyFile); err != nil {
					return usageError{err}
				}
				set = set.With(policy)
			}
			s := suite.Scanner(set, a.Now)
			s.NoDigest = noDigest
			if policy.TimePerFile > 0 {
				s.Budget.Time = policy.TimePerFile
			}
			var reports []scan.FileReport
			err = s.Paths(c.Context(), args, func(r scan.FileReport) error {
				reports = append(reports, r.Escaped())
				return nil
			})
			if err != nil {
				return err
			}
			switch format {
			case "json":
				err = scanJSON(a.Out, set, !noDigest, reports)
			case "sarif":
				err = sarif.WriteScan(a.Out, "assize "+Version, set.Digest(), !noDigest, reports)
			default:
				err = scanText(a.Out, set, !noDigest, reports)
			}
			if err != nil {
				return err
			}
			if slices.ContainsFunc(reports, func(r scan.FileReport) bool { return !accepted(r, policy) }) {
				return exitError{exitGoal}
			}
			return nil
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text, json or sarif")
	c.Flags().StringVar(&policyFile, "policy", "", "YAML file of the site: names that it vets or denies, rules of incomplete that it accepts")
	c.Flags().BoolVar(&noDigest, "no-digest", false, "make no digests and leave the numbers of arrays unread; the report is bound to no bytes")
	return c
}

// accepted tells whether a file is clean, or incomplete for reasons that the
// policy accepts. A container is as its members are, which stand for themselves.
func accepted(r scan.FileReport, p *rules.Policy) bool {
	if r.Outcome != scan.Incomplete {
		return r.Outcome == scan.Clean
	}
	return len(p.AllowIncomplete) > 0 && !slices.ContainsFunc(r.Findings, func(f scan.Finding) bool {
		return !slices.Contains(p.AllowIncomplete, f.Rule)
	})
}

func scanJSON(w io.Writer, set *rules.Set, bound bool, reports []scan.FileReport) error {
	type lists struct {
		Version string `json:"version"`
		Digest  string `json:"digest"`
	}
	out := struct {
		Files []scan.FileReport `json:"files"`
		Rules lists             `json:"rules"`
		Bound bool              `json:"bound_to_bytes"` // whether digests were made
	}{reports, lists{set.Version(), set.Digest()}, bound}
	if out.Files == nil {
		out.Files = []scan.FileReport{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(out)
}

// scanText writes what people need: every file that is not clean, with why, and how many there were.
func scanText(w io.Writer, set *rules.Set, bound bool, reports []scan.FileReport) error {
	var b strings.Builder
	count := map[scan.Outcome]int{}
	members := 0
	for _, r := range reports {
		inner := strings.Contains(r.Path, "!")
		if inner {
			members++
		} else {
			count[r.Outcome]++
		}
		if inner && (r.Outcome == scan.Clean || len(r.Findings) == 0) {
			continue
		}
		format := r.Format
		if format == "" {
			format = "unknown format"
		}
		fmt.Fprintf(&b, "%-12s %s (%s, %d bytes", r.Outcome, r.Path, format, r.Coverage.Bytes)
		if r.Coverage.Unread > 0 {
			fmt.Fprintf(&b, ", %d not read", r.Coverage.Unread)
		}
		fmt.Fprintln(&b, ")")
		for _, f := range r.Findings {
			what := f.Rule
			if f.Capability != "" {
				what += ", " + f.Capability
			}
			fmt.Fprintf(&b, "    at byte %d: %s [%s]\n", f.Offset, f.Evidence, strings.Join(append([]string{what}, f.Cites...), ", "))
		}
		if i := slices.IndexFunc(r.Findings, func(f scan.Finding) bool { return f.Outcome == r.Outcome && f.Fix != "" }); i >= 0 {
			fmt.Fprintf(&b, "    what to do: %s\n", r.Findings[i].Fix)
		}
	}
	var parts []string
	files := 0
	for o := scan.Malicious; o >= scan.Clean; o-- {
		if files += count[o]; count[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[o], o))
		}
	}
	fmt.Fprintf(&b, "%s, %s: %s. Rules of %s, %.19s…\n", counted(files, "file"), counted(members, "member"), strings.Join(parts, ", "), set.Version(), set.Digest())
	if !bound {
		fmt.Fprintln(&b, "No digests were made: this report is bound to no bytes, and cannot show later that these are the files that were looked at.")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// Package instructions writes the part of the instructions for use that Art.
// 13(3)(b)(ii) of the AI Act asks for, as far as it was measured: the levels of
// accuracy, robustness and cybersecurity that were tested, with intervals, and
// the circumstances that change them. It is text for a provider to check and
// complete, not the instructions.
package instructions

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

// Write writes the text for d to w as GitHub-flavoured Markdown. Text of the
// target is escaped.
func Write(w io.Writer, d *dossier.Dossier) error {
	p := &text{}
	p.head(d)
	p.levels(d, "Accuracy", false)
	p.levels(d, "Robustness and cybersecurity", true)
	p.circumstances(d)
	p.untested(d)
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("write instructions: %w", err)
	}
	return nil
}

type text struct{ strings.Builder }

func (p *text) block(format string, args ...any) {
	if p.Len() > 0 {
		p.WriteByte('\n')
	}
	fmt.Fprintf(p, format+"\n", args...)
}

func (p *text) bullets(lines []string) { p.block("- %s", strings.Join(lines, "\n- ")) }

func (p *text) head(d *dossier.Dossier) {
	md := wording.Markdown
	p.block("# Tested levels of %s %s", md(d.Target.Name), md(d.Target.Version))
	p.block("For the instructions for use, AI Act Art. 13(3)(b)(ii). Measured with %s at depth %s; the run ended %s. Run %s holds the evidence.",
		md(d.Tool), md(d.Plan.Depth), wording.Moment(d.Ended), md(d.Run))
	if d.Target.IntendedPurpose != "" {
		p.block("Intended purpose, as declared: %s", md(wording.Sentence(d.Target.IntendedPurpose)))
	}
	if d.Interrupted {
		p.block("**The run was interrupted: these levels are not complete.**")
	}
	p.block("The levels below hold for this version, on the data and within the circumstances named. An interval says how far the level may lie from the one measured; what can be expected is the worse end of it.")
}

// hostile says whether one of the goals is about errors, faults or attackers
// (Art. 15(4) and (5)), by what decisions and criteria on it cite. Goals of which
// nothing is cited are taken to be.
func hostile(d *dossier.Dossier, goals []string) bool {
	var cites []string
	for _, k := range d.Decisions {
		if slices.Contains(goals, k.Goal) {
			cites = append(cites, k.Cites...)
		}
	}
	for _, k := range d.Plan.Criteria {
		if slices.Contains(goals, k.Goal) {
			cites = append(cites, k.Cites...)
		}
	}
	return cites == nil || slices.ContainsFunc(cites, func(c string) bool {
		return strings.HasPrefix(c, "AI Act Art. 15(4)") || strings.HasPrefix(c, "AI Act Art. 15(5)")
	})
}

// levels writes a table of the measured levels of the deployed system.
func (p *text) levels(d *dossier.Dossier, title string, attacked bool) {
	p.block("## %s", title)
	var rows []string
	for i := range d.Observations {
		o := &d.Observations[i]
		goals, deployed := about(d, o)
		if o.State != result.Measured || !deployed || hostile(d, goals) != attacked {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(o.Metrics)) {
			m := o.Metrics[name]
			declared, read := "", false
			for _, k := range d.Decisions {
				if k.Metric != name || !slices.Contains(k.From, o.ID) {
					continue
				}
				if read = true; k.SetBy != catalogue.SetByDefault {
					declared = fmt.Sprintf("%s: %s (%s)", wording.Level(k.Compare, k.Level, m.Unit), wording.Words(string(k.Decision)), wording.Whose(k.SetBy))
				}
			}
			if m.Method == result.Exhaustive && !read {
				continue // a count that no criterion reads is no level
			}
			rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", wording.Markdown(wording.Metric(name)), wording.In(m.Unit, m.Value),
				wording.Markdown(wording.Interval(m)), wording.Whole(int64(m.N)), wording.Markdown(m.Method), wording.Markdown(o.Probe), wording.Markdown(declared)))
		}
	}
	if rows == nil {
		p.block("Nothing of it was measured.")
		return
	}
	p.block("| Metric | Level | 95 %% interval | n | Method | Measured by | Level that was set |\n| --- | ---: | --- | ---: | --- | --- | --- |\n%s", strings.Join(rows, "\n"))
}

// about says which goals an observation is for, and whether the system was as
// it is deployed.
func about(d *dossier.Dossier, o *evidence.Observation) (goals []string, deployed bool) {
	for _, i := range d.Plan.Items {
		if i.ID == o.Item {
			return i.Goals, i.Deployed
		}
	}
	return nil, false
}

// circumstances lists what changes the levels, as far as it was measured or declared.
func (p *text) circumstances(d *dossier.Dossier) {
	md := wording.Markdown
	p.block("## Circumstances that change these levels")
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, e := range d.Effects {
		say("Without %s: %s, %s, is %s rather than %s, a difference of %s between %s and %s on %s rows.", md(strings.Join(e.Solutions, ", ")), md(wording.Words(e.Outcome)), md(e.Probe),
			wording.Percent(e.Off), wording.Percent(e.On), wording.Points(-e.Difference), wording.Points(-e.Upper), wording.Points(-e.Lower), wording.Whole(int64(e.N)))
	}
	for i := range d.Observations {
		o := &d.Observations[i]
		if _, deployed := about(d, o); o.State != result.Measured || !deployed || len(o.Parameters) == 0 {
			continue
		}
		var set []string
		for _, name := range slices.Sorted(maps.Keys(o.Parameters)) {
			set = append(set, fmt.Sprintf("%s %v", wording.Words(name), o.Parameters[name]))
		}
		say("%s was measured with %s; beyond that nothing is known.", md(o.Probe), md(strings.Join(set, ", ")))
	}
	for _, a := range d.Artefacts {
		if a.Kind == "dataset" {
			say("Data %s (%s): other populations and other times may give other levels.", md(a.Name), md(a.Digest.Short()))
		}
	}
	if d.Plan.Guessed {
		say("The domain was guessed from data and confirmed by nobody: what counts as a possible input may be otherwise.")
	}
	if life := d.Target.LifeCycle; life != nil && life.Learning == "continuous" {
		say("The system goes on learning: the levels hold for the version measured and have to be measured again.")
	}
	for _, e := range d.Environments {
		say("Measured on %s, %s %s, %s.", md(e.Processor), md(e.OS), md(e.Arch), md(e.Runtime))
	}
	for _, c := range d.Summary.Caveats {
		say("%s", md(wording.Sentence(c)))
	}
	p.bullets(lines)
	p.block("To be added by the provider: circumstances that were not tested here and are known or foreseeable, such as changes of the population, of the inputs' source or of how people use the answers.")
}

// untested lists what no level can be stated for.
func (p *text) untested(d *dossier.Dossier) {
	gaps := wording.Gaps(d)
	if len(gaps) == 0 {
		return
	}
	p.block("## Not tested")
	var lines []string
	for _, g := range gaps {
		lines = append(lines, wording.Markdown(wording.Sentence(g.What+", "+g.State+": "+g.Reason)))
	}
	p.bullets(lines)
}

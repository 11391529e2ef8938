// Package markdown writes a dossier as GitHub-flavoured Markdown, for a pull
// request or a wiki: the verdicts with their numbers, every metric, and what was not assessed.
//
// Text of the target is escaped: it makes no markup, no link and no image, and
// breaks no table.
package markdown

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

// Write writes the report of d to w.
func Write(w io.Writer, d *dossier.Dossier) error {
	p := &page{}
	p.head(d)
	p.goals(d)
	p.effects(d)
	if lines := wording.Endpoint(d); len(lines) > 0 {
		p.block("## At the endpoint")
		for i := range lines {
			lines[i] = wording.Markdown(lines[i])
		}
		p.bullets(lines)
	}
	p.observations(d)
	p.gaps(d)
	p.verify(d)
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// page collects blocks. Whoever calls its methods has escaped what is not ours.
type page struct{ strings.Builder }

func (p *page) block(format string, args ...any) {
	if p.Len() > 0 {
		p.WriteByte('\n')
	}
	fmt.Fprintf(p, format+"\n", args...)
}

// table writes a head and rows; columns whose head ends with ":" are set to the right.
func (p *page) table(head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	rule := make([]string, len(head))
	for i, h := range head {
		rule[i] = "---"
		if strings.HasSuffix(h, ":") {
			rule[i] = "---:"
		}
		head[i] = strings.TrimSuffix(h, ":")
	}
	lines := []string{"| " + strings.Join(head, " | ") + " |", "| " + strings.Join(rule, " | ") + " |"}
	for _, row := range rows {
		lines = append(lines, "| "+strings.Join(row, " | ")+" |")
	}
	p.block("%s", strings.Join(lines, "\n"))
}

func (p *page) bullets(lines []string) {
	if len(lines) > 0 {
		p.block("- %s", strings.Join(lines, "\n- "))
	}
}

func (p *page) head(d *dossier.Dossier) {
	p.block("# Assessment of %s %s", wording.Markdown(d.Target.Name), wording.Markdown(d.Target.Version))
	var facts []string
	for _, f := range [][2]string{
		{"Provider", d.Target.Provider}, {"Intended purpose", d.Target.IntendedPurpose}, {"Classification, as declared", wording.Classification(d.Target.Classification)},
		{"Assessed", wording.Moment(d.Started) + ", depth " + d.Plan.Depth + ", by " + d.Tool}, {"Run", d.Run},
	} {
		if f[1] != "" {
			facts = append(facts, f[0]+": "+wording.Markdown(f[1]))
		}
	}
	if asked := wording.Asked(d); asked != "" {
		facts = append(facts, wording.Markdown(wording.Sentence(asked)))
	}
	for _, o := range d.Plan.Overrides {
		facts = append(facts, "**"+wording.Markdown(wording.Sentence(o.Sentence()))+"**")
	}
	if d.Interrupted {
		facts = append(facts, "**The run was interrupted before its end.**")
	}
	p.bullets(facts)
	p.block("## Summary and caveats")
	p.block("**%s**", wording.Markdown(wording.Headline(d)))
	var rows [][]string
	for _, g := range d.Goals {
		claimed := "yes"
		if !g.Claimed {
			claimed = "no"
		}
		rows = append(rows, []string{verdict(g.Decision), wording.Markdown(g.Title), claimed, wording.Markdown(wording.Sentence(g.Because)), wording.Markdown(wording.SetBy(g.SetBy))})
	}
	p.table([]string{"Verdict", "Goal", "Claimed", "Because", "Criterion set by"}, rows)
	if len(d.Summary.Caveats) > 0 {
		p.block("Caveats:")
		var lines []string
		for _, c := range d.Summary.Caveats {
			lines = append(lines, wording.Markdown(wording.Sentence(c)))
		}
		p.bullets(lines)
	}
	rows = nil
	for _, c := range wording.Counts(d.Summary) {
		row := []string{wording.Markdown(wording.SetBy(c.SetBy))}
		for _, n := range append(c.By, c.Total) {
			row = append(row, fmt.Sprint(n))
		}
		rows = append(rows, row)
	}
	p.table([]string{"Criteria set by", "pass:", "fail:", "inconclusive:", "not assessed:", "not applicable:", "of:"}, rows)
	p.block("%s", wording.VerdictMeans)
}

func verdict(v dossier.Verdict) string {
	return wording.Symbol(v) + " **" + wording.Markdown(wording.Words(string(v))) + "**"
}

func (p *page) goals(d *dossier.Dossier) {
	p.block("## Goals")
	for _, g := range d.Goals {
		p.block("### %s", wording.Markdown(g.Title))
		var rows [][]string
		var notes []string
		for _, k := range d.Decisions {
			if k.Goal != g.ID {
				continue
			}
			rows = append(rows, criterion(k))
			id := wording.Markdown(k.Criterion)
			notes = append(notes, id+": "+wording.Markdown(wording.Sentence(k.Because)))
			if i := slices.IndexFunc(d.Plan.Criteria, func(c catalogue.Criterion) bool { return c.ID == k.Criterion }); i >= 0 {
				if c := d.Plan.Criteria[i]; c.Source != "" {
					notes = append(notes, fmt.Sprintf("%s is of version %d; its level comes from: %s", id, c.Version, wording.Markdown(wording.Sentence(c.Source))))
				} else if c.Version > 0 {
					notes = append(notes, fmt.Sprintf("%s is of version %d.", id, c.Version))
				}
			}
			if k.Missing != "" {
				notes = append(notes, id+" is missing: "+wording.Markdown(wording.Sentence(k.Missing)))
			}
			for _, c := range k.Caveats {
				notes = append(notes, id+" carries a caveat: "+wording.Markdown(wording.Sentence(c)))
			}
			if len(k.Cites) > 0 {
				notes = append(notes, id+" cites "+wording.Markdown(strings.Join(k.Cites, "; "))+".")
			}
		}
		p.block("%s, goal %s", verdict(g.Decision), wording.Markdown(g.ID))
		p.table([]string{"Decision", "Criterion", "Asks", "Measured:", "Interval", "n:", "Set by", "From"}, rows)
		p.bullets(notes)
	}
}

func criterion(k dossier.Decision) []string {
	row := []string{verdict(k.Decision), wording.Markdown(k.Criterion), "", "–", "–", "–", wording.Markdown(wording.SetBy(k.SetBy)), wording.Markdown(strings.Join(k.From, ", "))}
	unit := ""
	if m := k.Measured; m != nil {
		unit = m.Unit
		row[3], row[4], row[5] = wording.In(unit, m.Value), wording.Markdown(wording.Interval(*m)), wording.Whole(int64(m.N))
	}
	if k.Metric != "" {
		row[2] = wording.Markdown(wording.Metric(k.Metric) + " " + wording.Level(k.Compare, k.Level, unit))
	}
	return row
}

func (p *page) effects(d *dossier.Dossier) {
	p.block("## Effect of the solutions")
	var rows [][]string
	for _, e := range d.Effects {
		rows = append(rows, []string{
			wording.Markdown(strings.Join(e.Solutions, ", ")), wording.Markdown(e.Probe), wording.Percent(e.On), wording.Percent(e.Off), wording.Points(e.Difference),
			wording.Markdown("[" + wording.Points(e.Lower) + ", " + wording.Points(e.Upper) + "]"), wording.Markdown(wording.P(e.P)), wording.Whole(int64(e.N)), wording.Markdown(e.Note),
		})
	}
	p.table([]string{"Solutions", "Probe", "With:", "Without:", "Difference:", "95 % interval", "McNemar, exact", "n:", "Note"}, rows)
	for _, m := range wording.Masking(d) {
		p.block("%s", wording.Markdown(m))
	}
	rows = nil
	for _, u := range wording.Unmeasured(d) {
		valid := string(u.ValidUntil)
		if wording.Expired(u, d.Started) {
			valid += " ✗ **expired**"
		}
		rows = append(rows, []string{wording.Markdown(u.Name), wording.Markdown(u.Owner), wording.Markdown(string(u.Date)), valid, wording.Markdown(wording.WhyUnmeasured(u))})
	}
	p.table([]string{"Unmeasured solution", "Owner", "Date", "Valid until", "Why"}, rows)
	if len(d.Effects)+len(rows) == 0 {
		p.block("No solution is in place.")
	}
}

func (p *page) observations(d *dossier.Dossier) {
	p.block("## Observations")
	for _, o := range d.Observations {
		p.observation(o)
	}
}

func (p *page) observation(o evidence.Observation) {
	p.block("### %s: %s", wording.Markdown(o.ID), wording.Markdown(o.Probe))
	on := "no solution on"
	if len(o.SolutionsOn) > 0 {
		on = "with " + strings.Join(o.SolutionsOn, ", ") + " on"
	}
	line := fmt.Sprintf("version %d, %s, %s queries in %s; seed %s; digest %s", o.Version, on, wording.Whole(o.Queries), wording.Seconds(o.Seconds), o.Seed, o.Digest)
	if o.Traffic != nil {
		line += "; asked of the served model: " + wording.Traffic(o.Traffic)
	}
	if o.State != result.Measured {
		line = wording.Words(string(o.State)) + ": " + o.Reason + "; " + line
	}
	p.block("%s", wording.Markdown(wording.Sentence(line)))
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(o.Metrics)) {
		m := o.Metrics[name]
		rows = append(rows, []string{wording.Markdown(wording.Metric(name)), wording.In(m.Unit, m.Value), wording.Markdown(wording.Interval(m)), wording.Whole(int64(m.N)), wording.Markdown(m.Unit), wording.Markdown(m.Method)})
	}
	p.table([]string{"Metric", "Value:", "Interval", "n:", "Unit", "Method"}, rows)
	var lines []string
	for _, v := range o.Validity {
		mark := "✓ holds: "
		if !v.OK {
			mark = "✗ **does not hold**: "
		}
		lines = append(lines, mark+wording.Markdown(strings.TrimSuffix(wording.Words(v.Check)+": "+v.Note, ": ")))
	}
	for _, f := range o.Findings {
		lines = append(lines, fmt.Sprintf("Finding, %s: %s Where: %s. %s", wording.Markdown(string(f.Severity)), wording.Markdown(wording.Sentence(f.What)), wording.Markdown(f.Where), wording.Markdown(wording.Sentence(f.Fix))))
	}
	for _, n := range o.Notes {
		lines = append(lines, "Note: "+wording.Markdown(wording.Sentence(n)))
	}
	p.bullets(lines)
	for _, t := range o.Tables {
		p.block("%s", wording.Markdown(t.Title+":"))
		var head []string
		for _, h := range t.Head {
			head = append(head, wording.Markdown(h))
		}
		var rows [][]string
		for _, r := range t.Rows {
			var cells []string
			for _, c := range r {
				cells = append(cells, wording.Markdown(c))
			}
			rows = append(rows, cells)
		}
		p.table(head, rows)
		if t.More > 0 {
			p.block("%s more rows are in the file of rows.", wording.Whole(int64(t.More)))
		}
	}
}

func (p *page) gaps(d *dossier.Dossier) {
	p.block("## Not assessed, and why")
	var rows [][]string
	for _, g := range wording.Gaps(d) {
		rows = append(rows, []string{wording.Markdown(g.What), wording.Markdown(g.State), wording.Markdown(wording.Sentence(g.Reason))})
	}
	if len(rows) == 0 {
		p.block("Everything in the plan was assessed, and the plan left nothing out.")
	}
	p.table([]string{"What", "State", "Reason"}, rows)
}

func (p *page) verify(d *dossier.Dossier) {
	p.block("## How to verify")
	p.block("```\nassize verify DIR --key FILE\nassize-verify DIR --key FILE\n```")
	p.bullets([]string{
		"Plan digest: " + wording.Markdown(string(d.Plan.Digest)), "Seed nonce: " + wording.Markdown(d.Plan.SeedNonce), "Catalogue digest: " + wording.Markdown(string(d.Plan.Catalogue)),
		fmt.Sprintf("Log: %s, entries from %d of %d; %s", wording.Markdown(d.Log.Origin), d.Log.First, d.Log.Size, wording.Runs(d)), "Key that signed: " + wording.Markdown(d.Log.Key),
	})
	p.block("%s", wording.VerificationShows)
	p.block("%s", wording.Markdown(wording.VerificationLacks(d)))
}

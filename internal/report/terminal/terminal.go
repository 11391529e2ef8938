// Package terminal writes a dossier and a plan for people who read a terminal:
// lines that fit the width, a symbol and a word for every verdict, colour only where it is asked for.
//
// Text of the target cannot move the cursor, colour the screen or turn the reading
// direction: such characters are shown as escapes.
package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

// Options say what the terminal can do.
type Options struct {
	Width  int  // columns; 0 is 80, and no fewer than 60 are used
	Colour bool // ANSI colours; whether NO_COLOR is set is for the caller to ask
}

// Write writes the verdicts of d: summary and caveats, each goal with its
// criteria, effects of solutions, the probes' tables, and what was not assessed.
func Write(w io.Writer, d *dossier.Dossier, o Options) error {
	s := newSheet(o)
	s.head(d)
	for _, claimed := range []bool{true, false} {
		s.goals(d, claimed)
	}
	s.effects(d)
	s.list("At the endpoint", wording.Endpoint(d))
	s.tables(d)
	s.counts(d)
	s.list("Caveats", d.Summary.Caveats)
	s.gaps(wording.Gaps(d))
	s.blank()
	s.para(0, 0, "", wording.VerdictMeans)
	return s.flush(w, "verdicts")
}

func (s *sheet) head(d *dossier.Dossier) {
	title := d.Target.Name + " " + d.Target.Version
	if d.Target.Provider != "" {
		title += ", " + d.Target.Provider
	}
	s.para(0, 0, bold, title)
	s.para(0, 0, dim, fmt.Sprintf("assessed %s at depth %s by %s, run %.8s", wording.Moment(d.Started), d.Plan.Depth, d.Tool, d.Run))
	s.para(0, 0, dim, wording.Sentence(wording.Runs(d)))
	if asked := wording.Asked(d); asked != "" {
		s.para(0, 0, dim, wording.Sentence(asked))
	}
	for _, o := range d.Plan.Overrides {
		s.para(0, 0, bold, wording.Sentence(o.Sentence()))
	}
	if d.Interrupted {
		s.para(0, 0, bold, "The run was interrupted before its end.")
	}
	s.blank()
	s.para(0, 0, bold, wording.Headline(d))
}

func (s *sheet) goals(d *dossier.Dossier, claimed bool) {
	var all [][]string
	for _, k := range d.Decisions {
		all = append(all, criterion(k))
	}
	widths := s.fit(all) // the same for every goal
	first := true
	for _, g := range d.Goals {
		if g.Claimed != claimed {
			continue
		}
		if first && !claimed {
			s.blank()
			s.para(0, 0, bold, "Not claimed, assessed all the same")
		}
		first = false
		s.blank()
		s.verdict(g)
		var rows [][]string
		var notes []string
		for i, k := range d.Decisions {
			if k.Goal == g.ID {
				rows = append(rows, all[i])
				notes = append(notes, k.Missing)
			}
		}
		s.table(4, widths, []bool{false, false, true, false, false, true, false}, rows)
		for i, n := range notes {
			if n != "" {
				s.para(6, 2, dim, "missing for "+rows[i][1]+": "+n)
			}
		}
	}
}

// verdict writes a goal: its mark and title on one line, the sentence below.
func (s *sheet) verdict(g dossier.Goal) {
	mark := wording.Symbol(g.Decision) + " " + strings.ToUpper(wording.Words(string(g.Decision)))
	s.marked(mark, 18, colourOf(g.Decision), g.Title)
	sentence := wording.Sentence(g.Because)
	if g.SetBy != "" {
		sentence += " Criterion: " + wording.Whose(g.SetBy) + "."
	}
	s.para(4, 0, "", sentence)
}

// criterion is one row: mark, metric, value, interval, level, n, who set it.
func criterion(k dossier.Decision) []string {
	name := wording.Metric(k.Metric)
	if name == "" {
		name = k.Criterion
	}
	row := []string{wording.Symbol(k.Decision), name, "–", "", "", "", by(k.SetBy)}
	unit := ""
	if m := k.Measured; m != nil {
		unit = m.Unit
		row[2], row[3], row[5] = wording.In(m.Unit, m.Value), wording.Interval(*m), "n "+wording.Whole(int64(m.N))
	}
	row[4] = wording.ShortLevel(k.Compare, k.Level, unit)
	return row
}

func by(setBy string) string {
	if setBy == "" {
		return "nobody"
	}
	return setBy
}

func (s *sheet) effects(d *dossier.Dossier) {
	unmeasured := wording.Unmeasured(d)
	if len(d.Effects)+len(unmeasured) == 0 {
		return
	}
	s.blank()
	s.para(0, 0, bold, "Effect of the solutions")
	for _, e := range d.Effects {
		s.para(2, 2, "", fmt.Sprintf("%s, by %s: %s with, %s without; difference %s [%s, %s], %s, n %s; %s", strings.Join(e.Solutions, ", "), e.Probe,
			wording.Percent(e.On), wording.Percent(e.Off), wording.Points(e.Difference), wording.Points(e.Lower), wording.Points(e.Upper), wording.P(e.P), wording.Whole(int64(e.N)), e.Note))
	}
	for _, m := range wording.Masking(d) {
		s.para(2, 2, "", m)
	}
	for _, u := range unmeasured {
		text := u.Name + ": unmeasured; " + wording.WhyUnmeasured(u)
		if wording.Expired(u, d.Started) {
			text += "; ✗ expired on " + string(u.ValidUntil)
		}
		s.para(2, 2, "", text)
	}
}

// The tables of probes are in full in the other formats.
const (
	maxTables = 12
	maxRows   = 6
	maxCells  = 8
	leastCell = 24 // columns
)

// tables shows what the probes' tables say of the system as it is deployed, the first rows of each.
func (s *sheet) tables(d *dossier.Dossier) {
	shown, more := 0, 0
	for i := range d.Observations {
		o := &d.Observations[i]
		if o.State != result.Measured || !wording.Deployed(d, o) {
			continue
		}
		for _, t := range o.Tables {
			if t.Data || len(t.Rows) == 0 {
				continue
			}
			if shown++; shown > maxTables {
				more++
				continue
			}
			s.blank()
			s.para(0, 0, bold, wording.Sentence(t.Title)+" By "+o.Probe+".")
			s.cells(t)
		}
	}
	if more > 0 {
		s.blank()
		s.para(2, 2, dim, fmt.Sprintf("%d more tables are in the report.", more))
	}
}

// cells writes a probe's table. One column at most is cut to what fits; where more would be, each
// row is a paragraph.
func (s *sheet) cells(t result.Table) {
	rows := make([][]string, 0, 1+maxRows)
	for _, r := range append([][]string{t.Head}, t.Rows[:min(len(t.Rows), maxRows)]...) {
		row := make([]string, min(len(t.Head), maxCells))
		for i := range min(len(row), len(r)) {
			row[i] = s.wide.Truncate(wording.Clean(r[i]), 2*s.width, "…")
		}
		rows = append(rows, row)
	}
	widths := s.fit(rows)
	if over := s.over(widths); over > 0 {
		i := slices.Index(widths, slices.Max(widths))
		if widths[i]-over < leastCell || i == 0 {
			s.apart(rows)
			s.left(t)
			return
		}
		widths[i] -= over
		for _, row := range rows {
			row[i] = s.wide.Truncate(row[i], widths[i], "…")
		}
	}
	s.table(2, widths, make([]bool, maxCells), rows)
	s.left(t)
}

// apart writes each row as a paragraph, the head's words before its cells.
func (s *sheet) apart(rows [][]string) {
	for _, row := range rows[1:] {
		var parts []string
		for i, cell := range row[1:] {
			if cell != "" {
				parts = append(parts, rows[0][1+i]+" "+cell)
			}
		}
		s.para(2, 2, "", row[0]+": "+strings.Join(parts, "; "))
	}
}

func (s *sheet) left(t result.Table) {
	if left := max(0, len(t.Rows)-maxRows) + t.More; left > 0 {
		s.para(2, 2, dim, wording.Whole(int64(left))+" more in the report.")
	}
}

// over is by how many columns a table of such widths is too wide.
func (s *sheet) over(widths []int) int {
	total := 0
	for _, w := range widths {
		total += w + min(w, 1)*2
	}
	return total - s.width
}

// counts keeps apart who set a criterion.
func (s *sheet) counts(d *dossier.Dossier) {
	s.blank()
	s.para(0, 0, bold, "Criteria by who set them")
	rows := [][]string{{"", "pass", "fail", "inconclusive", "not assessed", "not applicable", "of"}}
	for _, c := range wording.Counts(d.Summary) {
		row := []string{by(c.SetBy)}
		for _, n := range append(c.By, c.Total) {
			row = append(row, fmt.Sprint(n))
		}
		rows = append(rows, row)
	}
	s.table(2, s.fit(rows), []bool{false, true, true, true, true, true, true}, rows)
}

func (s *sheet) list(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	s.blank()
	s.para(0, 0, bold, title)
	for _, l := range lines {
		s.para(2, 2, "", "- "+l)
	}
}

func (s *sheet) gaps(gaps []wording.Gap) {
	var lines []string
	for _, g := range gaps {
		if line := fmt.Sprintf("%s: %s: %s", g.What, g.State, g.Reason); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	s.list("Not assessed, and why", lines)
}

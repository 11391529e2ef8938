package checklist

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
)

// Matrix is the classes of attack that Art. 15(5) of the AI Act names, and
// denial of service, against the five functions of measures.
type Matrix struct {
	Rows []MatrixRow `json:"rows"`
}

// MatrixRow is one class of attack.
type MatrixRow struct {
	Class   string   `json:"class"`
	Threats []string `json:"threats"`
	Goals   []string `json:"goals"`
	Cells   []Cell   `json:"cells"` // one a function, in the order of Functions
}

// Cell is what is known of one function against one class.
type Cell struct {
	Function  string   `json:"function"`
	Solutions []Placed `json:"solutions"` // declared for a goal of the class
	// Decision is the worst verdict on the goals that its solutions are for;
	// empty where no solution is declared: a gap, not a failure.
	Decision dossier.Verdict `json:"decision,omitempty"`
	Because  string          `json:"because"`
}

// Placed is one declared solution, with what is known of what it does.
type Placed struct {
	Solution manifest.Solution `json:"solution"`
	// Effects are the differences that were measured for goals of the class.
	Effects []dossier.Effect `json:"effects,omitempty"`
	Expired bool             `json:"expired,omitempty"` // of a record, on the day asked for
	Known   string           `json:"known"`             // in words: effect, record, or why there is neither
}

// Functions are those of Art. 15(5), in its order.
func Functions() []string { return []string{"prevent", "detect", "respond", "resolve", "control"} }

// attacks are the classes, by the name that the catalogue's threats carry for
// the AI Act; denial of service, which Art. 15(5) does not name, by its id.
func attacks() []string {
	return []string{"data poisoning", "model poisoning", "adversarial examples or model evasion", "confidentiality attacks", "model flaws", "denial of service"}
}

// MakeMatrix places the solutions of a dossier; those of an unassessed target
// are placed by a dossier that holds nothing else. Records are held against today.
func MakeMatrix(d *dossier.Dossier, c *catalogue.Catalogue, today time.Time) *Matrix {
	m := &Matrix{}
	for _, class := range attacks() {
		row := MatrixRow{Class: class}
		for _, t := range c.Threats {
			if t.Names["ai_act"] == class || strings.ReplaceAll(t.ID, "-", " ") == class {
				row.Threats = append(row.Threats, t.ID)
			}
		}
		for _, g := range c.Goals {
			if slices.ContainsFunc(g.Threats, func(id string) bool { return slices.Contains(row.Threats, id) }) {
				row.Goals = append(row.Goals, g.ID)
			}
		}
		for _, f := range Functions() {
			row.Cells = append(row.Cells, cell(d, c, row.Goals, f, today))
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func cell(d *dossier.Dossier, c *catalogue.Catalogue, goals []string, function string, today time.Time) Cell {
	out := Cell{Function: function}
	var held []string // goals of the class that its solutions are for
	for _, s := range d.Solutions {
		if s.Function != function || !overlap(s.Goals, goals) {
			continue
		}
		out.Solutions = append(out.Solutions, placed(d, c, s, goals, today))
		for _, g := range s.Goals {
			if slices.Contains(goals, g) && !slices.Contains(held, g) {
				held = append(held, g)
			}
		}
	}
	if out.Solutions == nil {
		out.Because = "no solution declared"
		return out
	}
	out.Decision = dossier.NotApplicable
	var why []string
	for _, id := range held {
		verdict, because := dossier.NotAssessed, "nothing measured it"
		if i := slices.IndexFunc(d.Goals, func(g dossier.Goal) bool { return g.ID == id }); i >= 0 {
			verdict, because = d.Goals[i].Decision, d.Goals[i].Because
		}
		out.Decision = worse(out.Decision, verdict)
		why = append(why, id+": "+because)
	}
	out.Because = strings.Join(why, "; ")
	return out
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// placed says what is known of one solution against the goals of a class. An
// effect of several solutions that were on together is said to be of all of them.
func placed(d *dossier.Dossier, c *catalogue.Catalogue, s manifest.Solution, goals []string, today time.Time) Placed {
	p := Placed{Solution: s}
	if s.Record != "" {
		p.Expired = expired(s.ValidUntil, today)
		p.Known = fmt.Sprintf("record %s of %s, %s", s.Record, s.Owner, s.Date)
		if s.ValidUntil != "" {
			p.Known += ", valid until " + string(s.ValidUntil)
		}
		if p.Expired {
			p.Known += ": expired"
		}
		return p
	}
	var words []string
	for _, e := range d.Effects {
		if !slices.Contains(e.Solutions, s.Name) || !overlap(e.Goals, goals) {
			continue
		}
		p.Effects = append(p.Effects, e)
		line := fmt.Sprintf("%s: %s %.4g with, %.4g without, difference %+.4g [%.4g, %.4g], n %d", e.Probe, e.Outcome, e.On, e.Off, e.Difference, e.Lower, e.Upper, e.N)
		if len(e.Solutions) > 1 {
			line += ", measured together: " + strings.Join(e.Solutions, ", ")
		}
		words = append(words, line)
	}
	switch kind, known := c.Solution(s.Type); {
	case words != nil:
		p.Known = strings.Join(words, "; ")
	case s.Switchable, s.Baseline != "":
		p.Known = "no effect measured for this class"
	case known && kind.Effect == "record":
		p.Known = "answered by a record alone, and none is named"
	case known:
		p.Known = "unmeasured: it cannot be switched; to be measured " + kind.Effect
	default:
		p.Known = "unmeasured: it cannot be switched"
	}
	return p
}

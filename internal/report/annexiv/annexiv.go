// Package annexiv writes the technical documentation that Annex IV of the AI Act
// asks for, as far as a dossier can: point by point in own words, as Markdown, HTML
// or DOCX. What was measured or declared is filled in. What only the provider can say is a
// marked placeholder that names who writes it and what belongs there.
//
// A part is one or the other. A part that the dossier could fill never holds a
// placeholder: where the fact is missing, it says which field or run would give it.
package annexiv

import (
	"fmt"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/wording"
)

// Document is the technical documentation of one dossier.
type Document struct {
	Title, About string
	Points       []Point
	// Filled, Missing and Open count the parts that the dossier fills, that it could but
	// for a missing fact, and that are the provider's to write.
	Filled, Missing, Open int
	dossier               *dossier.Dossier
}

// Point is one point of Annex IV, with its parts in order.
type Point struct {
	Number string // "2(d)"
	Title  string
	Parts  []Part
}

// State says who a part is for.
type State string

// The states of a part.
const (
	Filled      State = "filled"      // from the dossier
	Missing     State = "missing"     // the dossier would know it, but a field or a run is missing
	Placeholder State = "placeholder" // only the provider can say it
)

// Part is one thing that a point asks for.
type Part struct {
	Title string
	State State
	// Known says that a dossier can hold it; such a part is never a placeholder.
	Known bool
	// Blocks are what was filled in.
	Blocks []Block
	// Owner writes what a placeholder stands for; empty elsewhere.
	Owner string
	// Text says what belongs into a placeholder, or what would give a missing fact.
	Text string
}

// Block is a paragraph, or a table where it has a Head.
type Block struct {
	Text string
	Head []string
	Rows [][]string
}

// slot is a part before a dossier fills it: either fill is set, with lack, or owner and asks.
type slot struct {
	title string
	fill  func(*dossier.Dossier) []Block // nil or nothing where the dossier lacks it
	lack  string                         // what would give it
	owner string                         // who writes it
	role  string                         // key of the manifest's roles that names this owner
	asks  string                         // what belongs there
}

// known is a slot that a dossier can fill.
func known(title, lack string, fill func(*dossier.Dossier) []Block) slot {
	return slot{title: title, fill: fill, lack: lack}
}

// provider is a slot that only the provider can fill.
func provider(title, owner, role, asks string) slot {
	return slot{title: title, owner: owner, role: role, asks: asks}
}

// Build arranges d by the points of Annex IV. It is an error if a part that the
// dossier knows came out as a placeholder or without contents.
func Build(d *dossier.Dossier) (*Document, error) {
	out := &Document{
		Title:   "Technical documentation of " + d.Target.Name + " " + d.Target.Version,
		About:   "Laid out by Annex IV of Regulation (EU) 2024/1689 (AI Act), headings in own words. Filled from the assessment of " + wording.Moment(d.Started) + ", run " + d.Run + ", catalogue " + string(d.Plan.Catalogue) + ". " + wording.VerdictMeans,
		dossier: d,
	}
	for _, p := range points() {
		point := Point{Number: p.number, Title: p.title}
		for _, s := range p.slots {
			part := s.part(d)
			switch part.State {
			case Filled:
				out.Filled++
			case Missing:
				out.Missing++
			case Placeholder:
				out.Open++
			}
			if err := part.check(); err != nil {
				return nil, fmt.Errorf("write Annex IV: point %s, %q: %w", p.number, s.title, err)
			}
			point.Parts = append(point.Parts, part)
		}
		out.Points = append(out.Points, point)
	}
	return out, nil
}

func (s slot) part(d *dossier.Dossier) Part {
	p := Part{Title: s.title, Known: s.fill != nil}
	if !p.Known {
		p.State, p.Owner, p.Text = Placeholder, s.owner, s.asks
		if who := d.Target.Roles[s.role]; s.role != "" && who != "" {
			p.Owner += " (" + who + ")"
		}
		return p
	}
	p.Blocks = s.fill(d)
	if len(p.Blocks) == 0 {
		p.State, p.Text = Missing, s.lack
		return p
	}
	p.State = Filled
	return p
}

// check refuses a placeholder for what the dossier knows, and a part without contents.
func (p Part) check() error {
	if p.Known && p.State == Placeholder {
		return fmt.Errorf("the dossier can fill it, so it must not be a placeholder")
	}
	for _, b := range p.Blocks {
		if len(b.Head) == 0 && b.Text == "" || len(b.Head) > 0 && len(b.Rows) == 0 {
			return fmt.Errorf("it is filled with nothing")
		}
		for _, r := range b.Rows {
			if len(r) != len(b.Head) {
				return fmt.Errorf("a row has %d cells under %d headings", len(r), len(b.Head))
			}
		}
	}
	return nil
}

// Summary says how much is filled.
func (d *Document) Summary() string {
	return fmt.Sprintf("%d of %d parts are filled from the dossier, %d lack a fact that the manifest or another run would give, and %d are the provider's to write. Placeholders are marked.",
		d.Filled, d.Filled+d.Missing+d.Open, d.Missing, d.Open)
}

// Lead is the sentence before the text of a part that is not filled.
func (p Part) Lead() string {
	if p.State == Missing {
		return "Not in this dossier."
	}
	return "To be written by the " + p.Owner + "."
}

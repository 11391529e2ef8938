package engine

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/report/html"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/verify"
)

// changes are what the attacks on the system as deployed made of rows.
type changes struct {
	attacks  []*attacked             // by the probe's name
	without  []*evidence.Observation // attacks that keep no changed rows
	redacted int                     // attacks whose rows were left out
}

// attacked are the rows of one attack that says which rows it changed to what.
type attacked struct {
	o                            *evidence.Observation
	index                        []int
	x                            [][]float64 // by feature
	broken, attackable, distance []float64
	won                          int // rows whose nearest change is its own
}

// findChanges reads the rows of all attacks that are joined; columns are the features in order.
func findChanges(d *dossier.Dossier, columns []string, rows func(*evidence.Observation) (*result.Rows, error)) (*changes, error) {
	deployed := map[string]bool{}
	for _, i := range d.Plan.Items {
		deployed[i.ID] = i.Deployed
	}
	c := &changes{}
	for i := range d.Observations {
		o := &d.Observations[i]
		if probe, ok := suite.Find(suite.All(), o.Probe); !ok || probe.Feeds == "" || !deployed[o.Item] || o.State != result.Measured {
			continue
		}
		table, err := rows(o)
		if err != nil {
			return nil, err
		}
		if table == nil {
			c.redacted++
		} else if a := readAttack(o, table, columns); a != nil {
			c.attacks = append(c.attacks, a)
		} else {
			c.without = append(c.without, o)
		}
	}
	slices.SortStableFunc(c.attacks, func(a, b *attacked) int { return strings.Compare(a.o.Probe, b.o.Probe) })
	return c, nil
}

// readAttack reads the rows of an attack; nil where they do not say what was changed to what.
func readAttack(o *evidence.Observation, rows *result.Rows, columns []string) *attacked {
	a := &attacked{o: o, index: rows.Index, broken: rows.Column("broken"), attackable: rows.Column("attackable"), distance: rows.Column("distance")}
	if a.broken == nil || a.attackable == nil || a.distance == nil {
		return nil
	}
	for _, name := range columns {
		v := rows.Column("x." + name)
		if v == nil {
			return nil
		}
		a.x = append(a.x, v)
	}
	return a
}

// nearest takes of each broken row the nearest change, of equals that of the first
// attack, in the order of rows, and counts the rows that any attack worked on.
func (c *changes) nearest() (rows []ExportedRow, of int) {
	type find struct {
		by *attacked
		at int
	}
	best, seen := map[int]find{}, map[int]bool{}
	for _, a := range c.attacks {
		for i, row := range a.index {
			seen[row] = true
			if a.broken[i] != 1 || a.attackable[i] != 1 {
				continue
			}
			if b, ok := best[row]; !ok || a.distance[i] < b.by.distance[b.at] {
				best[row] = find{a, i}
			}
		}
	}
	rows = []ExportedRow{}
	for row, b := range best {
		b.by.won++
		r := ExportedRow{Row: row, Attack: b.by.o.Probe, Distance: b.by.distance[b.at]}
		for _, column := range b.by.x {
			r.changed = append(r.changed, float32(column[b.at]))
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b ExportedRow) int { return a.Row - b.Row })
	return rows, len(seen)
}

// maxShown is how many changed pictures a report shows.
const maxShown = 6

// examples are the smallest changes that were found, for a report on a target whose rows are
// pictures. Where they cannot be had, because rows were redacted or the data is not there, there are none.
func (p *prepared) examples(ctx context.Context, d *dossier.Dossier, rows func(*evidence.Observation) (*result.Rows, error)) []html.Example {
	layout := p.plan.Facts.Layout
	if layout != "nchw" && layout != "nhwc" || p.setup.Data == nil || p.domain == nil {
		return nil
	}
	shown := slices.IndexFunc(d.Observations, func(o evidence.Observation) bool {
		return o.Probe == worstOfAll && o.State == result.Measured && slices.ContainsFunc(d.Plan.Items, func(i plan.Item) bool { return i.ID == o.Item && i.Deployed })
	})
	if shown < 0 {
		return nil
	}
	var columns []string
	low, high := p.domain.Features[0].Min, p.domain.Features[0].Max
	for _, f := range p.domain.Features {
		columns = append(columns, f.Name)
		low, high = min(low, f.Min), max(high, f.Max)
	}
	found, err := findChanges(d, columns, rows)
	if err != nil {
		return nil
	}
	nearest, _ := found.nearest()
	slices.SortStableFunc(nearest, func(a, b ExportedRow) int {
		switch {
		case a.Distance < b.Distance:
			return -1
		case a.Distance > b.Distance:
			return 1
		}
		return 0
	})
	nearest = nearest[:min(maxShown, len(nearest))]
	var index []int
	for _, r := range nearest {
		index = append(index, r.Row)
	}
	if len(index) == 0 {
		return nil
	}
	table, err := dataset.Select(ctx, *p.setup.Data, index)
	if err != nil {
		return nil
	}
	o := &d.Observations[shown]
	size := fmt.Sprintf("%v, %v", o.Parameters["norm"], map[any]string{"range": "share of range", "raw": "raw"}[o.Parameters["unit"]])
	var out []html.Example
	for i, r := range nearest {
		e := html.Example{
			Observation: o.ID, Row: r.Row, Attack: r.Attack, Distance: r.Distance, Unit: size,
			Layout: layout, Shape: table.Shape, Original: table.Row(i), Changed: r.changed, Low: low, High: high,
		}
		if len(table.Y) > i {
			e.Label = fmt.Sprint(table.Y[i])
			if names := p.setup.Data.Classes; table.Y[i] < len(names) {
				e.Label = names[table.Y[i]]
			}
		}
		out = append(out, e)
	}
	return out
}

// Examples are the smallest changes that a dossier holds, for its page, where its rows are pictures and
// the model's data lies beside it, unchanged. In all other cases there are none. Nothing of the target is run.
func Examples(ctx context.Context, dir string, d *dossier.Dossier) []html.Example {
	if slices.ContainsFunc(d.Artefacts, func(a artefact.Artefact) bool { return a.Endpoint != nil }) {
		return nil // opening the target would ask it
	}
	place, err := targetOf(dir, "")
	if err != nil {
		return nil
	}
	if len(d.Plan.Overrides) > 0 {
		return nil // its data lies elsewhere
	}
	if _, wrong, err := differing(ctx, d, place, manifest.Overrides{}); err != nil || len(wrong) > 0 {
		return nil
	}
	t, err := openTarget(ctx, place, manifest.Overrides{}, plan.Cap{})
	if err != nil {
		return nil
	}
	return (&prepared{target: t}).examples(ctx, d, func(o *evidence.Observation) (*result.Rows, error) { return verify.Rows(dir, o) })
}

// WritePage writes the page of a dossier, with the tables and pictures of single rows where these are there.
func WritePage(ctx context.Context, w io.Writer, dir string, d *dossier.Dossier) error {
	rows := func(o *evidence.Observation) (*result.Rows, error) { return verify.Rows(dir, o) }
	return html.WriteWith(w, withTables(d, rows), Examples(ctx, dir, d))
}

// withTables is a dossier for a page: the tables that are kept with rows stand in their observations.
func withTables(d *dossier.Dossier, rows func(*evidence.Observation) (*result.Rows, error)) *dossier.Dossier {
	shown := *d
	shown.Observations = slices.Clone(d.Observations)
	for i := range shown.Observations {
		o := &shown.Observations[i]
		if kept, err := rows(o); err == nil && kept != nil && len(kept.Tables) > 0 {
			o.Tables = append(slices.Clone(o.Tables), kept.Tables...)
		}
	}
	return &shown
}

// worstOfAll joins the attacks on each row.
const worstOfAll = "evasion/worst"

package replay

import (
	"fmt"
	"slices"

	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

// Plans compares the plan of a dossier with the one that this program makes of
// the same manifest. follows holds the recorded items that the manifest asks
// for just so; wrong names what it does not, and what was left out of the plan.
func Plans(recorded, made *plan.Plan) (follows map[string]bool, wrong []string) {
	follows = map[string]bool{}
	taken := map[string]bool{}
	for i := range recorded.Items {
		it := &recorded.Items[i]
		m := alike(it, made, taken)
		switch {
		case m == nil:
			wrong = append(wrong, fmt.Sprintf("item %s, %s, is not one that the manifest asks for", it.ID, it.Probe))
		case it.Version != m.Version:
			// Another version of the probe: said where observations are drawn.
			taken[m.ID] = true
		case it.Rows != m.Rows || it.Deployed != m.Deployed || it.Paired != m.Paired || !slices.Equal(it.Inputs, m.Inputs) || !slices.Equal(reads(recorded, i), reads(made, slices.Index(ids(made), m.ID))) || len(it.Parameters)+len(m.Parameters) > 0 && !same(it.Parameters, m.Parameters):
			taken[m.ID] = true
			wrong = append(wrong, fmt.Sprintf("item %s, %s, has other rows, parameters or inputs than the manifest asks for", it.ID, it.Probe))
		default:
			taken[m.ID], follows[it.ID] = true, true
		}
	}
	if recorded.Tool == made.Tool {
		for _, it := range made.Items {
			if !taken[it.ID] {
				wrong = append(wrong, fmt.Sprintf("%s with solutions %q is left out of the plan, and the manifest asks for it", it.Probe, it.Solutions))
			}
		}
	}
	if recorded.Catalogue == made.Catalogue && !same(recorded.Criteria, made.Criteria) {
		wrong = append(wrong, "the criteria are not those of the catalogue whose digest the plan names")
	}
	if !slices.Equal(recorded.Claims, made.Claims) {
		wrong = append(wrong, fmt.Sprintf("the plan claims %q, the manifest %q", recorded.Claims, made.Claims))
	}
	if len(recorded.Overrides) != len(made.Overrides) {
		wrong = append(wrong, "the plan says otherwise what an assessor set than what is set here")
	}
	if recorded.Guessed != made.Guessed || recorded.TestRows != made.TestRows {
		wrong = append(wrong, "the plan speaks of another domain or number of test rows than the target has")
	}
	return follows, wrong
}

// reads names the probes, with the solutions on, whose results the i-th item reads. What
// does not stand before the item is named by its id, which matches nothing that was made.
func reads(p *plan.Plan, i int) []string {
	names := []string{}
	for _, id := range p.Items[i].After {
		j := slices.Index(ids(p)[:i], id)
		if j < 0 {
			names = append(names, "item "+id)
			continue
		}
		names = append(names, fmt.Sprintf("%s %q", p.Items[j].Probe, p.Items[j].Solutions))
	}
	return names
}

func ids(p *plan.Plan) []string {
	var out []string
	for i := range p.Items {
		out = append(out, p.Items[i].ID)
	}
	return out
}

// alike finds the made item of the same probe with the same solutions on.
func alike(it *plan.Item, made *plan.Plan, taken map[string]bool) *plan.Item {
	for i := range made.Items {
		if m := &made.Items[i]; !taken[m.ID] && m.Probe == it.Probe && slices.Equal(m.Solutions, it.Solutions) {
			return m
		}
	}
	return nil
}

// Drawn compares the rows that were recorded with those that plan and nonce
// draw: "" where they are the same, or where a row is missing that a check of the observation's own says was lost.
func Drawn(recorded []int, drawn []int, o *evidence.Observation) string {
	have := slices.Sorted(slices.Values(recorded))
	want := slices.Sorted(slices.Values(drawn))
	for _, row := range have {
		if _, ok := slices.BinarySearch(want, row); !ok {
			return fmt.Sprintf("observation %s, %s: row %d is not among those that plan and nonce draw", o.ID, o.Probe, row)
		}
	}
	if len(have) != len(want) && o.Valid() {
		return fmt.Sprintf("observation %s, %s: %d of %d drawn rows are missing, and no check of its own says so", o.ID, o.Probe, len(want)-len(have), len(want))
	}
	return ""
}

// Join computes an observation's result again from its recorded rows; results
// are those of the probes that it requires, with their rows.
func Join(probe *measure.Probe, it *plan.Item, seed measure.Seed, facts measure.Facts, guessed bool, rows *result.Rows, results map[string]*result.Result) (*result.Result, error) {
	r, err := probe.Join(&measure.Joint{Params: it.Parameters, Rows: rows, Seed: seed, Facts: facts, Guessed: guessed, Results: results})
	if err != nil {
		return nil, err
	}
	if r.State == "" {
		r.State = result.Measured
	}
	return r, nil
}

func same(a, b any) bool {
	x, errX := evidence.Canonical(a)
	y, errY := evidence.Canonical(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

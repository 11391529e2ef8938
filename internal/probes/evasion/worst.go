package evasion

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

// Worst is the probe that joins the attacks on each row. An attack joins by naming it in
// measure.Probe.Feeds. Its joined rows must have these columns, of 0 and 1 but for the distance:
//
//	attackable  there is something to gain by changing the row
//	right       unchanged, the row is decided as its label says
//	inside      the row itself lies in the domain
//	gained      some change was found with which the system itself, asked again, gives a gain
//	broken      and that change is within the threat model and the domain
//	distance    size of the smallest such change, in the threat model's norm and unit; 0 where none
//
// It may have these: class (the label's index), queries_to_success (questions asked
// when a change within the threat model first gained; 0 where none). All attacks draw from one order of rows,
// so that a smaller sample lies in a larger one.
const Worst = "evasion/worst"

// floor is not an attack: rows that nothing else attacked are not counted.
const floor = "evasion/noise"

func worstProbe() measure.Probe {
	return measure.Probe{
		ID: Worst, Version: 2,
		Doc: "The worst of all attacks on each row: a row stands only where none of them broke it.\n\n" +
			"Attacks differ in what they break, so that the best of them says too little. Here each row has the smallest change that any attack found, and the report says which. " +
			"Counted are all rows that at least one attack worked on, random noise not being one; an attack that did not run is left out by name. " +
			"All that is counted lies within the norm and epsilon of the threat model; feasible changes at a price (evasion/tabular) are another threat, with metrics and criteria of their own: one can be feasible and outside the ball, or inside it and too dear for anybody. " +
			"Checks that an attack failed are failed here too, save those of its strength, which is what the others make up for: these are made anew of all together.",
		Metrics: []string{
			"attack_success", "attacks", "attacks_a_row", "broken_by_one_attack", "clean_accuracy", "median_distance", "noise_success",
			"robust_accuracy", "robust_accuracy_worst_class", "rows_attackable",
		},
		Goals: goals, Threats: threats, Needs: needs, Switch: true, Paired: "stands",
		Cites: []string{
			"Croce, Hein: Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free Attacks. ICML 2020, arXiv 2003.01690",
			"Carlini et al.: On Evaluating Adversarial Robustness. 2019, arXiv 1902.06705",
			"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
		},
		Params: threatParams(),
		Join:   joinWorst,
	}
}

// member is one attack on the rows that it saw.
type member struct {
	id  string
	t   *tally
	of  *result.Result
	at  map[int]int // place in its table by row
	won int         // rows broken whose smallest change is its own
	own int         // rows that it alone broke
}

// unmeasured says each reason once, behind the attacks that give it.
func unmeasured(absent map[string][]string) []string {
	var all []string
	for why, ids := range absent {
		all = append(all, fmt.Sprintf("%s (%s)", strings.Join(ids, ", "), why))
	}
	slices.Sort(all)
	return all
}

func joinWorst(j *measure.Joint) (*result.Result, error) {
	var members []*member
	absent := map[string][]string{} // by what they say of it
	for _, id := range slices.Sorted(maps.Keys(j.Results)) {
		r := j.Results[id]
		if r.State != result.Measured {
			why := strings.ReplaceAll(string(r.State), "-", " ") + ": " + r.Reason
			absent[why] = append(absent[why], id)
			continue
		}
		for _, name := range []string{"attackable", "right", "inside", "gained", "broken", "distance"} {
			if r.Rows.Column(name) == nil {
				return nil, fmt.Errorf("join attacks: %s has no column %q", id, name)
			}
		}
		m := &member{id: id, t: newTally(r.Rows), of: r, at: map[int]int{}}
		for i, row := range r.Rows.Index {
			m.at[row] = i
		}
		members = append(members, m)
	}
	rows := union(members)
	if rows == nil {
		return result.Unmeasured(result.NotAvailable, "no attack was measured: "+strings.Join(unmeasured(absent), "; ")), nil
	}
	w := &worst{j: j, members: members, rows: rows}
	w.combine()
	if r := w.t.nothing(); r != nil {
		return r, nil
	}
	r, err := w.result()
	if err != nil {
		return nil, err
	}
	if len(absent) > 0 {
		r.Notes = append(r.Notes, "Left out, because not measured: "+strings.Join(unmeasured(absent), "; ")+".")
	}
	if j.Facts.Layout == "columns" && len(j.Facts.Favourable) > 0 {
		r.Notes = append(r.Notes, "Counted are changes within the norm and epsilon of the threat model; what somebody can gain by feasible changes of any size is measured apart, by evasion/tabular.")
	}
	return r, nil
}

// union is every row that an attack worked on, noise apart; nil where none did.
func union(members []*member) []int {
	seen := map[int]bool{}
	for _, m := range members {
		if m.id != floor {
			for _, row := range m.t.rows.Index {
				seen[row] = true
			}
		}
	}
	if len(seen) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(seen))
}

// worst is what is known of each row from all attacks together.
type worst struct {
	j        *measure.Joint
	members  []*member
	rows     []int
	out      *result.Rows
	t        *tally
	differ   int // rows of which two attacks say another thing as they are
	attacked int // attacks on a row, added up
	single   int // rows that one attack alone broke, of those that several worked on
	classes  bool
}

// combine makes the table: of each row the smallest change that any attack found.
func (w *worst) combine() {
	names := make([]string, len(w.members))
	for k, m := range w.members {
		names[k] = fmt.Sprintf("%d %s", k+1, m.id)
	}
	w.out = &result.Rows{Index: w.rows, Columns: []result.Column{
		{Name: "attackable", Doc: "1: there is something to gain by changing the row"},
		{Name: "right", Doc: "1: unchanged, the row is decided as its label says"},
		{Name: "broken", Doc: "1: some attack found a change within the threat model that gains"},
		{Name: "stands", Doc: "1: right, and no attack found a change within the threat model that gains"},
		{Name: "gained", Doc: "1: some attack found a change that gains, however large"},
		{Name: "distance", Doc: "smallest change that any attack found, in the threat model's norm and unit; 0 where none"},
		{Name: "inside", Doc: "1: the row itself lies in the domain"},
		{Name: "attacks", Doc: "attacks that worked on the row, random noise not being one"},
		{Name: "winner", Doc: "whose change is the smallest, the first of equals; 0 where none: " + strings.Join(names, ", ")},
		{Name: "class", Doc: "index of the row's class by its label; -1 where no attack says", Data: true},
	}}
	for i := range w.out.Columns {
		w.out.Columns[i].Values = make([]float64, len(w.rows))
	}
	for i, row := range w.rows {
		w.row(i, row)
	}
	w.t = newTally(w.out)
}

func (w *worst) row(i, row int) {
	set := func(name string, v float64) { w.out.Column(name)[i] = v }
	set("class", -1)
	var first, winner *member
	nearest, broke, attacks := math.Inf(1), []*member(nil), 0
	for k, m := range w.members {
		at, ok := m.at[row]
		if !ok {
			continue
		}
		if m.id != floor {
			attacks++
		}
		if class := m.t.rows.Column("class"); class != nil {
			w.classes = true
			set("class", class[at])
		}
		if first == nil {
			first = m
			for name, is := range map[string]bool{"attackable": m.t.attackable[at], "right": m.t.right[at], "inside": m.t.inside[at]} {
				if is {
					set(name, 1)
				}
			}
		} else if f := first.at[row]; first.t.attackable[f] != m.t.attackable[at] || first.t.right[f] != m.t.right[at] {
			w.differ++
		}
		if !m.t.attackable[at] || !m.t.gained[at] {
			continue
		}
		set("gained", 1)
		if m.t.broken[at] {
			set("broken", 1)
			broke = append(broke, m)
		}
		if m.t.distance[at] < nearest {
			nearest, winner = m.t.distance[at], m
			set("winner", float64(k+1))
			set("distance", nearest)
		}
	}
	set("attacks", float64(attacks))
	w.attacked += attacks
	if len(broke) > 0 {
		winner.won++
	} else if w.out.Column("right")[i] == 1 {
		set("stands", 1)
	}
	if len(broke) == 1 && attacks > 1 {
		broke[0].own++
		w.single++
	}
}

package evasion

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// result is the numbers, checks and pictures of all attacks together.
func (w *worst) result() (*result.Result, error) {
	t := w.t
	r, err := t.metrics(w.j.Params)
	if err != nil {
		return nil, err
	}
	r.Rows = w.out
	attacks, shared, theirs, ours := 0, 0, 0, 0
	for _, m := range w.members {
		if m.id == floor {
			shared, theirs, ours, _ = w.attacksAlone().beside(m.t)
		} else {
			attacks++
		}
	}
	r.Metrics["attacks"] = result.Exactly(float64(attacks), attacks, "attacks")
	r.Metrics["attacks_a_row"] = result.Exactly(float64(w.attacked)/float64(t.n), t.n, "attacks")
	if attacks > 1 && t.brokens > 0 {
		if r.Metrics["broken_by_one_attack"], err = share(w.single, t.brokens); err != nil {
			return nil, err
		}
	}
	if shared > 0 {
		if r.Metrics["noise_success"], err = share(theirs, shared); err != nil {
			return nil, err
		}
		r.Check("attack-beats-noise", ours >= theirs, fmt.Sprintf("On the same %d attackable rows the attacks broke %d, random noise %d.", shared, ours, theirs))
	}
	note, ok := fmt.Sprintf("For %d of %d rows two attacks got different answers while the row was unchanged", w.differ, w.t.n), w.differ == 0
	if slices.ContainsFunc(w.members, func(m *member) bool { return onPurpose(m.t.rows) }) {
		note, ok = note+"; the system is random on purpose, and one in twenty may", 20*w.differ <= w.t.n
	}
	r.Check("attacks-agree-on-rows", ok, note+".")
	w.blackAndWhite(r)
	w.plantings(r)
	if err := w.byClass(r); err != nil {
		return nil, err
	}
	w.carry(r)
	r.Tables = append(r.Tables, w.who())
	r.Pictures = append(r.Pictures, againstEpsilon(t, w.j.Params), w.wins())
	if p, ok := w.queries(); ok {
		r.Pictures = append(r.Pictures, p)
	}
	return r, nil
}

// attacksAlone is the table with what random noise broke taken out again.
func (w *worst) attacksAlone() *tally {
	t := *w.t
	t.broken = make([]bool, t.n)
	for i, row := range w.rows {
		t.broken[i] = slices.ContainsFunc(w.members, func(m *member) bool {
			at, ok := m.at[row]
			return ok && m.id != floor && m.t.broken[at]
		})
	}
	return &t
}

// whiteBox is the attack that follows gradients. It knows more than those that
// only ask, so that what these break and it does not shows that its gradients misled it (Carlini et al. 2019, section 5).
const whiteBox = "evasion/autoattack"

// blackAndWhite compares the attack that follows gradients with those that only ask.
func (w *worst) blackAndWhite(r *result.Result) {
	i := slices.IndexFunc(w.members, func(m *member) bool { return m.id == whiteBox })
	if i < 0 {
		return
	}
	white, shared, missed := w.members[i], 0, 0
	asking := []string{"evasion/square", "evasion/hopskipjump", "evasion/boundary", "evasion/transfer", floor}
	for _, row := range w.rows {
		at, ok := white.at[row]
		if !ok || !white.t.attackable[at] {
			continue
		}
		shared++
		if !white.t.broken[at] && slices.ContainsFunc(w.members, func(m *member) bool {
			k, ok := m.at[row]
			return ok && slices.Contains(asking, m.id) && m.t.broken[k]
		}) {
			missed++
		}
	}
	r.Check("white-box-not-behind", 20*missed <= shared, fmt.Sprintf("Of %d attackable rows %d were broken by attacks that only ask and not by the one that follows gradients; one in twenty may be.", shared, missed))
}

// plantings checks that some attack found each example that was planted.
func (w *worst) plantings(r *result.Result) {
	best := map[int]float64{}
	for _, m := range w.members {
		for i, v := range m.t.rows.Column("planted") {
			if row := m.t.rows.Index[i]; v >= 0 {
				best[row] = max(best[row], v)
			}
		}
	}
	checkPlanted(r, slices.Collect(maps.Values(best)))
}

// carry takes over the checks that attacks failed. Those that were made of all
// attacks together here count in their stead; that they failed is noted.
func (w *worst) carry(r *result.Result) {
	together := map[string]bool{"start-found": true} // of changes of any size; what counts is those within the threat model
	for _, v := range r.Validity {
		together[v.Check] = true
	}
	var made []string
	for _, m := range w.members {
		for _, v := range m.of.Validity {
			switch {
			case v.OK:
			case together[v.Check]:
				made = append(made, fmt.Sprintf("%s failed its own check %s (%s)", m.id, v.Check, strings.TrimSuffix(v.Note, ".")))
			case m.id != floor || v.Check == "answers-repeat":
				r.Check(m.id+": "+v.Check, false, v.Note)
			}
		}
	}
	if len(made) > 0 {
		r.Notes = append(r.Notes, strings.Join(made, "; ")+". All attacks together are checked for the same above.")
	}
}

// who tables which attack broke which rows. Nearest counts the broken rows whose
// smallest change is the attack's, alone those, of the rows that several worked on, that no other broke.
func (w *worst) who() result.Table {
	t := result.Table{
		ID: "attacks", Title: "Which attack won where",
		Head: []string{"Attack", "Attackable rows", "Broken", "Nearest", "Alone", "Smallest change", "Median change"},
	}
	for _, m := range w.members {
		var sizes []float64
		for i, size := range m.t.distance {
			if m.t.attackable[i] && m.t.gained[i] {
				sizes = append(sizes, size)
			}
		}
		row := []string{m.id, fmt.Sprint(m.t.attackables), fmt.Sprint(m.t.brokens), fmt.Sprint(m.won), fmt.Sprint(m.own), "–", "–"}
		if len(sizes) > 0 {
			row[5], row[6] = fmt.Sprintf("%.4g", slices.Min(sizes)), fmt.Sprintf("%.4g", stat.Quantile(sizes, 0.5))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// wins draws which attack broke what.
func (w *worst) wins() result.Picture {
	p := result.Picture{
		ID: "attacks", Title: "Which attack broke what", Kind: "bars", YLabel: "rows",
		Series: []result.Series{{Name: "broken"}, {Name: "by the smallest change"}, {Name: "by no other"}},
	}
	for _, m := range w.members {
		broken := 0
		for i, row := range w.rows {
			if at, ok := m.at[row]; ok && m.t.broken[at] && w.t.attackable[i] {
				broken++
			}
		}
		p.Labels = append(p.Labels, strings.TrimPrefix(m.id, "evasion/"))
		for k, v := range []int{broken, m.won, m.own} {
			p.Series[k].Y = append(p.Series[k].Y, float64(v))
		}
	}
	return p
}

// queries draws how many questions each attack took that counts them. False where none does.
func (w *worst) queries() (result.Picture, bool) {
	p := result.Picture{
		ID: "success-against-queries", Title: "Attack success against queries, attack by attack", Kind: "curve",
		XLabel: "queries per row", YLabel: "share of attackable rows broken", LogX: true,
	}
	needed, most := make([][]float64, len(w.members)), 1.0
	for k, m := range w.members {
		for i, q := range m.t.rows.Column("queries_to_success") {
			if m.t.attackable[i] && q > 0 {
				needed[k] = append(needed[k], q)
				most = max(most, q)
			}
		}
	}
	for k, m := range w.members {
		if len(needed[k]) > 0 && m.t.attackables > 0 {
			one := againstQueries(strings.TrimPrefix(m.id, "evasion/"), needed[k], m.t.attackables, most)
			one.Series[0].Name = strings.TrimPrefix(m.id, "evasion/")
			p.Series = append(p.Series, one.Series...)
		}
	}
	return p, len(p.Series) > 0
}

// byClass adds robust accuracy by class where the attacks say which class a row is of.
func (w *worst) byClass(r *result.Result) error {
	if !w.classes {
		return nil
	}
	stands, of := map[int]int{}, map[int]int{}
	for i, c := range w.out.Column("class") {
		of[int(c)]++
		if w.t.right[i] && !w.t.broken[i] {
			stands[int(c)]++
		}
	}
	p := result.Picture{ID: "robust-accuracy-by-class", Title: "Robust accuracy by class", Kind: "bars", YLabel: "share of its rows right and unbroken", Series: []result.Series{{Name: "with 95 % interval"}}}
	lowest := result.Metric{Value: math.Inf(1)}
	for c := range max(w.j.Facts.Classes, 1) {
		if of[c] == 0 {
			continue
		}
		m, err := share(stands[c], of[c])
		if err != nil {
			return err
		}
		if m.Value < lowest.Value {
			lowest = m
		}
		name := fmt.Sprint(c)
		if c < len(w.j.Facts.ClassNames) {
			name = w.j.Facts.ClassNames[c]
		}
		p.Labels = append(p.Labels, name)
		s := &p.Series[0]
		s.Y, s.Lower, s.Upper = append(s.Y, m.Value), append(s.Lower, m.Lower), append(s.Upper, m.Upper)
	}
	if len(p.Labels) > 1 {
		r.Metrics["robust_accuracy_worst_class"] = lowest
		r.Pictures = append(r.Pictures, p)
	}
	return nil
}

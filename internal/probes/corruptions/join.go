package corruptions

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

const confidence = 0.95

// shares adds up, over rows, the share of a row's pictures that are right, and how that
// differs from the row as it is.
type shares struct {
	name             string
	rows, each       int // each: pictures of a row
	right, lost, won sum
	at               [severities]int // right, by severity
}

// sum is a sum of shares and of their squares.
type sum struct{ of, squares float64 }

func (s *sum) add(v float64) { s.of, s.squares = s.of+v, s.squares+v*v }

// add takes in a row: how many of its pictures are right, and whether it is as it is.
func (s *shares) add(k int, before bool) {
	share := float64(k) / float64(s.each)
	s.rows++
	s.right.add(share)
	if before {
		s.lost.add(1 - share)
	} else {
		s.won.add(share)
	}
}

func (s *shares) interval(of sum, confidence float64) (stat.Interval, error) {
	return stat.ClusteredShare(of.of, of.squares, s.rows, s.rows*s.each, confidence)
}

// accuracy is the mean over rows of the share of pictures that are right.
func (s *shares) accuracy(confidence float64) (result.Metric, error) {
	ci, err := s.interval(s.right, confidence)
	return result.Metric{
		Value: s.right.of / float64(max(1, s.rows)), Lower: ci.Lower, Upper: ci.Upper, N: s.rows, Unit: "share", Method: "korn-graubard over rows", Confidence: confidence,
	}, err
}

// loss is by how much accuracy drops: the share lost of rows that are right as they are,
// less the share won of others. No row has both, so that they vary against each other; the
// interval puts theirs together with that correlation (Newcombe 1998, method 10).
func (s *shares) loss() (result.Metric, error) {
	n := float64(max(1, s.rows))
	lost, won := s.lost.of/n, s.won.of/n
	a, err := s.interval(s.lost, confidence)
	if err != nil {
		return result.Metric{}, err
	}
	b, err := s.interval(s.won, confidence)
	if err != nil {
		return result.Metric{}, err
	}
	correlation := 0.0
	if spread := (s.lost.squares/n - lost*lost) * (s.won.squares/n - won*won); spread > 0 {
		correlation = -lost * won / math.Sqrt(spread)
	}
	apart := func(x, y float64) float64 { return math.Sqrt(max(0, x*x-2*correlation*x*y+y*y)) }
	return result.Metric{
		Value: lost - won, Lower: lost - won - apart(lost-a.Lower, b.Upper-won), Upper: lost - won + apart(a.Upper-lost, won-b.Lower),
		N: s.rows, Unit: "share", Method: "newcombe of korn-graubard over rows", Confidence: confidence,
	}, nil
}

// tally is the rows, added up.
type tally struct {
	n, right, unchanged int
	whole               shares
	kinds               []shares
	levels              [severities]shares
	standing            [severities]int // right under every kind
}

func add(rows *result.Rows) *tally {
	columns := rows.Columns[firstKind:]
	t := &tally{n: rows.Len(), whole: shares{each: len(columns) * severities}, kinds: make([]shares, len(columns))}
	for s := range t.levels {
		t.levels[s].each = len(columns)
	}
	for i := range t.n {
		before := rows.Columns[colRight].Values[i] == 1
		if before {
			t.right++
		}
		t.unchanged += int(rows.Columns[colUnchanged].Values[i])
		total, everywhere := 0, [severities]int{}
		for k := range columns {
			of := &t.kinds[k]
			of.name, of.each = columns[k].Name, severities
			here := 0
			for s, o := range unpack(columns[k].Values[i]) {
				if o == right {
					here++
					of.at[s]++
					everywhere[s]++
				}
			}
			of.add(here, before)
			total += here
		}
		t.whole.add(total, before)
		for s, k := range everywhere {
			t.levels[s].add(k, before)
			if k == len(columns) {
				t.standing[s]++
			}
		}
	}
	return t
}

func share(k, n int) (result.Metric, error) {
	ci, err := stat.ClopperPearson(k, n, confidence)
	return result.Metric{
		Value: float64(k) / float64(max(1, n)), Lower: ci.Lower, Upper: ci.Upper, N: n, K: &k, Unit: "share", Method: "clopper-pearson", Confidence: confidence,
	}, err
}

func join(j *measure.Joint) (*result.Result, error) {
	t := add(j.Rows)
	r := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}
	var err error
	put := func(name string, m result.Metric, e error) {
		r.Metrics[name] = m
		if err == nil {
			err = e
		}
	}
	m, e := share(t.right, t.n)
	put("clean_accuracy", m, e)
	m, e = share(t.standing[middle-1], t.n)
	put("worst_case_accuracy", m, e)
	m, e = t.whole.accuracy(confidence)
	put("corrupted_accuracy", m, e)
	m, e = t.whole.loss()
	put("accuracy_drop", m, e)
	m, name, e := t.worst()
	put("worst_kind_accuracy", m, e)
	if err != nil {
		return nil, err
	}
	r.Notes = append(r.Notes, fmt.Sprintf("Worst of the kinds: %s, %.3g %% right over all severities.", name, 100*m.Value))
	if r.Pictures, err = t.pictures(); err != nil {
		return nil, err
	}
	pictures, first, last := t.n*t.whole.each, 0, 0
	for _, k := range t.kinds {
		first, last = first+k.at[0], last+k.at[severities-1]
	}
	r.Check("enough-rows", t.right >= 30, fmt.Sprintf("%d of %d pictures are right as they are; 30 are needed.", t.right, t.n))
	r.Check("pictures-change", 10*t.unchanged <= pictures, fmt.Sprintf("%d of %d corrupted pictures are the same as before; one in ten may be.", t.unchanged, pictures))
	r.Check("harsher-is-harder", last <= first, fmt.Sprintf("Over all kinds %d pictures are right at severity 1 and %d at severity 5.", first, last))
	return r, nil
}

// worst is the kind with the least accuracy; being the least of several, its
// interval is that of all of them at once (Bonferroni).
func (t *tally) worst() (result.Metric, string, error) {
	each := 1 - (1-confidence)/float64(len(t.kinds))
	least, name := result.Metric{Lower: 1, Upper: 1}, ""
	for i := range t.kinds {
		m, err := t.kinds[i].accuracy(each)
		if err != nil {
			return m, "", err
		}
		lower, upper := min(least.Lower, m.Lower), min(least.Upper, m.Upper)
		if name == "" || m.Value < least.Value {
			least, name = m, t.kinds[i].name
		}
		least.Lower, least.Upper = lower, upper
	}
	least.Confidence, least.Method = confidence, least.Method+", of the least"
	return least, name, nil
}

// pictures are accuracy against severity, over all kinds and by kind, and the drop of each.
func (t *tally) pictures() ([]result.Picture, error) {
	mean, worst := result.Series{Name: "mean over kinds"}, result.Series{Name: "worst case of each row"}
	push := func(s *result.Series, x float64, value, lower, upper float64) {
		s.X, s.Y, s.Lower, s.Upper = append(s.X, x), append(s.Y, value), append(s.Lower, lower), append(s.Upper, upper)
	}
	clean, err := share(t.right, t.n)
	if err != nil {
		return nil, err
	}
	for _, s := range []*result.Series{&mean, &worst} {
		push(s, 0, clean.Value, clean.Lower, clean.Upper)
	}
	for s := range severities {
		m, err := t.levels[s].accuracy(confidence)
		if err != nil {
			return nil, err
		}
		push(&mean, float64(s+1), m.Value, m.Lower, m.Upper)
		m, err = share(t.standing[s], t.n)
		if err != nil {
			return nil, err
		}
		push(&worst, float64(s+1), m.Value, m.Lower, m.Upper)
	}
	byKind := result.Picture{ID: "by-kind-and-severity", Title: "Accuracy under the worst kinds of corruption", Kind: "curve", XLabel: "severity, 0 is none", YLabel: "accuracy"}
	drops := result.Picture{ID: "drops", Title: "Accuracy lost to each corruption, mean over severities", Kind: "bars", YLabel: "drop of accuracy"}
	line := result.Series{Name: "drop"}
	order := slices.Clone(t.kinds)
	slices.SortStableFunc(order, func(a, b shares) int { return cmp.Compare(a.right.of, b.right.of) })
	for i := range order {
		m, err := order[i].loss()
		if err != nil {
			return nil, err
		}
		drops.Labels = append(drops.Labels, order[i].name)
		line.Y, line.Lower, line.Upper = append(line.Y, m.Value), append(line.Lower, m.Lower), append(line.Upper, m.Upper)
		if i < shownKinds {
			byKind.Series = append(byKind.Series, order[i].curve(clean.Value))
		}
	}
	drops.Series = []result.Series{line}
	return []result.Picture{
		{ID: "by-severity", Title: "Accuracy under corruption", Kind: "curve", XLabel: "severity, 0 is none", YLabel: "accuracy", Series: []result.Series{mean, worst}},
		drops, byKind,
	}, nil
}

// shownKinds is how many lines a drawing tells apart.
const shownKinds = 8

// curve is the accuracy of a kind by severity, from the clean one on.
func (s *shares) curve(clean float64) result.Series {
	line := result.Series{Name: s.name, X: []float64{0}, Y: []float64{clean}}
	for severity, right := range s.at {
		line.X, line.Y = append(line.X, float64(severity+1)), append(line.Y, float64(right)/float64(max(1, s.rows)))
	}
	return line
}

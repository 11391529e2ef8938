package faults

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

const confidence = 0.95

// part is the faults of one kind, of one field, or of both: how many of each row's
// had which outcome.
type part struct {
	name  string
	rows  int // with such a fault
	tried int
	count [outcomes]int
	// sum and squares are sums over rows of the row's share and of its square.
	sum, squares [outcomes]float64
}

// add takes in the outcomes of one row.
func (p *part) add(row [outcomes]int) {
	tried := row[stands] + row[silent] + row[caught] + row[unusable]
	if tried == 0 {
		return
	}
	p.rows++
	p.tried += tried
	for o, k := range row {
		p.count[o] += k
		share := float64(k) / float64(tried)
		p.sum[o] += share
		p.squares[o] += share * share
	}
}

// share is the mean over rows of the share of a row's faults with an outcome.
func (p *part) share(o outcome, confidence float64) (result.Metric, error) {
	ci, err := stat.ClusteredShare(p.sum[o], p.squares[o], p.rows, p.tried, confidence)
	if err != nil {
		return result.Metric{}, err
	}
	return result.Metric{
		Value: p.value(o), Lower: ci.Lower, Upper: ci.Upper, N: p.rows, Unit: "share", Method: "korn-graubard over rows", Confidence: confidence,
	}, nil
}

func (p *part) value(o outcome) float64 { return p.sum[o] / float64(max(1, p.rows)) }

// parts are the rows' outcomes, added up every way that is shown.
type parts struct {
	whole  part
	kinds  []part
	fields []part
	pairs  []part
}

func add(rows *result.Rows) *parts {
	all := kinds()
	fields := rows.Columns[firstField:]
	p := &parts{kinds: make([]part, len(all)), fields: make([]part, len(fields)), pairs: make([]part, len(all)*len(fields))}
	for k := range all {
		p.kinds[k].name = all[k].words
	}
	answered := rows.Column("answered")
	digits := make([]outcome, len(all))
	for f := range fields {
		_, name, _ := strings.Cut(fields[f].Name, ".")
		p.fields[f].name = name
		for k := range all {
			p.pairs[f*len(all)+k].name = name + ": " + all[k].words
		}
	}
	for i := range rows.Len() {
		if answered[i] == 0 {
			continue
		}
		var whole [outcomes]int
		byKind := make([][outcomes]int, len(all))
		for f := range fields {
			var row [outcomes]int
			unpack(fields[f].Values[i], digits)
			for k, o := range digits {
				if o == none {
					continue
				}
				var one [outcomes]int
				one[o] = 1
				row[o]++
				whole[o]++
				byKind[k][o]++
				p.pairs[f*len(all)+k].add(one)
			}
			p.fields[f].add(row)
		}
		for k := range byKind {
			p.kinds[k].add(byKind[k])
		}
		p.whole.add(whole)
	}
	return p
}

func join(j *measure.Joint) (*result.Result, error) {
	rows := j.Rows
	number := j.Facts.Rule == model.NoRule
	if number && !(j.Params.Float("tolerance") > 0) {
		return result.Unmeasured(result.NotApplicable, "the system gives a number, and the manifest declares no tolerance of it: declared.worst_change.at_most"), nil
	}
	p := add(rows)
	answered, standing := 0, 0
	for i, v := range rows.Column("answered") {
		answered += int(v)
		standing += int(rows.Column("stands")[i])
	}
	if p.whole.tried == 0 {
		return result.Unmeasured(result.NotApplicable, fmt.Sprintf("none of the %d rows is decided as it is, so that no fault can change a decision", rows.Len())), nil
	}
	r := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{"faults": result.Exactly(float64(p.whole.tried), answered, "faults")}}
	for name, o := range map[string]outcome{"silent_changes": silent, "caught": caught, "unusable": unusable} {
		m, err := p.whole.share(o, confidence)
		if err != nil {
			return nil, err
		}
		r.Metrics[name] = m
	}
	ci, err := stat.ClopperPearson(standing, answered, confidence)
	if err != nil {
		return nil, err
	}
	r.Metrics["standing_rows"] = result.Metric{
		Value: float64(standing) / float64(answered), Lower: ci.Lower, Upper: ci.Upper, N: answered, K: &standing,
		Unit: "share", Method: "clopper-pearson", Confidence: confidence,
	}
	kindly, err := worst(r, "worst_kind", p.kinds)
	if err != nil {
		return nil, err
	}
	fieldly, err := worst(r, "worst_feature", p.fields)
	if err != nil {
		return nil, err
	}
	if p.whole.count[silent] > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("Most often unnoticed by kind: %s; by field: %s.", kindly, fieldly))
	}
	if number {
		r.Notes = append(r.Notes, fmt.Sprintf("The system gives a number; a change counts when it moves by more than %v, the declared tolerance.", j.Params.Float("tolerance")))
	}
	r.Pictures, err = pictures(p, number)
	if err != nil {
		return nil, err
	}
	reached := 0
	for _, f := range p.fields {
		if 2*f.rows >= answered {
			reached++
		}
	}
	r.Check("enough-rows", answered >= 30, fmt.Sprintf("%d rows are decided as they are; 30 are needed.", answered))
	r.Check("rows-answered", 20*(rows.Len()-answered) <= rows.Len(), fmt.Sprintf("%d of %d rows are refused or get no usable answer as they are; one in twenty may.", rows.Len()-answered, rows.Len()))
	r.Check("every-field-faulted", reached == len(p.fields), fmt.Sprintf("%d of %d fields were changed by some fault in at least half of the rows.", reached, len(p.fields)))
	if len(p.fields) < j.Facts.Width && float64(len(p.fields)) == j.Params.Float("fields") {
		r.Notes = append(r.Notes, fmt.Sprintf("%d fields were drawn of those that the system has.", len(p.fields)))
	}
	return r, nil
}

// worst adds the share of unnoticed changes of the part that has most, and
// says which it is. Being the greatest of several, its interval is that of all of them at once (Bonferroni).
func worst(r *result.Result, metric string, of []part) (string, error) {
	each := 1 - (1-confidence)/float64(len(of))
	var most result.Metric
	name := ""
	for i := range of {
		if of[i].rows == 0 {
			continue
		}
		m, err := of[i].share(silent, each)
		if err != nil {
			return "", err
		}
		lower, upper := max(most.Lower, m.Lower), max(most.Upper, m.Upper)
		if name == "" || m.Value > most.Value {
			most, name = m, of[i].name
		}
		most.Lower, most.Upper = lower, upper
	}
	most.Confidence, most.Method = confidence, most.Method+", of the greatest"
	r.Metrics[metric] = most
	return fmt.Sprintf("%s (%.3g %%)", name, 100*most.Value), nil
}

// Bounds of what is shown.
const (
	shownFields = 30
	shownPairs  = 25
)

// pictures show the shares by kind, by field, and of the worst of both.
func pictures(p *parts, number bool) ([]result.Picture, error) {
	what := "Decisions"
	if number {
		what = "Numbers"
	}
	var out []result.Picture
	for _, s := range []struct {
		id, title string
		of        []part
		most      int
	}{
		{"by-kind", what + " changed by everyday faults, by kind of fault", p.kinds, len(p.kinds)},
		{"by-field", what + " changed by everyday faults, by field", p.fields, shownFields},
		{"worst-pairs", "The faults that change most decisions unnoticed", p.pairs, shownPairs},
	} {
		of := slices.DeleteFunc(slices.Clone(s.of), func(p part) bool { return p.rows == 0 })
		slices.SortStableFunc(of, func(a, b part) int {
			return cmp.Or(cmp.Compare(b.value(silent), a.value(silent)), cmp.Compare(a.name, b.name))
		})
		pic, err := bars(s.id, s.title, of[:min(len(of), s.most)])
		if err != nil {
			return nil, err
		}
		out = append(out, pic)
	}
	return out, nil
}

func bars(id, title string, of []part) (result.Picture, error) {
	pic := result.Picture{ID: id, Title: title, Kind: "bars", YLabel: "share of the faults, mean over rows"}
	for _, s := range []struct {
		name string
		o    outcome
	}{{"changed, unnoticed", silent}, {"refused", caught}, {"no usable answer", unusable}} {
		line, any := result.Series{Name: s.name}, s.o == silent
		for i := range of {
			m, err := of[i].share(s.o, confidence)
			if err != nil {
				return pic, err
			}
			line.Y, line.Lower, line.Upper = append(line.Y, m.Value), append(line.Lower, m.Lower), append(line.Upper, m.Upper)
			any = any || m.Value > 0
		}
		if any {
			pic.Series = append(pic.Series, line)
		}
	}
	for i := range of {
		pic.Labels = append(pic.Labels, of[i].name)
	}
	return pic, nil
}

package performance_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
)

func sigmoid(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

// TestParityMeanings checks that however outputs were recorded, one rule reads them and the model alike.
func TestParityMeanings(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 60
	logits, wide := make([]float64, n), make([]float64, 0, 2*n)
	for i := range logits {
		logits[i] = r.NormFloat64() * 2
		wide = append(wide, 0, logits[i])
	}
	of := func(f func(v float64) []float64) (out []float64) {
		for _, v := range logits {
			out = append(out, f(v)...)
		}
		return out
	}
	probabilities := of(func(v float64) []float64 { return []float64{1 - sigmoid(v), sigmoid(v)} })
	positives := of(func(v float64) []float64 { return []float64{sigmoid(v)} })
	var labels []int
	for _, v := range logits {
		labels = append(labels, int(math.Round(sigmoid(v))))
	}
	recordings := map[string]*dataset.Recorded{
		"probabilities":       {Meaning: dataset.Probabilities, K: 2, Scores: probabilities},
		"columns by class":    {K: 2, Scores: probabilities},
		"positive":            {Meaning: dataset.Positive, K: 1, Scores: positives},
		"logits of two":       {Meaning: dataset.Logits, K: 2, Scores: wide},
		"logit":               {Meaning: dataset.Logits, K: 1, Scores: logits},
		"labels":              {Labels: labels},
		"labels beside score": {Meaning: dataset.Positive, K: 1, Scores: positives, Labels: labels},
	}
	models := map[string]*system{
		"logit":         {kind: model.Logits, scores: rows32(logits, 1)},
		"logits":        {kind: model.Logits, scores: rows32(wide, 2)},
		"probabilities": {kind: model.Probabilities, scores: rows32(probabilities, 2)},
		"positive":      {kind: model.PositiveProbability, scores: rows32(positives, 1)},
	}
	rules := map[string]model.Rule{
		"argmax": {Kind: model.Argmax},
		"cutoff": {Kind: model.Cutoff, Cutoff: 0.25, Band: &[2]float64{0.15, 0.25}},
	}
	for recorded, rec := range recordings {
		for name, s := range models {
			for rule := range rules {
				if recorded == "labels" && rule == "cutoff" {
					continue // labels at one half are not decisions at 0.25
				}
				t.Run(recorded+" with "+name+" by "+rule, func(t *testing.T) {
					rec.Rows = n
					s := *s
					s.classes, s.rule = 2, rules[rule]
					target := s.target(t)
					target.Recorded = rec
					res := measured(t, probe(t, "performance/parity"), target)
					if got := res.Metrics["agreement"]; got.Value != 1 || got.N != n || got.K == nil || *got.K != n {
						t.Errorf("agreement = %+v, notes %q, want 1 of %d", got, res.Notes, n)
					}
					if d, ok := res.Metrics["largest_difference"]; ok != (recorded != "labels") || d.Value > 1e-6 {
						t.Errorf("largest difference = %v, %v", d, ok)
					}
					if !res.Valid() {
						t.Errorf("validity: %+v", res.Validity)
					}
				})
			}
		}
	}
}

func rows32(values []float64, k int) [][]float32 {
	var out [][]float32
	for i := 0; i < len(values); i += k {
		var row []float32
		for _, v := range values[i : i+k] {
			row = append(row, float32(v))
		}
		out = append(out, row)
	}
	return out
}

// ramp is a system whose positive probability rises row by row.
func ramp(n int) *system {
	s := &system{kind: model.Probabilities, classes: 2}
	for i := range n {
		p := float32(i) / float32(n-1)
		s.scores, s.labels = append(s.scores, []float32{1 - p, p}), append(s.labels, int(math.Round(float64(p))))
	}
	return s
}

func TestParityFindsRows(t *testing.T) {
	s := ramp(50)
	target := s.target(t)
	rec := &dataset.Recorded{Rows: 50, Meaning: dataset.Positive, K: 1}
	for _, row := range s.scores {
		rec.Scores = append(rec.Scores, float64(row[1]))
	}
	rec.Scores[3] = 0.9 // was 0.061: another decision
	rec.Scores[40] += 0.1
	target.Recorded = rec
	res := measured(t, probe(t, "performance/parity"), target)
	if got := res.Metrics["disagreements"]; got.Value != 1 || got.Upper != 1 || got.Method != "exhaustive" {
		t.Errorf("disagreements = %+v, want 1, exhaustive", got)
	}
	near(t, "largest difference", res.Metrics["largest_difference"].Value, 0.9-3.0/49, 1e-6)
	near(t, "mean difference", res.Metrics["mean_difference"].Value, (0.9-3.0/49+0.1)/50, 1e-6)
	if diff := cmp.Diff(res.Notes, []string{"decided otherwise on rows (from 0) [3]"}); diff != "" {
		t.Errorf("notes (-got +want):\n%s", diff)
	}
	target.Facts.TestRows = 500 // the 50 are then a sample
	res = measured(t, probe(t, "performance/parity"), target)
	// Exact upper bound of 1 in 50 at 97.5 %: 0.1065 (beta quantile), over 450 other rows.
	if got := res.Metrics["disagreements"]; got.Lower != 1 || got.Upper != 1+math.Floor(0.1065*450) {
		t.Errorf("disagreements of a sample = %+v, want 1 to 48", got)
	}
	if m := res.Metrics["mean_difference"]; !(m.Lower < m.Value && m.Value < m.Upper) {
		t.Errorf("mean difference of a sample = %+v, want an interval", m)
	}
}

// TestParityIgnoresSolutions: recorded outputs are those of the model, so a row that input validation refuses still agrees.
func TestParityIgnoresSolutions(t *testing.T) {
	s := ramp(40)
	s.refuse = 20
	target := s.target(t)
	target.Recorded = &dataset.Recorded{Rows: 40, Labels: s.labels}
	res := measured(t, probe(t, "performance/parity"), target)
	if got := res.Metrics["agreement"].Value; got != 1 {
		t.Errorf("agreement behind a solution = %v, want 1", got)
	}
}

func TestParityDoubts(t *testing.T) {
	s := ramp(60)
	target := s.target(t)
	target.Recorded = &dataset.Recorded{Rows: 60, Labels: make([]int, 60)}
	check(t, measured(t, probe(t, "performance/parity"), target), "recorded-outputs-vary", false)
	backwards := make([]int, 60)
	for i := range backwards {
		backwards[i] = s.labels[59-i]
	}
	target.Recorded = &dataset.Recorded{Rows: 60, Labels: backwards}
	res := measured(t, probe(t, "performance/parity"), target)
	check(t, res, "recorded-outputs-vary", true)
	check(t, res, "recorded-outputs-belong-to-the-rows", false)
}

func TestParityUnusable(t *testing.T) {
	s := ramp(40)
	s.scores[5] = []float32{float32(math.NaN()), 0}
	target := s.target(t)
	target.Recorded = &dataset.Recorded{Rows: 40, Labels: s.labels}
	res := measured(t, probe(t, "performance/parity"), target)
	if got := res.Metrics["disagreements"].Value; got != 1 {
		t.Errorf("disagreements with one answer that is no number = %v, want 1", got)
	}
}

func TestParityRefuses(t *testing.T) {
	three := &system{kind: model.Probabilities, classes: 3, scores: [][]float32{{1, 0, 0}, {0, 1, 0}}, labels: []int{0, 1}}
	score := &system{kind: model.Score, classes: 2, scores: [][]float32{{1}, {2}}, labels: []int{0, 1}, rule: model.Rule{Kind: model.Cutoff}}
	tests := []struct {
		name string
		s    *system
		rec  *dataset.Recorded
		want string
	}{
		{"too few rows", three, &dataset.Recorded{Rows: 1, Labels: []int{0}}, "1 are recorded for 2 rows"},
		{"one probability for three classes", three, &dataset.Recorded{Rows: 2, Meaning: dataset.Positive, K: 1, Scores: []float64{0, 1}}, "does not tell 3 classes apart"},
		{"two columns for three classes", three, &dataset.Recorded{Rows: 2, Meaning: dataset.Probabilities, K: 2, Scores: []float64{0, 1, 1, 0}}, "2 scores a row for 3 classes"},
		{"probabilities for a free score", score, &dataset.Recorded{Rows: 2, Meaning: dataset.Positive, K: 1, Scores: []float64{0, 1}}, "cannot be compared with a score"},
		{"nothing", three, &dataset.Recorded{Rows: 2}, "neither scores nor labels"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			target := test.s.target(t)
			target.Recorded = test.rec
			_, err := run(t, probe(t, "performance/parity"), target)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestParityAccept(t *testing.T) {
	s := ramp(45)
	target := s.target(t)
	rec := &dataset.Recorded{Rows: 45, Meaning: dataset.Positive, K: 1}
	for i, row := range s.scores {
		rec.Scores = append(rec.Scores, math.Mod(float64(row[1])+0.013*float64(i%7), 1))
	}
	target.Recorded = rec
	measuretest.Accept(t, probe(t, "performance/parity"), target)
}

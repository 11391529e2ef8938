package evasion_test

import (
	"math"
	"testing"

	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/evasion"
	"github.com/assize/assize/internal/result"
)

func TestSurrogate(t *testing.T) {
	s := linear(400, 12, "l2", 100)
	var x [][]float32
	x = append(x, s.rows...)
	slope, differences := evasion.SurrogateSlope(x, s.labels, 2, 1, x[0], 1e-3)
	for i, got := range slope {
		if want := differences[i]; math.Abs(got-want) > 1e-2*(1+math.Abs(want)) {
			t.Errorf("feature %d: got slope %v, differences say %v", i, got, want)
		}
	}
	if got := evasion.SurrogateLearns(x[:300], s.labels[:300], x[300:], s.labels[300:]); got < 0.9 {
		t.Errorf("got agreement %v on rows that it was not trained on, want 0.9", got)
	}
}

// TestTransfer attacks a plane that the attacker only knows from decisions.
func TestTransfer(t *testing.T) {
	for _, norm := range []string{"linf", "l2", "l1"} {
		t.Run(norm, func(t *testing.T) {
			s := linear(100, 10, norm, 20)
			// With a third more than the distance, a surrogate that is right in most directions must do.
			far := 0.0
			for _, row := range s.rows {
				far = max(far, exactly(s, row, norm))
			}
			s.params["epsilon"] = 1.35 * far
			s.on, s.solutions = []string{"hidden"}, []model.Solution{{Name: "hidden", Type: model.OutputRounding, Digits: 0, Switchable: true}}
			r := s.run(t, "evasion/transfer", map[string]*result.Result{"evasion/noise": s.run(t, "evasion/noise", nil)})
			if got := r.Metrics["attack_success"].Value; got < 0.9 {
				t.Errorf("got %v of the rows broken, want 0.9", got)
			}
			if got := r.Metrics["agreement"].Value; got < 0.85 {
				t.Errorf("got agreement %v, want 0.85", got)
			}
			for _, name := range []string{"final-inputs-rechecked", "final-inputs-feasible", "returned-inputs-differ", "budget-kept"} {
				check(t, r, name, true)
			}
		})
	}
}

// TestTransferOfOneAnswer has nothing to learn from: no row is broken, and no row agrees.
func TestTransferOfOneAnswer(t *testing.T) {
	s := linear(40, 6, "linf", 20)
	s.of = func([]float32) float32 { return 0.9 }
	for i := range s.labels {
		s.labels[i] = 1
	}
	r := s.run(t, "evasion/transfer", map[string]*result.Result{"evasion/noise": s.run(t, "evasion/noise", nil)})
	if got := r.Metrics["attack_success"].Value; got != 0 {
		t.Errorf("got %v broken, want none", got)
	}
}

// TestTransferPaysForTraining counts the questions of the training where a solution limits those about one case, and against what a service grants one user.
func TestTransferPaysForTraining(t *testing.T) {
	s := linear(60, 10, "linf", 20)
	s.params["epsilon"] = 0.1
	s.params = with(s.params, "grant", 300)
	s.solutions = []model.Solution{{Name: "limit", Type: model.QueryLimit, Queries: 5}}
	before := map[string]*result.Result{"evasion/noise": s.run(t, "evasion/noise", nil)}
	free := s.run(t, "evasion/transfer", before)
	if got := free.Metrics["training_queries"].Value; got < 200 || got > 240 { // 60 rows, doubled twice
		t.Errorf("got %v questions of the training, want four about most of 60 rows", got)
	}
	trained, within := free.Metrics["training_queries"].Value, 0
	for i, q := range free.Rows.Column("queries_to_success") {
		if q > 0 && trained+q <= 300 && free.Rows.Column("attackable")[i] == 1 {
			within++
		}
	}
	if m := free.Metrics["success_within_grant"]; m.K == nil || *m.K != within || within == 0 {
		t.Errorf("got %+v within the grant, want %d", m, within)
	}
	s.params = with(s.params, "grant", 100)
	if m, is := s.run(t, "evasion/transfer", before).Metrics["success_within_grant"]; is {
		t.Errorf("the training alone is over the grant, and %+v was measured", m)
	}
	s.on = []string{"limit"}
	r := s.run(t, "evasion/transfer", before)
	if got := r.Metrics["training_queries"].Value; got > 240 {
		t.Errorf("got %v questions of the training, want no more than without a limit", got)
	}
	for i, q := range r.Rows.Column("queries") {
		if q > 1+2 { // the row itself; four of five were asked in the training, two more are ours
			t.Errorf("row %d: got %v questions beside the training's, want 3 at most", i, q)
		}
	}
	s.solutions[0].Queries = 1
	if got := s.run(t, "evasion/transfer", before).Metrics["training_queries"].Value; got != 60 {
		t.Errorf("one question about each case: got %v of the training, want 60", got)
	}
}

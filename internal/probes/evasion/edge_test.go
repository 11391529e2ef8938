package evasion_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

func check(t *testing.T, r *result.Result, name string, want bool) {
	t.Helper()
	i := slices.IndexFunc(r.Validity, func(v result.Validity) bool { return v.Check == name })
	if i < 0 {
		t.Errorf("got no check %q, want one", name)
	} else if r.Validity[i].OK != want {
		t.Errorf("got check %+v, want it %v", r.Validity[i], want)
	}
}

func TestBudgetIsKeptAndCounted(t *testing.T) {
	for name, s := range map[string]*system{"plain": linear(20, 8, "l2", 0), "mixed": loans(20)} {
		for _, budget := range []float64{1, 2, 3, 4, 17, 130, 1000} {
			p := find(t, "evasion/hopskipjump")
			m, asked := s.open(t)
			d := s.table()
			c := &measure.Case{Params: params(p, s.params), Model: m, Domain: s.domain(t), Data: d, Index: d.Index}
			c.Params["queries"] = budget
			r, err := p.Run(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			queries := r.Rows.Column("queries")
			// One question of the budget is for a final row whose answer does not repeat; here all do.
			if got := slices.Max(queries); got > max(1, budget-1) {
				t.Errorf("%s: got %v questions for a row of a budget of %v", name, got, budget)
			}
			if got, want := sum(queries), float64(asked.rows); got > want || got < want && slices.Max(r.Rows.Column("planted")) < 0 {
				t.Errorf("%s, budget %v: got %v questions in the table, want the %v that were asked", name, budget, got, want)
			}
			for i, q := range r.Rows.Column("queries_to_success") {
				if broken := r.Rows.Column("broken")[i] == 1; q > budget || broken != (q > 0) {
					t.Errorf("%s: row %d: got success after %v questions, broken %v", name, i, q, broken)
				}
			}
		}
	}
}

// TestOnlyFeasibleRowsAreAsked looks at every row that reaches the model.
func TestOnlyFeasibleRowsAreAsked(t *testing.T) {
	for _, on := range [][]string{nil, {"range-check"}} {
		s := loans(30)
		s.on = on
		d, of := s.domain(t), s.of
		asked, wrong := 0, 0
		s.of = func(x []float32) float32 {
			asked++
			feasible := slices.ContainsFunc(s.rows, func(orig []float32) bool { return x[2] == orig[2] && d.Feasible(x, orig) })
			if !feasible {
				wrong++
			}
			return of(x)
		}
		_, r := s.attack(t)
		if asked == 0 || wrong > 0 {
			t.Errorf("got %d of %d rows that are no feasible change of any row, want none", wrong, asked)
		}
		if !r.Valid() && r.Metrics["rows_attackable"].Value >= 30 {
			t.Errorf("got validity %+v", r.Validity)
		}
		gained := 0
		for i, orig := range s.rows {
			final := make([]float32, len(orig))
			for j, f := range s.features {
				final[j] = float32(r.Rows.Column("x." + f.Name)[i])
			}
			if !d.Feasible(final, orig) {
				t.Errorf("row %d: final row %v is not feasible", i, final)
			}
			if r.Rows.Column("gained")[i] == 1 && r.Rows.Column("attackable")[i] == 1 && r.Rows.Column("queries_to_success")[i] > 0 {
				gained++
				// A referral is no gain: the risk must be below the band.
				if risk := of(final); risk >= 0.4 || of(orig) < 0.4 {
					t.Errorf("row %d: got risk %v from %v, want below 0.4 from above", i, risk, of(orig))
				}
			}
		}
		if gained == 0 {
			t.Error("got no row that gains, want some")
		}
	}
}

func TestNothingToGain(t *testing.T) {
	s := loans(40)
	s.of = func([]float32) float32 { return 0.1 }
	noise, r := s.attack(t)
	if noise.State != result.Measured {
		t.Errorf("got noise %s, want measured", noise.State)
	}
	if _, ok := noise.Metrics["attack_success"]; ok {
		t.Error("got an attack success of no rows, want none")
	}
	if r.State != result.NotApplicable || r.Reason == "" {
		t.Errorf("got %s %q, want not applicable with a reason", r.State, r.Reason)
	}
}

func TestConstantModel(t *testing.T) {
	s := linear(40, 6, "linf", 200)
	s.of = func([]float32) float32 { return 0.9 }
	for i := range s.labels {
		s.labels[i] = 1
	}
	_, r := s.attack(t)
	if got := r.Metrics["attack_success"]; got.Value != 0 || got.N != 40 {
		t.Errorf("got attack success %+v, want 0 of 40", got)
	}
	if got := r.Metrics["robust_accuracy"].Value; got != 1 {
		t.Errorf("got robust accuracy %v, want 1", got)
	}
	check(t, r, "start-found", true)
	if _, ok := r.Metrics["median_distance"]; ok {
		t.Error("got a median distance where nothing gained")
	}
}

func TestTinyEpsilon(t *testing.T) {
	s := linear(40, 6, "linf", 600)
	s.params["epsilon"] = 1e-9
	_, r := s.attack(t)
	if got := sum(r.Rows.Column("broken")); got != 0 {
		t.Errorf("got %v rows broken, want 0", got)
	}
	if got := sum(r.Rows.Column("gained")); got != 40 {
		t.Errorf("got %v rows gained, want all 40", got)
	}
}

func TestUnusableAnswersGainNothing(t *testing.T) {
	s := linear(40, 6, "l2", 300)
	of := s.of
	s.of = func(x []float32) float32 {
		if p := of(x); p < 0.5 {
			return p
		}
		return float32(math.NaN())
	}
	_, r := s.attack(t)
	for i, row := range s.rows {
		if got := r.Rows.Column("attackable")[i] == 1; got != (of(row) < 0.5) {
			t.Errorf("row %d: got attackable %v", i, got)
		}
	}
	if got := sum(r.Rows.Column("gained")); got != 0 {
		t.Errorf("got %v rows that gain by an answer that is no number, want 0", got)
	}
}

func TestRowsOutsideTheDomain(t *testing.T) {
	s := loans(40)
	for i := range s.rows {
		s.rows[i][2] = 17 // below the range, and nobody can change it
	}
	_, r := s.attack(t)
	if r.State != result.NotApplicable {
		t.Errorf("got %s where every row is refused, want not applicable", r.State)
	}
	s.on = nil
	noise, r := s.attack(t)
	if got := sum(r.Rows.Column("gained")); got != 0 {
		t.Errorf("got %v rows gained by infeasible changes, want 0", got)
	}
	check(t, r, "rows-inside-domain", false)
	check(t, noise, "changes-found", false)
}

func TestImmutableDomain(t *testing.T) {
	s := linear(40, 4, "linf", 100)
	for i := range s.features {
		s.features[i].Mutable = domain.No
	}
	_, r := s.attack(t)
	if got := sum(r.Rows.Column("queries")); got != 40 {
		t.Errorf("got %v questions where nothing can change, want one a row", got)
	}
}

func TestNoiseStaysInTheBall(t *testing.T) {
	for _, norm := range []string{"linf", "l2", "l1"} {
		s := linear(20, 5, norm, 300)
		s.params["epsilon"] = 0.1
		of, far := s.of, 0.0
		s.of = func(x []float32) float32 {
			near := math.Inf(1)
			for _, row := range s.rows {
				l1, l2, linf := 0.0, 0.0, 0.0
				for i, v := range x {
					d := math.Abs(float64(v - row[i]))
					l1, l2, linf = l1+d, l2+d*d, max(linf, d)
				}
				near = min(near, map[string]float64{"l1": l1, "l2": math.Sqrt(l2), "linf": linf}[norm])
			}
			far = max(far, near)
			return of(x)
		}
		r := s.run(t, "evasion/noise", nil)
		if far > 0.1*(1+1e-5) || far < 0.05 {
			t.Errorf("%s: got noise as far as %v, want nearly 0.1", norm, far)
		}
		if got := sum(r.Rows.Column("queries")); got != 20*50 {
			t.Errorf("%s: got %v questions, want 1000", norm, got)
		}
	}
}

func TestNoiseOnTheDomainStaysInTheBall(t *testing.T) {
	s := loans(30)
	s.params["epsilon"] = 0.2 // less than a class of savings, or another purpose
	r := s.run(t, "evasion/noise", nil)
	if got := slices.Max(r.Rows.Column("distance")); got > 0.2*(1+1e-6) || got == 0 {
		t.Errorf("got a change of %v, want at most 0.2 and some", got)
	}
}

func TestRefusedParameters(t *testing.T) {
	s := linear(4, 3, "l2", 100)
	for name, bad := range map[string]any{"norm": "l7", "unit": "miles", "epsilon": 0.0, "queries": 0.0} {
		p := find(t, "evasion/hopskipjump")
		m, _ := s.open(t)
		c := &measure.Case{Params: params(p, measure.Params{name: bad}), Model: m, Domain: s.domain(t), Data: s.table(), Index: s.table().Index}
		if _, err := p.Run(context.Background(), c); err == nil {
			t.Errorf("%s %v: got no error, want one", name, bad)
		}
	}
}

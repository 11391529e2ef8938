package evasion_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/assize/assize/internal/measure"
)

func with(p measure.Params, name string, v float64) measure.Params {
	out := measure.Params{name: v}
	maps.Copy(out, p)
	out[name] = v
	return out
}

// TestSuccessWithinGrant counts again which rows fell within what a service grants one user.
func TestSuccessWithinGrant(t *testing.T) {
	plain := loans(40)
	_, r := plain.attack(t)
	if _, ok := r.Metrics["success_within_grant"]; ok {
		t.Error("there is a success within a grant that nobody stated")
	}
	var needed []float64
	attackable := 0
	for i, q := range r.Rows.Column("queries_to_success") {
		if r.Rows.Column("attackable")[i] == 1 {
			attackable++
			if q > 0 {
				needed = append(needed, q)
			}
		}
	}
	slices.Sort(needed)
	grant := needed[len(needed)/2]
	within := 0
	for _, q := range needed {
		if q <= grant {
			within++
		}
	}
	s := loans(40)
	s.params = with(s.params, "grant", grant)
	_, r = s.attack(t)
	m := r.Metrics["success_within_grant"]
	if m.K == nil || *m.K != within || m.N != attackable || m.Value != float64(within)/float64(attackable) || m.Upper >= 1 {
		t.Errorf("got %+v, want %d of %d", m, within, attackable)
	}
	s.params = with(s.params, "grant", 1e6)
	_, r = s.attack(t)
	if m := r.Metrics["success_within_grant"]; *m.K != len(needed) || m.Upper != 1 {
		t.Errorf("a grant that no attack uses up: got %+v, want %d and no upper end", m, len(needed))
	}
}

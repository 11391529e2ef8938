package evasion_test

import (
	"fmt"
	"testing"

	"github.com/assize/assize/internal/result"
)

// TestBoundaryAgainstClosedForm walks along a plane, whose distance is known.
func TestBoundaryAgainstClosedForm(t *testing.T) {
	for _, c := range []struct {
		norm   string
		width  int
		within float64
	}{
		{"l2", 10, 1.02}, {"l2", 64, 1.15}, {"linf", 10, 1.05}, {"linf", 64, 1.3},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.norm, c.width), func(t *testing.T) {
			s := linear(40, c.width, c.norm, 5000)
			r := s.run(t, "evasion/boundary", map[string]*result.Result{"evasion/noise": s.run(t, "evasion/noise", nil)})
			if !r.Valid() {
				t.Errorf("got validity %+v, want all checks met", r.Validity)
			}
			var ratios []float64
			for i, got := range r.Rows.Column("distance") {
				want := exact(s, s.rows[i], c.norm)
				if got < want*(1-1e-3) {
					t.Errorf("row %d: got distance %v, which is less than the exact %v", i, got, want)
				}
				ratios = append(ratios, got/want)
			}
			if got := median(ratios); got > c.within {
				t.Errorf("got a median of %.4f times the exact distance, want at most %v", got, c.within)
			} else {
				t.Logf("median of %.4f times the exact distance", got)
			}
		})
	}
}

func TestBoundaryOnMixedFeatures(t *testing.T) {
	s := loans(60)
	s.params["epsilon"] = 1.0
	before := map[string]*result.Result{"evasion/noise": s.run(t, "evasion/noise", nil)}
	r := s.run(t, "evasion/boundary", before)
	d := s.domain(t)
	for i, orig := range s.rows {
		final := make([]float32, len(orig))
		for j, f := range s.features {
			final[j] = float32(r.Rows.Column("x." + f.Name)[i])
		}
		if !d.Feasible(final, orig) {
			t.Errorf("row %d: final row %v is not feasible", i, final)
		}
	}
	hop := s.run(t, "evasion/hopskipjump", before)
	if got, want := sum(r.Rows.Column("broken")), sum(hop.Rows.Column("broken")); got < want-2 || got == 0 {
		t.Errorf("got %v rows broken, HopSkipJump and noise break %v", got, want)
	}
}

package tabular_test

import (
	"strings"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/tabular"
)

// TestRandomOnPurpose proves nothing of a system behind noise, and counts as found only what most fresh answers give.
func TestRandomOnPurpose(t *testing.T) {
	target := creditTarget(t)
	target.Data.X, target.Data.Index = target.Data.X[:90*target.Data.Width], target.Data.Index[:90]
	r := whole(t, tabular.Probes()[0], target, measure.Params{}, "blur", "band")
	for _, name := range []string{"exact", "never"} {
		for i, v := range r.Rows.Column(name) {
			if v == 1 && r.Rows.Column("attackable")[i] == 1 {
				t.Errorf("row %d: %s was said of a system that is random", i, name)
			}
		}
	}
	if notes := strings.Join(r.Notes, " "); !strings.Contains(notes, "random on purpose") {
		t.Errorf("got notes %q", notes)
	}
	m, err := target.Model().With([]string{"blur", "band"})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i, flips := range r.Rows.Column("flips") {
		if flips != 1 {
			continue
		}
		found++
		x := make([]float32, target.Data.Width)
		for j, f := range target.Domain.Features() {
			x[j] = float32(r.Rows.Column("x." + f.Name)[i])
		}
		var a model.Answers
		decisions := make([]model.Decision, 1)
		if err := m.Usual(t.Context(), target.Data.Row(i), []int{i}, &a, decisions); err != nil {
			t.Fatal(err)
		}
		won := 0
		for range 8 { // 200 answers
			if gains, err := m.Gained(t.Context(), decisions[0], i, x); err != nil {
				t.Fatal(err)
			} else if gains {
				won++
			}
		}
		if won < 2 {
			t.Errorf("row %d: what was found gains most answers %d times of 8", i, won)
		}
	}
	if found < 5 {
		t.Errorf("%d rows found show too little", found)
	}
}

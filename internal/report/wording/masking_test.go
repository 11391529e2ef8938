package wording_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

func TestMasking(t *testing.T) {
	table := func(rows ...[]string) evidence.Observation {
		return evidence.Observation{Result: result.Result{Tables: []result.Table{{ID: "other", Rows: rows}, {ID: result.Masking, Rows: rows}}}}
	}
	d := &dossier.Dossier{Observations: []evidence.Observation{
		table([]string{"digits", "500", "14.0 %", "1.0 %", "13.0 % [10.0 %, 16.0 %]", "hides gradients and stops little"}, []string{"range", "500", "1.0 %", "1.0 %", "0.0 % [0.0 %, 0.7 %]", "is not shown to hide gradients"}),
		table([]string{"digits", "500", "15.0 %", "1.0 %", "14.0 %", "hides gradients and stops little"}, []string{"a row", "of another form"}),
	}}
	want := []string{"digits: 14.0 % of rows resist an attack that does not know of it, 1.0 % one that does: it hides gradients and stops little"}
	if diff := cmp.Diff(wording.Masking(d), want); diff != "" {
		t.Errorf("sentences (-got +want):\n%s", diff)
	}
}

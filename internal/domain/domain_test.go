package domain_test

import (
	"testing"

	"github.com/assize/assize/internal/domain"
)

func loan(t *testing.T, relations ...string) *domain.Domain {
	t.Helper()
	d, err := domain.New([]domain.Feature{
		{Name: "amount", Type: domain.Integer, Min: 250, Max: 20000, Unit: "EUR", Mutable: domain.Yes},
		{Name: "limit", Type: domain.Real, Min: 0, Max: 10000, Unit: "EUR", Mutable: domain.No},
		{Name: "bill_2", Type: domain.Real, Min: 0, Max: 20000, Unit: "EUR", Mutable: domain.Yes},
		{Name: "months_employed", Type: domain.Integer, Min: 0, Max: 600, Unit: "months", Mutable: domain.Up},
		{Name: "employed", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes},
		{Name: "own house", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "housing"},
		{Name: "rent", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "housing"},
		{Name: "free", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "housing"},
	}, relations)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var credit = []string{
	"x.bill_2 <= x.limit * 1.1",
	"abs(x.amount - orig.amount) <= 0.15 * orig.amount",
	"x.months_employed > 0 implies x.employed == 1",
}

func TestFeasible(t *testing.T) {
	orig := []float32{1000, 2000, 500, 12, 1, 0, 1, 0}
	d := loan(t, credit...)
	for _, c := range []struct {
		name string
		i    int
		v    float32
		kind domain.Kind
	}{
		{"amount within 15 %", 0, 1150, ""},
		{"amount beyond 15 %", 0, 1151, domain.BrokenRelation},
		{"half an euro", 0, 1000.5, domain.WrongType},
		{"limit changed", 1, 2001, domain.WrongChange},
		{"bill at the limit", 2, 2200, ""},
		{"bill over the limit", 2, 2200.1, domain.BrokenRelation},
		{"months up", 3, 13, ""},
		{"months down", 3, 11, domain.WrongChange},
		{"unemployed with months", 4, 0, domain.BrokenRelation},
		{"two houses", 5, 1, domain.WrongGroup},
		{"no house", 6, 0, domain.WrongGroup},
		{"out of range", 2, -1, domain.OutOfRange},
	} {
		x := append([]float32(nil), orig...)
		x[c.i] = c.v
		got := d.Check(x, orig)
		switch {
		case d.Feasible(x, orig) != (c.kind == ""), d.Feasible(x, orig) != (d.Violation(x, orig) == 0):
			t.Errorf("%s: feasible %v, violation %v, check %v", c.name, d.Feasible(x, orig), d.Violation(x, orig), got)
		case c.kind == "" && len(got) != 0, c.kind != "" && (len(got) != 1 || got[0].Kind != c.kind):
			t.Errorf("%s: got %v, want %q", c.name, got, c.kind)
		}
		if !d.Project(x, orig) || !d.Feasible(x, orig) {
			t.Errorf("%s: projected to %v: %v", c.name, x, d.Check(x, orig))
		}
	}
}

package domain_test

import (
	"strings"
	"testing"

	"github.com/assize/assize/internal/domain"
)

func TestEmpty(t *testing.T) {
	for _, c := range []struct {
		relations []string
		want      string // part of the reason; none means not proved empty
	}{
		{nil, ""},
		{credit, ""},
		{[]string{"x.amount > 20000"}, `"x.amount > 20000" can never hold within the ranges`},
		{[]string{"x.amount >= 20000"}, ""},
		{[]string{"x.bill_2 < 0"}, `"x.bill_2 < 0"`},
		{[]string{"x.bill_2 <= 0"}, ""},
		{[]string{"x.employed + 1 == 3"}, `"x.employed + 1 == 3"`},
		{[]string{"x.employed != 0 and x.employed < 1"}, `x.employed`},
		{[]string{"x.bill_2 >= 500", "x.bill_2 <= 400"}, `"x.bill_2 <= 400" can never hold together`},
		{[]string{"x.bill_2 >= 500", "x.bill_2 <= 500"}, ""},
		{[]string{"x.bill_2 >= x.limit + 15000", "x.limit * 2 >= 12000"}, "together"},
		{[]string{"x.amount < 0 implies x.bill_2 < 0"}, ""},
		{[]string{"x.amount > 0 implies x.bill_2 < 0"}, "implies"},
		{[]string{"x.amount * x.amount <= 100"}, "x.amount * x.amount"},
		{[]string{"x.bill_2 / x.amount > 81"}, "x.bill_2 / x.amount"},
		{[]string{"x.bill_2 / x.amount > 79"}, ""},
		{[]string{"x.limit / 0 > 1"}, "x.limit / 0"},
		{[]string{"x.limit <= 10", "orig.limit >= 20"}, "together"}, // limit is immutable
		{[]string{"x.months_employed <= 10", "orig.months_employed >= 20"}, "together"},
		{[]string{"x.months_employed >= 20", "orig.months_employed <= 10"}, ""},
		{[]string{"x.rent == 1 and x.free == 1"}, `group "housing"`},
		{[]string{"x.rent == 0", "x.free == 0", `x."own house" == 0`}, `group "housing"`},
		{[]string{"min(x.amount, x.bill_2) > 20000"}, "min"},
		{[]string{"max(x.amount, 300) < 300"}, "max"},
		{[]string{"abs(x.bill_2 - 100) < -1"}, "abs"},
	} {
		reason, empty := loan(t, c.relations...).Empty()
		if empty != (c.want != "") || !strings.Contains(reason, c.want) {
			t.Errorf("%q: got %v %s, want %s", c.relations, empty, reason, c.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	ok := domain.Feature{Name: "a", Type: domain.Binary, Max: 1, Mutable: domain.Yes, Group: "g"}
	with := func(change func(*domain.Feature)) domain.Feature {
		f := ok
		f.Name = "b"
		change(&f)
		return f
	}
	inf := 1e39
	for _, c := range []struct {
		second domain.Feature
		want   string
	}{
		{with(func(f *domain.Feature) {}), ""},
		{with(func(f *domain.Feature) { f.Name = "a" }), "feature 1 has the same name"},
		{with(func(f *domain.Feature) { f.Name = " " }), "the name is empty"},
		{with(func(f *domain.Feature) { f.Name = "b\n" }), "control characters"},
		{with(func(f *domain.Feature) { f.Type = "float" }), `unknown type "float"`},
		{with(func(f *domain.Feature) { f.Mutable = "" }), `unknown mutability ""`},
		{with(func(f *domain.Feature) { f.Min, f.Max = 1, 0 }), "min 1 is over max 0"},
		{with(func(f *domain.Feature) { f.Type, f.Max = domain.Real, inf }), "not finite in float32"},
		{with(func(f *domain.Feature) { f.Max = 2 }), "a binary feature ranges from 0 to 1"},
		{with(func(f *domain.Feature) { f.Type, f.Max = domain.Integer, 2.5 }), "whole numbers"},
		{with(func(f *domain.Feature) { f.Type, f.Mutable = domain.Category, domain.Up }), "a category has no order"},
		{with(func(f *domain.Feature) { f.Cost = -1 }), "cost -1"},
		{with(func(f *domain.Feature) { f.Type = domain.Real }), `member "b" is real`},
		{with(func(f *domain.Feature) { f.Mutable = domain.No }), "give all members the same"},
		{with(func(f *domain.Feature) { f.Group = "h" }), `"a" is its only member`},
	} {
		_, err := domain.New([]domain.Feature{ok, c.second}, nil)
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %s", c.second, err, c.want)
		}
	}
	if _, err := domain.New(nil, nil); err == nil {
		t.Error("no features: no error")
	}
}

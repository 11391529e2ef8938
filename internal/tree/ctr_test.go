package tree_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/assize/assize/internal/tree"
)

// ctrModel is one entry of the models that make_ctr.py makes.
type ctrModel struct {
	Model      string
	Rows       [][]any // a category is text
	Margins    [][]float64
	Complexity int
}

func ctrModels(tb testing.TB) (map[string][]byte, []ctrModel) {
	tb.Helper()
	files := unpack(tb, "ctr.tar.gz")
	var index struct{ Entries []ctrModel }
	if err := json.Unmarshal(files["models.json"], &index); err != nil {
		tb.Fatal(err)
	}
	return files, index.Entries
}

// TestCatBoostStatistics compares models that split on statistics of categories,
// alone and combined, with what CatBoost says, unseen categories included.
func TestCatBoostStatistics(t *testing.T) {
	files, entries := ctrModels(t)
	sets := map[int]int{}
	for _, g := range entries {
		e, err := tree.Read(files[g.Model], tree.DefaultLimits())
		if err != nil {
			t.Errorf("%s: %v", g.Model, err)
			continue
		}
		for i := range e.Trees {
			sets[g.Complexity] += len(e.Trees[i].Sets)
		}
		out, fast, bad := make([]float64, e.Outputs), make([]float64, e.Outputs), 0
		for i, row := range g.Rows {
			x := make([]float64, e.Features)
			for k := range x {
				switch v := row[k].(type) {
				case float64:
					x[k] = v
				case string:
					if x[k] = float64(slices.Index(e.Levels[k], v)); e.Levels[k] == nil {
						if x[k], err = strconv.ParseFloat(v, 64); err != nil {
							x[k] = -1
						}
					}
				}
			}
			e.Margins(x, out)
			e.Compile().Margins(x, fast)
			for k := range out {
				if out[k] != fast[k] || !near(out[k], g.Margins[i][k], 1e-9) {
					if bad++; bad < 3 {
						t.Errorf("%s, row %d %v: output %d: got %v and %v, want %v", g.Model, i, row, k, out[k], fast[k], g.Margins[i][k])
					}
				}
			}
		}
	}
	for c := 1; c <= 3; c++ {
		if sets[c] == 0 {
			t.Errorf("no model of complexity %d splits on a set", c)
		}
	}
	t.Logf("%d models; sets by complexity: %v", len(entries), sets)
}

// TestCatBoostStatisticsRefused names what is missing, and what is too much.
func TestCatBoostStatisticsRefused(t *testing.T) {
	files, entries := ctrModels(t)
	plain := ""
	for _, g := range entries {
		if g.Complexity == 1 && bytes.Contains(files[g.Model], []byte("OnlineCtr")) {
			plain = g.Model
		}
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"no names", `"cat_features_hash"`, `"cat_features_hush"`, "pool=training_pool"},
		{"no tables", `"ctr_data"`, `"ctr_datum"`, "ctr_data has no table"},
		{"type", `"ctr_type":`, `"ctr_typo":`, "ctr_type"},
		{"split", `"split_index":`, `"split_index":9`, "no border"},
		{"stride", `"hash_stride":`, `"hash_stride":9`, "entries of"},
		{"element", `"cat_feature_value"`, `"cat_feature_valve"`, "combination_element"},
	} {
		b := bytes.ReplaceAll(bytes.ReplaceAll(files[plain], []byte(`": `), []byte(`":`)), []byte(c.from), []byte(c.to))
		if _, err := tree.Read(b, tree.DefaultLimits()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	lim := tree.DefaultLimits()
	lim.MaxNodes = 60
	for _, g := range entries {
		if _, err := tree.Read(files[g.Model], lim); err == nil {
			t.Errorf("%s: read within %d nodes", g.Model, lim.MaxNodes)
			break
		}
	}
}

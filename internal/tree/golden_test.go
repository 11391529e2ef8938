package tree_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/tree"
)

// golden is one entry of models.json; make_models.py says what it holds.
type golden struct {
	Model                      string
	Rows, Margins, Predictions [][]any
	Average, Classifier        bool
	Texts                      []string
}

// unpack reads an archive of testdata.
func unpack(tb testing.TB, name string) map[string][]byte {
	tb.Helper()
	files := map[string][]byte{}
	r := tar.NewReader(bytes.NewReader(load(tb, "internal/tree/testdata/"+name)))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			tb.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			tb.Fatal(err)
		}
	}
}

// archive unpacks an archive of testdata with what its libraries said.
func archive(tb testing.TB, name string) (files map[string][]byte, entries []golden) {
	tb.Helper()
	files = unpack(tb, name)
	var index struct{ Entries []golden }
	if err := json.Unmarshal(files["models.json"], &index); err != nil {
		tb.Fatal(err)
	}
	delete(files, "models.json")
	return files, index.Entries
}

// numbers turns a row, in which what JSON cannot say is text, into numbers.
func numbers(tb testing.TB, row []any) []float64 {
	tb.Helper()
	out := make([]float64, len(row))
	for i, v := range row {
		switch v := v.(type) {
		case float64:
			out[i] = v
		case string:
			n, err := strconv.ParseFloat(v, 64)
			if err != nil {
				tb.Fatal(err)
			}
			out[i] = n
		}
	}
	return out
}

// TestGolden compares with what XGBoost, LightGBM, CatBoost and ONNX Runtime
// say on every row of hundreds of random models.
func TestGolden(t *testing.T) {
	for name, want := range map[string]struct{ models, refused int }{
		"models.tar.gz": {432, 13}, "old-1.7.6.tar.gz": {90, 0}, "old-2.1.4.tar.gz": {60, 0},
	} {
		t.Run(name, func(t *testing.T) {
			files, entries := archive(t, name)
			refused := compare(t, files, entries)
			if len(entries) != want.models || refused != want.refused {
				t.Errorf("got %d models and %d refused, want %d and %d", len(entries), refused, want.models, want.refused)
			}
		})
	}
}

// compare evaluates every model on every row in both ways, and returns how
// many models are refused because ONNX Runtime does not sum them.
func compare(t *testing.T, files map[string][]byte, entries []golden) (refused int) {
	t.Helper()
	rows, exact, models := map[string]int{}, map[string]int{}, map[string]int{}
	for _, g := range entries {
		if strings.HasPrefix(g.Model, "linear-") {
			continue
		}
		e, err := tree.Read(files[g.Model], tree.DefaultLimits())
		if err != nil && strings.Contains(err.Error(), "ONNX Runtime") {
			refused++ // random leaves that no converter writes
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", g.Model, err)
			continue
		}
		models[e.Format]++
		p := e.Compile()
		bad := 0
		for i := range g.Rows {
			x := numbers(t, g.Rows[i])
			if g.Texts != nil && e.Levels[len(x)-1] != nil {
				x[len(x)-1] = float64(slices.Index(e.Levels[len(x)-1], g.Texts[i]))
			}
			margins, prediction := predict(e, x)
			fast := make([]float64, e.Outputs)
			p.Margins(x, fast)
			if diff := cmp.Diff(fast, margins); diff != "" {
				t.Errorf("%s: row %d: program against ensemble: %s", g.Model, i, diff)
			}
			rows[e.Format]++
			same := true
			for _, c := range []struct {
				what string
				got  []float64
				want [][]any
			}{{"margin", margins, g.Margins}, {"prediction", prediction, g.Predictions}} {
				if c.want == nil {
					continue
				}
				want := numbers(t, c.want[i])
				if g.Average && c.what == "margin" { // LightGBM gives the sum
					for k := range want {
						want[k] /= float64(len(e.Trees) / e.Outputs)
					}
				}
				if g.Classifier && e.Outputs == 1 {
					want = want[1:]
				}
				if len(want) != len(c.got) {
					t.Errorf("%s: got %d outputs, want %d", g.Model, len(c.got), len(want))
					break
				}
				for k := range want {
					same = same && (c.what != "margin" || c.got[k] == want[k])
					if math.IsNaN(want[k]) != math.IsNaN(c.got[k]) || !near(c.got[k], want[k], 1e-5) {
						if bad++; bad < 3 {
							t.Errorf("%s: row %d %v: %s %d: got %v, want %v", g.Model, i, x, c.what, k, c.got[k], want[k])
						}
					}
				}
			}
			if same && g.Margins != nil {
				exact[e.Format]++
			}
		}
	}
	for format, n := range models {
		t.Logf("%s: %d models, %d rows, margins of %d bit for bit", format, n, rows[format], exact[format])
	}
	return refused
}

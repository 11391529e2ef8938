package tree_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/assize/assize/internal/tree"
)

// root returns the module's folder.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	tb.Fatal("no go.mod above the package")
	return ""
}

// load returns the content of a file, unpacked where its name ends in .gz.
// A file of the shared data that is absent skips the test.
func load(tb testing.TB, path string) []byte {
	tb.Helper()
	full := filepath.Join(root(tb), path)
	b, err := os.ReadFile(full)
	if os.IsNotExist(err) && strings.HasPrefix(path, "../shared/") {
		tb.Skipf("shared data are absent: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		tb.Fatal(err)
	}
	b, err = io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// read reads a model of that format.
func read(tb testing.TB, path, format string) *tree.Ensemble {
	tb.Helper()
	e, err := tree.Read(load(tb, path), tree.DefaultLimits())
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	if e.Format != format {
		tb.Fatalf("%s: got format %q, want %q", path, e.Format, format)
	}
	return e
}

// table reads a file of numbers, columns cut at sep; text becomes NaN.
func table(tb testing.TB, path string, sep rune, header bool) [][]float64 {
	tb.Helper()
	r := csv.NewReader(bytes.NewReader(load(tb, path)))
	r.Comma = sep
	records, err := r.ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	if header {
		records = records[1:]
	}
	rows := make([][]float64, len(records))
	for i, rec := range records {
		for _, field := range rec {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				v = math.NaN()
			}
			rows[i] = append(rows[i], v)
		}
	}
	return rows
}

// near says whether two numbers are equal to a relative (below 1, absolute) difference.
func near(got, want, tolerance float64) bool {
	return got == want || math.Abs(got-want) <= tolerance*max(1, math.Abs(want))
}

func predict(e *tree.Ensemble, x []float64) (margins, prediction []float64) {
	margins, prediction = make([]float64, e.Outputs), make([]float64, e.Outputs)
	e.Margins(x, margins)
	e.Predict(x, prediction)
	return margins, prediction
}

// TestCreditEqualsServed compares the ONNX example with what XGBoost itself
// recorded on the test set.
func TestCreditEqualsServed(t *testing.T) {
	e := read(t, "examples/credit/model.onnx", "onnx-ml")
	rows, served := table(t, "examples/credit/test.csv", ',', true), table(t, "examples/credit/served.csv", ',', true)
	if len(e.Trees) != 150 || e.Features != 20 || len(rows) != len(served) {
		t.Fatalf("got %d trees, %d features, %d rows, want 150, 20, %d", len(e.Trees), e.Features, len(rows), len(served))
	}
	for i, row := range rows {
		if _, got := predict(e, row[:20]); !near(got[0], served[i][0], 1e-6) {
			t.Fatalf("row %d: got %v, want %v", i, got[0], served[i][0])
		}
	}
}

// TestGermanXGBoost compares a model of XGBoost 1.7 with the margins that
// the exact evasion answers record.
func TestGermanXGBoost(t *testing.T) {
	e := read(t, "../shared/data/tabular/german_xgb.json", "xgboost-json")
	rows := table(t, "../shared/data/tabular/german_X.csv.gz", ',', true)
	head := strings.SplitN(string(load(t, "../shared/data/tabular/german_evasion_answers.csv")), "\n", 2)[0]
	answers := table(t, "../shared/data/tabular/german_evasion_answers.csv", ',', true)
	names := map[string]int{}
	for i, name := range strings.Split(strings.TrimSpace(head), ",") {
		names[name] = i
	}
	row, margin := names["row"], names["xgb_margin"]
	checked := 0
	for _, a := range answers {
		x := rows[int(a[row])]
		if got, _ := predict(e, x); !near(got[0], a[margin], 1e-5) {
			t.Fatalf("row %v: got margin %v, want %v", a[row], got[0], a[margin])
		}
		checked++
	}
	if checked != 150 {
		t.Errorf("got %d rows, want 150", checked)
	}
}

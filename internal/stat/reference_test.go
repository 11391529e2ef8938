package stat_test

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

//go:embed testdata/reference.json
var referenceJSON []byte

type scored struct {
	Y, Weights        []int
	Score             []float64
	AUC, Brier, KS    float64
	AveragePrecision  float64 `json:"average_precision"`
	KS2Samp           float64 `json:"ks_2samp"`
	ECE               float64
	FPR, TPR          []float64
	Thresholds        []float64
	Classes           int
	Probabilities     []float64
	Confusion         [][]int
	Accuracy, MCC     float64
	BalancedAccuracy  float64 `json:"balanced_accuracy"`
	Kappa, KL         float64
	Precision, Recall []float64
	Specificity, F1   []float64
	FHalf             []float64 `json:"f_half"`
	LogLoss           float64   `json:"log_loss"`
	AUCMacro          float64   `json:"auc_macro"`
}

// reference is what testdata/reference.py recorded.
type reference struct {
	Proportions []struct {
		K, N                     int
		Confidence, Lower, Upper float64
		Exact, Wilson            [2]float64
	}
	McNemar []struct {
		B, C int
		P    float64
	}
	Kolmogorov []struct {
		N    int
		D, P float64
	}
	Binary, Multi []scored
	Bootstrap     struct {
		X, Replicates          []float64
		Percentile, Basic, BCa [2]float64
	}
	Quantiles struct {
		Values []float64
		Cases  []struct {
			P, Confidence, Quantile float64
			Interval                [2]*float64
		}
	}
	Drift struct {
		A, B                    []float64
		KS, P, PSI, Wasserstein float64
		Bins                    int
	}
}

func readReference(t *testing.T) reference {
	t.Helper()
	var r reference
	if err := json.Unmarshal(referenceJSON, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// shared opens a file of the published statistics, unpacked, or skips.
func shared(t testing.TB, name string) io.Reader {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "shared", "data", "statistics", name))
	if os.IsNotExist(err) {
		t.Skipf("needs ../shared/data/statistics/%s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(name, ".gz") {
		return bytes.NewReader(data)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return unpacked
}

// columns reads a CSV file of shared by column; text becomes NaN and is left to
// rows.
func columns(t testing.TB, name string) (numbers map[string][]float64, rows []map[string]string) {
	t.Helper()
	records, err := csv.NewReader(shared(t, name)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	numbers = map[string][]float64{}
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, cell := range record {
			column := records[0][i]
			row[column] = cell
			v, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				v = math.NaN()
			}
			numbers[column] = append(numbers[column], v)
		}
		rows = append(rows, row)
	}
	return numbers, rows
}

// near fails unless got is within tolerance of want, absolutely or relatively,
// whichever is wider for values under 1.
func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return
	}
	if !(math.Abs(got-want) <= tolerance*math.Max(1, math.Abs(want))) {
		t.Errorf("%s: got %.15g, want %.15g", what, got, want)
	}
}

func weights32(weights []int) []int32 {
	w := make([]int32, len(weights))
	for i, v := range weights {
		w[i] = int32(v)
	}
	return w
}

func bools(y []int) []bool {
	b := make([]bool, len(y))
	for i, v := range y {
		b[i] = v == 1
	}
	return b
}

package domain_test

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/assize/assize/internal/domain"
)

// open finds a file of the shared tabular data or skips the test.
func open(t *testing.T, name string) *os.File {
	t.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for filepath.Dir(root) != root {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		root = filepath.Dir(root)
	}
	f, err := os.Open(filepath.Join(root, "..", "shared", "data", "tabular", name))
	if err != nil {
		t.Skipf("the shared data is absent: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func table(t *testing.T, name string) (header []string, rows [][]string) {
	t.Helper()
	f := open(t, name)
	r := csv.NewReader(f)
	if filepath.Ext(name) == ".gz" {
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		r = csv.NewReader(z)
	}
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

func decode(t *testing.T, name string, to any) {
	t.Helper()
	if err := json.NewDecoder(open(t, name)).Decode(to); err != nil {
		t.Fatal(err)
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// germanDomain writes german_constraints.json in the domain's own terms.
func germanDomain(t *testing.T) *domain.Domain {
	t.Helper()
	var rules struct {
		Columns   []string   `json:"columns"`
		Immutable []string   `json:"immutable"`
		OneHot    [][]string `json:"one_hot"`
	}
	decode(t, "german_constraints.json", &rules)
	ranges := map[string][2]float64{
		"Age": {19, 75}, "LoanDuration": {4, 72}, "LoanAmount": {250, 18424}, "LoanRateAsPercentOfIncome": {1, 4},
		"YearsAtCurrentHome": {1, 4}, "NumberOfOtherLoansAtBank": {1, 4}, "NumberOfLiableIndividuals": {1, 2},
	}
	var fs []domain.Feature
	for _, c := range rules.Columns {
		f := domain.Feature{Name: c, Type: domain.Binary, Max: 1, Mutable: domain.Yes}
		if r, ok := ranges[c]; ok {
			f.Type, f.Min, f.Max = domain.Integer, r[0], r[1]
		}
		if slices.Contains(rules.Immutable, c) {
			f.Mutable = domain.No
		}
		for _, g := range rules.OneHot {
			if slices.Contains(g, c) {
				f.Group = "purpose"
			}
		}
		fs = append(fs, f)
	}
	d, err := domain.New(fs, []string{
		"abs(x.LoanDuration - orig.LoanDuration) <= 0.15 * orig.LoanDuration",
		"abs(x.LoanAmount - orig.LoanAmount) <= 0.1 * orig.LoanAmount",
		"abs(x.LoanRateAsPercentOfIncome - orig.LoanRateAsPercentOfIncome) <= 1",
		"x.OwnsHouse + x.RentsHouse <= 1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The largest logit of the linear model over the domain is the recorded one,
// which was found by trying every combination that the constraints allow; so
// the domain allows those and no better ones.
func TestGermanCreditLargestMargin(t *testing.T) {
	d := germanDomain(t)
	var model struct {
		Weights map[string]float64 `json:"weights_float32"`
		Bias    float64            `json:"bias"`
	}
	decode(t, "german_lr_true_parameters.json", &model)
	_, data := table(t, "german_X.csv.gz")
	_, answers := table(t, "german_evasion_answers.csv")
	if reason, empty := d.Empty(); empty {
		t.Fatal(reason)
	}
	index := map[string]int{}
	for i, f := range d.Features() {
		index[f.Name] = i
	}
	r := rand.New(rand.NewPCG(11, 12))
	for _, answer := range answers {
		orig := make([]float32, d.Len())
		logit := model.Bias
		for i, s := range data[int(number(t, answer[0]))] {
			orig[i] = float32(number(t, s))
			logit += model.Weights[d.Features()[i].Name] * float64(orig[i])
		}
		if v := d.Check(orig, orig); len(v) != 0 {
			t.Fatalf("row %s: %v", answer[0], v)
		}
		if want := number(t, answer[2]); math.Abs(logit-want) > 1e-4 {
			t.Fatalf("row %s: logit %v, want %v", answer[0], logit, want)
		}
		// The features are independent but for the two of the house.
		for _, names := range [][]string{{"LoanDuration"}, {"LoanAmount"}, {"LoanRateAsPercentOfIncome"}, {"HasTelephone"}, {"OwnsHouse", "RentsHouse"}} {
			best := 0.0
			x := slices.Clone(orig)
			var try func(k int, gain float64)
			try = func(k int, gain float64) {
				if k == len(names) {
					if d.Feasible(x, orig) {
						best = max(best, gain)
					}
					return
				}
				i := index[names[k]]
				o := float64(orig[i])
				for v := math.Floor(0.8*o) - 2; v <= 1.2*o+2; v++ {
					x[i] = float32(v)
					try(k+1, gain+model.Weights[names[k]]*(v-o))
				}
			}
			try(0, 0)
			logit += best
		}
		if want := number(t, answer[3]); math.Abs(logit-want) > 1e-4 {
			t.Errorf("row %s: largest logit %v, want %v", answer[0], logit, want)
		}
		for range 20 {
			x := randomRow(d, r, true)
			if !d.Project(x, orig) {
				t.Errorf("row %s: projected to %v", answer[0], d.Check(x, orig))
			}
		}
	}
}

package tree_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/tree"
)

// tight are limits under which no input costs much.
func tight() tree.Limits { return tree.Limits{MaxBytes: 1 << 20, MaxTrees: 1000, MaxNodes: 50_000} }

// FuzzRead holds every reader to its promise: no panic, and an ensemble that
// checks and whose program agrees with it bit for bit.
func FuzzRead(f *testing.F) {
	files, _ := archive(f, "models.tar.gz")
	seeds := map[string]int{}
	for name, b := range files {
		kind, _, _ := strings.Cut(name, "-")
		_, suffix, _ := strings.Cut(name, ".")
		if len(b) < 6000 && seeds[kind+suffix] < 3 {
			seeds[kind+suffix]++
			f.Add(b)
		}
	}
	statistics := unpack(f, "ctr.tar.gz")
	for _, name := range []string{"ctr-144.json", "ctr-178.json", "ctr-170.json"} { // short ones
		f.Add(statistics[name])
	}
	f.Add(load(f, "internal/tree/testdata/card.pmml"))
	for _, all := range cards(f) {
		f.Add([]byte(all[0].Card))
	}
	f.Add([]byte("variable,bin,points\nbasepoints,,1\nage,\"missing%,%[-inf,26.0)\",-10\nage,\"[26.0,inf)\",5\nage,-9,1\njob,\"a%,%b\",2\n"))
	f.Add(binaryModel(0, "binary:logistic", []int32{1, -1, -1}))
	f.Add([]byte(`[{"nodeid":0,"split":"f0","split_condition":0.5,"yes":1,"no":2,"missing":1,"children":[{"nodeid":1,"leaf":1},{"nodeid":2,"leaf":-1}]}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := tree.Read(b, tight())
		if err != nil {
			return
		}
		if err := e.Check(); err != nil {
			t.Fatalf("read gave what does not check: %v", err)
		}
		if e.Features > 200 || e.Outputs > 50 {
			return
		}
		x := make([]float64, 5*e.Features)
		for i := range x {
			x[i] = []float64{0, 1, -1, 0.5, math.NaN(), math.Inf(1), 3}[(i*5+i/e.Features)%7]
		}
		got, want := make([]float64, 5*e.Outputs), make([]float64, 5*e.Outputs)
		e.Compile().Margins(x, got)
		for r := range 5 {
			e.Margins(x[r*e.Features:][:e.Features], want[r*e.Outputs:][:e.Outputs])
		}
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		if !slices.EqualFunc(got, want, same) {
			t.Fatalf("program: got %v, want %v", got, want)
		}
	})
}

// TestTruncated reads every file of the archive cut short at many places:
// each is refused, or read as a whole where what is cut off says nothing.
func TestTruncated(t *testing.T) {
	files, _ := archive(t, "models.tar.gz")
	count := map[string]int{}
	for name, b := range files {
		kind, _, _ := strings.Cut(name, "-")
		_, suffix, _ := strings.Cut(name, ".")
		if count[kind+suffix]++; count[kind+suffix] > 2 {
			continue
		}
		for i := range 40 {
			cut := b[:len(b)*i/40]
			e, err := tree.Read(cut, tight())
			if err == nil && e.Check() != nil {
				t.Errorf("%s cut to %d bytes is read as what does not check", name, len(cut))
			}
			if err == nil && !strings.HasSuffix(name, ".txt") {
				t.Errorf("%s cut to %d of %d bytes is read", name, len(cut), len(b))
			}
			if err != nil && bytes.Count([]byte(err.Error()), []byte("\n")) > 1 {
				t.Errorf("%s cut to %d bytes: %v", name, len(cut), err)
			}
		}
	}
}

// FuzzReadLinear holds the reader of linear models to its promise: no panic,
// and as many weights as it says.
func FuzzReadLinear(f *testing.F) {
	files, _ := archive(f, "models.tar.gz")
	for name, b := range files {
		if strings.HasPrefix(name, "linear-") {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := tree.ReadLinear(b, tight())
		if err != nil {
			return
		}
		if len(l.Weights) != l.Outputs || len(l.Bias) != l.Outputs || l.Outputs < 1 {
			t.Fatalf("got %d rows of weights and %d biases for %d outputs", len(l.Weights), len(l.Bias), l.Outputs)
		}
		l.Predict(make([]float64, l.Features), make([]float64, l.Outputs))
	})
}

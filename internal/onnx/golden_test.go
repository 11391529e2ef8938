package onnx_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/onnx"
)

// facts are what golden.py records of a model, in the same JSON.
type facts struct {
	IR           int64          `json:"ir"`
	Opsets       [][]any        `json:"opsets"`
	Producer     string         `json:"producer"`
	Inputs       [][]any        `json:"inputs"`
	Outputs      [][]any        `json:"outputs"`
	Operators    map[string]int `json:"operators"`
	Initializers [][]any        `json:"initializers"`
	Sums         []float64      `json:"sums"`
}

func factsOf(m *onnx.Model) (facts, error) {
	f := facts{IR: m.IRVersion, Producer: m.Producer, Opsets: [][]any{}, Operators: map[string]int{},
		Initializers: [][]any{}, Sums: []float64{}}
	for _, o := range m.Opsets {
		f.Opsets = append(f.Opsets, []any{o.Domain, o.Version})
	}
	f.Inputs, f.Outputs = values(m.Inputs()), values(m.Outputs())
	for _, o := range m.Operators() {
		f.Operators[o.Domain+":"+o.OpType] = o.Count
	}
	for _, t := range m.Graph.Initializers {
		f.Initializers = append(f.Initializers, []any{t.Name, t.Type, append([]int64{}, t.Dims...)})
		sum := 0.0
		v, err := t.Float64s()
		if err != nil {
			ints, err := t.Int64s()
			if err != nil {
				return f, err
			}
			for _, i := range ints {
				v = append(v, float64(i))
			}
		}
		for _, x := range v {
			sum += x
		}
		f.Sums = append(f.Sums, sum)
	}
	return f, nil
}

func values(list []*onnx.ValueInfo) [][]any {
	out := [][]any{}
	for _, v := range list {
		if v.Type.Kind != onnx.KindTensor {
			out = append(out, []any{v.Name, string(v.Type.Kind) + "_type"})
			continue
		}
		var dims []string
		if v.Type.HasShape {
			dims = []string{}
		}
		for _, d := range v.Type.Shape {
			if d.Fixed {
				d.Param = strconv.FormatInt(d.Value, 10)
			}
			dims = append(dims, d.Param)
		}
		out = append(out, []any{v.Name, v.Type.ElemType, dims})
	}
	return out
}

// TestGolden compares with Python's onnx package, see testdata/golden.py.
func TestGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Models      map[string]json.RawMessage
		Conformance struct {
			Models int
			SHA256 string
		}
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for name, b := range corpus(t) {
		m, err := onnx.Read(b, onnx.DefaultLimits())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if test, ok := strings.CutPrefix(name, "conformance/"); ok {
			lines = append(lines, line(test, m))
			continue
		}
		recorded, ok := golden.Models[name]
		if !ok {
			continue
		}
		f, err := factsOf(m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got, want any
		encoded, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(encoded, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(recorded, &want); err != nil {
			t.Fatal(err)
		}
		near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 2e-3 })
		if diff := cmp.Diff(got, want, near); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
		delete(golden.Models, name)
	}
	if len(golden.Models) > 0 {
		t.Errorf("%d recorded models are not in the shared data", len(golden.Models))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	if got := hex.EncodeToString(sum[:]); got != golden.Conformance.SHA256 || len(lines) != golden.Conformance.Models {
		t.Errorf("got %d operator tests with digest %s, want %d with %s", len(lines), got, golden.Conformance.Models, golden.Conformance.SHA256)
	}
}

// line is golden.py's line of an operator test.
func line(name string, m *onnx.Model) string {
	var ops, names []string
	for _, o := range m.Operators() {
		ops = append(ops, fmt.Sprintf("%s:%s=%d", o.Domain, o.OpType, o.Count))
	}
	for _, v := range slices.Concat(m.Inputs(), m.Outputs()) {
		names = append(names, v.Name)
	}
	return fmt.Sprintf("%s %d %s %s\n", name, m.IRVersion, strings.Join(ops, ","), strings.Join(names, ";"))
}

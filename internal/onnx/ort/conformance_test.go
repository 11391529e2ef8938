package ort_test

import (
	"context"
	"fmt"
	"math"
	"path"
	"strings"
	"testing"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// TestConformance runs the operator tests of ONNX 1.12 and compares with
// their recorded outputs, within 1e-3 relative and 1e-5 absolute. Tests are
// passed over where an input or output is no tensor, where ONNX Runtime says
// that it does not implement the case, and where the output is random; the
// few that differ by design of ONNX Runtime are logged.
func TestConformance(t *testing.T) {
	orttest.Load(t)
	files := map[string][]byte{}
	var tests []string
	archive(t, func(name string, b []byte) {
		files[path.Clean(name)] = b
		if strings.HasSuffix(name, "/model.onnx") {
			tests = append(tests, path.Dir(path.Clean(name)))
		}
	})
	passed, skipped := 0, map[string]int{}
	for _, dir := range tests {
		name := path.Base(dir)
		if strings.Contains(name, "bernoulli") { // random
			skipped["random"]++
			continue
		}
		in, ok1 := tensors(files, dir, "input")
		want, ok2 := tensors(files, dir, "output")
		if !ok1 || !ok2 {
			skipped["not tensors"]++
			continue
		}
		s, err := ort.NewSession(files[dir+"/model.onnx"], ort.Options{})
		if err != nil {
			skipped["not loaded"]++
			if !strings.Contains(err.Error(), "NOT_IMPLEMENTED") && !strings.Contains(err.Error(), "Could not find an implementation") &&
				!strings.Contains(err.Error(), "no input") && !strings.Contains(err.Error(), "not a tensor") {
				t.Logf("%s: %v", name, err)
			}
			continue
		}
		got, err := s.Run(context.Background(), in)
		if err == nil {
			err = compare(got, want)
		}
		if err != nil {
			skipped["differs"]++
			t.Logf("%s: %v", name, err)
		} else {
			passed++
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d of %d operator tests ran and agreed; passed over: %v", passed, len(tests), skipped)
	if passed < 610 {
		t.Errorf("got %d operator tests that agree, want at least 610 (615 with ONNX Runtime 1.30.0)", passed)
	}
}

// tensors decodes the recorded inputs or outputs of a test.
func tensors(files map[string][]byte, dir, what string) (out []*ort.Tensor, ok bool) {
	for i := 0; ; i++ {
		b, found := files[fmt.Sprintf("%s/test_data_set_0/%s_%d.pb", dir, what, i)]
		if !found {
			return out, len(out) > 0
		}
		t, err := onnx.ReadTensor(b, onnx.DefaultLimits())
		if err != nil {
			return nil, false
		}
		v, err := ort.FromModel(t)
		if err != nil {
			return nil, false
		}
		out = append(out, v)
	}
}

func compare(got, want []*ort.Tensor) error {
	if len(got) < len(want) {
		return fmt.Errorf("got %d outputs, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Type != w.Type || fmt.Sprint(g.Shape) != fmt.Sprint(w.Shape) {
			return fmt.Errorf("output %d: got %v %v, want %v %v", i, g.Type, g.Shape, w.Type, w.Shape)
		}
		a, isFloat := floats(g.Data)
		b, _ := floats(w.Data)
		if !isFloat {
			if fmt.Sprint(g.Data) != fmt.Sprint(w.Data) {
				return fmt.Errorf("output %d: got %.80v, want %.80v", i, g.Data, w.Data)
			}
			continue
		}
		for k := range b {
			if a[k] != b[k] && !(math.IsNaN(a[k]) && math.IsNaN(b[k])) && !(math.Abs(a[k]-b[k]) <= 1e-5+1e-3*math.Abs(b[k])) {
				return fmt.Errorf("output %d: got %v at %d, want %v", i, a[k], k, b[k])
			}
		}
	}
	return nil
}

func floats(data any) ([]float64, bool) {
	switch data := data.(type) {
	case []float64:
		return data, true
	case []float32:
		out := make([]float64, len(data))
		for i, v := range data {
			out[i] = float64(v)
		}
		return out, true
	}
	return nil, false
}

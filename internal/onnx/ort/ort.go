// Package ort runs ONNX models on ONNX Runtime. Locate brings the library to
// the machine, Load loads it into the process, Session runs one model,
// Runner runs batches of float32 rows through a session without overhead, and
// Binding does so for models with several inputs, such as gradient graphs.
//
// Without cgo the package compiles and Load says that models cannot be run.
package ort

import (
	"errors"
	"fmt"
	"strings"

	"github.com/assize/assize/internal/onnx"
)

// ErrNoCgo is what Load returns from a binary that was built without cgo.
var ErrNoCgo = errors.New("load ONNX Runtime: built without cgo: ONNX models cannot be run\n" +
	"hint: install a C compiler and build with CGO_ENABLED=1")

// Tensor is a dense array that goes into or comes out of a model, in
// row-major order. Data is a slice whose length is the product of Shape and
// whose type fits Type: []float32, []float64, []int8 … []uint64, []bool,
// []string, and []byte with the little-endian elements of any other type.
// An empty Shape is one number.
type Tensor struct {
	Type  onnx.DataType
	Shape []int64
	Data  any
}

// Options say how a session runs.
type Options struct {
	// Outputs names the outputs to compute, in the order in which Run returns
	// them; none means all that the model declares.
	Outputs []string
	// Threads is the number of intra-op threads; 0 means 1, which keeps
	// results independent of the machine's load. Inter-op is always 1.
	Threads int
	// Folder is where external data files of the model lie; empty means that
	// a model with external data cannot be run.
	Folder string
}

// Port is one input or output of a Binding.
type Port struct {
	Name string
	Row  []int64 // shape of one row, without the batch
}

// signature is what a session takes and gives.
type signature struct {
	inputs, outputs []*onnx.ValueInfo
}

// Inputs returns the values that Run takes, in order.
func (s *signature) Inputs() []*onnx.ValueInfo { return s.inputs }

// Outputs returns the values that Run returns, in order.
func (s *signature) Outputs() []*onnx.ValueInfo { return s.outputs }

// sign reads from the model what a session with these options takes and
// gives, and refuses what it cannot convert.
func sign(model []byte, opts Options) (*signature, error) {
	m, err := onnx.Read(model, onnx.DefaultLimits())
	if err != nil {
		return nil, err
	}
	s := &signature{inputs: m.Inputs()}
	if len(s.inputs) == 0 {
		return nil, errors.New("start session: the model has no input\nhint: export it with its input as a graph input")
	}
	byName := map[string]*onnx.ValueInfo{}
	for _, v := range m.Outputs() {
		byName[v.Name] = v
		if len(opts.Outputs) == 0 {
			s.outputs = append(s.outputs, v)
		}
	}
	for _, name := range opts.Outputs {
		v := byName[name]
		if v == nil {
			return nil, fmt.Errorf("start session: the model has no output %q\nhint: its outputs are %s", name, names(m.Outputs()))
		}
		s.outputs = append(s.outputs, v)
	}
	if len(s.outputs) == 0 {
		return nil, errors.New("start session: the model has no output")
	}
	for _, v := range s.outputs {
		if v.Type == nil || v.Type.Kind == onnx.KindNone || v.Type.Kind == onnx.KindTensor {
			continue
		}
		hint := "export the model with tensor outputs"
		if v.Type.Kind == onnx.KindSequence {
			hint = "export the model with options={\"zipmap\": False}, or drop the ZipMap operator"
		}
		return nil, fmt.Errorf("start session: output %q is a %s, not a tensor\nhint: %s", v.Name, v.Type.Kind, hint)
	}
	return s, nil
}

func names(values []*onnx.ValueInfo) string {
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprintf("%q", v.Name))
	}
	return strings.Join(out, ", ")
}

// elements returns the product of dims, and false where one is not fixed or
// the product is out of reason.
func elements(dims []onnx.Dim) (int, bool) {
	shape := make([]int64, len(dims))
	for i, d := range dims {
		if !d.Fixed {
			return 0, false
		}
		shape[i] = d.Value
	}
	n, err := (&onnx.Tensor{Dims: shape}).Len()
	return int(n), err == nil && n < 1<<40
}

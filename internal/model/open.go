package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
)

// LoadRuntime loads ONNX Runtime into the process and returns its version.
// Only the first call in a process does anything.
func LoadRuntime(library string) (string, error) {
	if err := ort.Load(library); err != nil {
		return "", err
	}
	return ort.Version(), nil
}

// rawRunner takes tensors of any form, for input that no honest caller sends.
type rawRunner interface {
	Run(ctx context.Context, inputs []*ort.Tensor) ([]*ort.Tensor, error)
}

// Open reads the model of a spec and makes it ready. A tree library's own file is
// evaluated without ONNX Runtime. Of an ONNX model maps at the output
// become tensors, a fixed batch becomes a free one where that changes no
// answer. The notes say what was rewritten. The runtime must be loaded.
func Open(ctx context.Context, spec *Spec) (*Model, []string, error) {
	if m, notes, err := openNative(spec); m != nil || err != nil {
		return m, notes, err
	}
	file, err := onnx.ReadFile(ctx, spec.Path, onnx.DefaultLimits())
	if err != nil {
		return nil, nil, err
	}
	var notes []string
	file, dropped := onnx.DropZipMap(file)
	if dropped {
		notes = append(notes, "the map at the model's output was replaced by the tensor behind it")
	}
	if err := pickTensors(file, spec); err != nil {
		return nil, nil, err
	}
	opts := ort.Options{Outputs: []string{spec.Output.Tensor}}
	if len(file.ExternalData()) > 0 {
		opts.Folder = filepath.Dir(spec.Path)
	}
	free, freed, freeErr := onnx.FreeBatch(file)
	if freed {
		m, err := open(ctx, free, spec, opts, 0)
		if err == nil && m.sameOneByOne(ctx) {
			return m, append(notes, "the model's fixed batch was freed; single rows and batches answer alike"), nil
		}
		if err == nil {
			freeErr = errors.New("batches answer otherwise than single rows")
		} else {
			freeErr = err
		}
	}
	fixed := fixedBatch(file, spec.Input.Tensor)
	m, err := open(ctx, file, spec, opts, fixed)
	if err != nil {
		return nil, nil, err
	}
	if fixed > 0 {
		notes = append(notes, fmt.Sprintf("the model takes batches of %d only, which is slow: %v", fixed, freeErr))
	}
	return m, notes, nil
}

// pickTensors fills in the names that the manifest leaves open and checks those that it gives.
func pickTensors(file *onnx.Model, spec *Spec) error {
	var err error
	if spec.Input.Tensor, err = pick("input", spec.Input.Tensor, file.Inputs()); err != nil {
		return err
	}
	if len(file.Inputs()) > 1 {
		return fmt.Errorf("open model: it has %d inputs (%s), one is supported\nhint: export the model with its features in one tensor", len(file.Inputs()), listed(file.Inputs()))
	}
	spec.Output.Tensor, err = pick("output", spec.Output.Tensor, file.Outputs())
	return err
}

func pick(what, name string, values []*onnx.ValueInfo) (string, error) {
	if name == "" && len(values) == 1 {
		return values[0].Name, nil
	}
	if name == "" {
		return "", fmt.Errorf("open model: it has %d %ss\nhint: set interface.%s.tensor to one of %s", len(values), what, what, listed(values))
	}
	if !slices.ContainsFunc(values, func(v *onnx.ValueInfo) bool { return v.Name == name }) {
		return "", fmt.Errorf("open model: it has no %s %q\nhint: its %ss are %s", what, name, what, listed(values))
	}
	return name, nil
}

func listed(values []*onnx.ValueInfo) string {
	s := ""
	for i, v := range values {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%q", v.Name)
	}
	return s
}

// fixedBatch is the batch that the input insists on, or 0.
func fixedBatch(file *onnx.Model, input string) int {
	for _, v := range file.Inputs() {
		if v.Name == input && v.Type != nil && len(v.Type.Shape) > 1 && v.Type.Shape[0].Fixed {
			return int(v.Type.Shape[0].Value)
		}
	}
	return 0
}

func open(ctx context.Context, file *onnx.Model, spec *Spec, opts ort.Options, fixed int) (*Model, error) {
	if spec.Domain != nil && len(spec.Domain.Features) > 0 {
		spec = clone(spec)
		fillShape(file, spec)
	}
	session, err := ort.NewSession(file.Bytes(), opts)
	if err != nil {
		return nil, err
	}
	p, width, columns, err := predictor(ctx, session, spec, fixed)
	if err != nil {
		session.Close()
		return nil, err
	}
	m, err := New(p, spec, width, columns)
	if err != nil {
		session.Close()
		return nil, err
	}
	m.raw, m.white = session, &white{file: file, folder: opts.Folder, fixed: fixed}
	if fixed > 0 {
		m.batch = fixed
	}
	return m, nil
}

func clone(s *Spec) *Spec {
	c := *s
	return &c
}

// fillShape takes the row's shape from the domain where the model leaves its one dimension open.
func fillShape(file *onnx.Model, spec *Spec) {
	if len(spec.Input.Shape) > 0 {
		return
	}
	for _, v := range file.Inputs() {
		if v.Name == spec.Input.Tensor && v.Type != nil && len(v.Type.Shape) == 2 && !v.Type.Shape[1].Fixed {
			spec.Input.Shape = []int{len(spec.Domain.Features)}
		}
	}
}

func predictor(ctx context.Context, s *ort.Session, spec *Spec, fixed int) (p Predictor, width, columns int, err error) {
	var row []int64
	for _, d := range spec.Input.Shape {
		row = append(row, int64(d))
	}
	out := s.Outputs()[0]
	if out.Type != nil && out.Type.ElemType == onnx.Float && fixed <= 1 {
		r, err := ort.NewRunner(s, row...)
		if err != nil {
			return nil, 0, 0, err
		}
		if fixed == 1 {
			return &single{r}, r.InputLen(), r.OutputLen(0), nil
		}
		return fast{r}, r.InputLen(), r.OutputLen(0), nil
	}
	g, err := newGeneral(ctx, s, row, fixed)
	if err != nil {
		return nil, 0, 0, err
	}
	return g, g.width, g.columns, nil
}

// fast hands batches through.
type fast struct{ *ort.Runner }

// Run implements Predictor.
func (f fast) Run(ctx context.Context, x []float32, n int, out []float32) error {
	return f.Runner.Run(ctx, x, n, out)
}

// single asks row by row, for models that take one row only.
type single struct{ *ort.Runner }

// Run implements Predictor.
func (s *single) Run(ctx context.Context, x []float32, n int, out []float32) error {
	w, k := s.InputLen(), s.OutputLen(0)
	for i := range n {
		if err := s.Runner.Run(ctx, x[i*w:(i+1)*w], 1, out[i*k:(i+1)*k]); err != nil {
			return err
		}
	}
	return nil
}

// sameOneByOne tells whether a batch answers as its rows do one by one.
func (m *Model) sameOneByOne(ctx context.Context) bool {
	const rows = 3
	x := m.spread(rows)
	together := make([]float32, rows*m.columns)
	if m.p.Run(ctx, x, rows, together) != nil {
		return false
	}
	alone := make([]float32, m.columns)
	for i := range rows {
		if m.p.Run(ctx, x[i*m.width:(i+1)*m.width], 1, alone) != nil {
			return false
		}
		for j, v := range alone {
			if d := math.Abs(float64(v - together[i*m.columns+j])); d > 1e-4*(1+math.Abs(float64(v))) {
				return false
			}
		}
	}
	return true
}

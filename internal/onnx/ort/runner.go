//go:build cgo

package ort

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	binding "github.com/yalue/onnxruntime_go"

	"github.com/assize/assize/internal/onnx"
)

// Runner runs batches of float32 rows through a session with one float32
// input whose first dimension is the batch, and float32 outputs. ONNX Runtime
// reads and writes the caller's slices in place; small batches are copied
// through tensors that are kept for the last few batch sizes, which is
// cheaper than binding new ones. One goroutine at a time may use a Runner;
// several Runners may share a session. Close it before the session.
type Runner struct {
	s    *Session
	row  []int64   // shape of a row
	size int       // elements of a row
	outs [][]int64 // shape of each output's row
	lens []int     // elements of each output's row
	kept []*bound  // for small batches, the last one used first
}

// The bounds of what a Runner keeps: at most keepSizes batch sizes of at most
// keepElements numbers, inputs and outputs together. Beyond that copying
// costs more than binding.
const (
	keepSizes    = 8
	keepElements = 4096
)

// bound is the tensors of one batch with the memory behind them.
type bound struct {
	n       int
	x       []float32
	y       [][]float32
	in, out []binding.Value
}

// NewRunner binds a runner to a session. Row is the shape of one row, needed
// only where the model leaves one of its dimensions open.
func NewRunner(s *Session, row ...int64) (*Runner, error) {
	fail := func(format string, a ...any) (*Runner, error) {
		return nil, fmt.Errorf("bind runner: %s", fmt.Sprintf(format, a...))
	}
	if len(s.inputs) != 1 {
		return fail("the model has %d inputs (%s), not one", len(s.inputs), names(s.inputs))
	}
	in := s.inputs[0]
	if in.Type == nil || in.Type.Kind != onnx.KindTensor || in.Type.ElemType != onnx.Float {
		return fail("input %q is not a float tensor\nhint: export the model with a float32 input", in.Name)
	}
	if len(row) == 0 {
		if len(in.Type.Shape) == 0 {
			return fail("input %q declares no batch dimension", in.Name)
		}
		if d := in.Type.Shape[0]; d.Fixed && d.Value != 1 {
			return fail("input %q fixes the batch at %d", in.Name, d.Value)
		}
		for _, d := range in.Type.Shape[1:] {
			if !d.Fixed || d.Value < 1 {
				return fail("input %q leaves a dimension of its rows open", in.Name)
			}
			row = append(row, d.Value)
		}
	}
	size, err := (&onnx.Tensor{Dims: row}).Len()
	if err != nil || size == 0 || size > 1<<30 {
		return fail("rows of shape %v", row)
	}
	r := &Runner{s: s, row: slices.Clone(row), size: int(size)}
	if err := r.learn(); err != nil {
		return nil, fmt.Errorf("bind runner: %w", err)
	}
	return r, nil
}

// learn finds the shape of each output's rows: as declared, else by a run on
// one row of zeros.
func (r *Runner) learn() error {
	var seen []*Tensor
	for i, v := range r.s.outputs {
		if v.Type == nil || v.Type.ElemType != onnx.Float {
			return fmt.Errorf("output %q is not a float tensor\nhint: choose the outputs of the session", v.Name)
		}
		var shape []int64
		if len(v.Type.Shape) > 0 {
			if n, fixed := elements(v.Type.Shape[1:]); fixed && n > 0 {
				for _, d := range v.Type.Shape[1:] {
					shape = append(shape, d.Value)
				}
				r.outs, r.lens = append(r.outs, shape), append(r.lens, n)
				continue
			}
		}
		if seen == nil {
			var err error
			x := &Tensor{Type: onnx.Float, Shape: append([]int64{1}, r.row...), Data: make([]float32, r.size)}
			if seen, err = r.s.Run(context.Background(), []*Tensor{x}); err != nil {
				return err
			}
		}
		if len(seen[i].Shape) == 0 || seen[i].Shape[0] != 1 {
			return fmt.Errorf("output %q has shape %v for one row: its first dimension is not the batch", v.Name, seen[i].Shape)
		}
		data, _ := seen[i].Data.([]float32)
		if len(data) == 0 {
			return fmt.Errorf("output %q is empty for one row", v.Name)
		}
		r.outs, r.lens = append(r.outs, seen[i].Shape[1:]), append(r.lens, len(data))
	}
	return nil
}

// InputLen returns the number of elements of an input row.
func (r *Runner) InputLen() int { return r.size }

// OutputLen returns the number of elements of a row of output i.
func (r *Runner) OutputLen(i int) int { return r.lens[i] }

// Run computes n rows: x holds n rows of InputLen, out one slice an output
// of the session with room for n rows of its OutputLen. After an error out
// holds nothing of use. When ctx ends the run is stopped at the next
// operator.
func (r *Runner) Run(ctx context.Context, x []float32, n int, out ...[]float32) (err error) {
	if n < 1 || len(x) != n*r.size {
		return fmt.Errorf("run model: got %d numbers for %d rows of %d", len(x), n, r.size)
	}
	if len(out) != len(r.lens) {
		return fmt.Errorf("run model: got %d outputs, want %d", len(out), len(r.lens))
	}
	total := len(x)
	for i, o := range out {
		if len(o) != n*r.lens[i] {
			return fmt.Errorf("run model: output %d has room for %d numbers, not for %d rows of %d", i, len(o), n, r.lens[i])
		}
		total += len(o)
	}
	if total > keepElements {
		return r.direct(ctx, x, n, out)
	}
	b, err := r.keep(n)
	if err != nil {
		return err
	}
	copy(b.x, x)
	if err := r.s.run(ctx, b.in, b.out); err != nil {
		return err
	}
	for i, y := range b.y {
		copy(out[i], y)
	}
	return nil
}

// direct runs on the caller's memory.
func (r *Runner) direct(ctx context.Context, x []float32, n int, out [][]float32) (err error) {
	// ONNX Runtime keeps the addresses until the tensors are destroyed.
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&x[0])
	for _, y := range out {
		pin.Pin(&y[0])
	}
	b := &bound{n: n, x: x, y: out}
	if err := r.bind(b); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return r.s.run(ctx, b.in, b.out)
}

// keep returns the kept tensors for batches of n rows, made where needed in
// place of those used longest ago.
func (r *Runner) keep(n int) (*bound, error) {
	if at := slices.IndexFunc(r.kept, func(b *bound) bool { return b.n == n }); at >= 0 {
		b := r.kept[at]
		copy(r.kept[1:at+1], r.kept[:at])
		r.kept[0] = b
		return b, nil
	}
	b := &bound{n: n, x: make([]float32, n*r.size)}
	for _, size := range r.lens {
		b.y = append(b.y, make([]float32, n*size))
	}
	if err := r.bind(b); err != nil {
		return nil, err
	}
	var err error
	if len(r.kept) == keepSizes {
		err = r.kept[keepSizes-1].close()
		r.kept = r.kept[:keepSizes-1]
	}
	r.kept = slices.Insert(r.kept, 0, b)
	return b, err
}

// bind makes the tensors of b over its memory.
func (r *Runner) bind(b *bound) error {
	add := func(list *[]binding.Value, row []int64, data []float32) error {
		v, err := binding.NewTensor(append([]int64{int64(b.n)}, row...), data)
		if err != nil {
			return errors.Join(fmt.Errorf("run model: %s", plain(err)), b.close())
		}
		*list = append(*list, v)
		return nil
	}
	if err := add(&b.in, r.row, b.x); err != nil {
		return err
	}
	for i, y := range b.y {
		if err := add(&b.out, r.outs[i], y); err != nil {
			return err
		}
	}
	return nil
}

// close destroys the tensors of b.
func (b *bound) close() (err error) {
	for _, v := range slices.Concat(b.in, b.out) {
		err = errors.Join(err, v.Destroy())
	}
	b.in, b.out = nil, nil
	return err
}

// Close frees what the runner keeps; the session stays open.
func (r *Runner) Close() (err error) {
	for _, b := range r.kept {
		err = errors.Join(err, b.close())
	}
	r.kept = nil
	return err
}

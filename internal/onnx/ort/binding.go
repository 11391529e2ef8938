//go:build cgo

package ort

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	binding "github.com/yalue/onnxruntime_go"

	"github.com/assize/assize/internal/onnx"
)

// Binding runs batches of rows through a session with any number of float32
// inputs and outputs, all of whose tensors have the batch as their first
// dimension. ONNX Runtime reads and writes the caller's slices in place. As
// long as a caller comes with the same slices and the same number of rows, or
// with two sets of them in turn, as an attack does step after step, the tensors over them are made once. One
// goroutine at a time may use a Binding. Close it before the session.
type Binding struct {
	s       *Session
	in, out []Port
	order   []int // by input of the session: its place in in
	size    [2][]int
	last    bound // y holds the slices of inputs and outputs
	before  bound // that which was used before last
}

// Bind checks that the ports are the inputs and the outputs of the session.
// The outputs come in the session's order, the inputs in any.
func Bind(s *Session, in, out []Port) (*Binding, error) {
	b := &Binding{s: s, in: in, out: out}
	if len(in) != len(s.inputs) || len(out) != len(s.outputs) {
		return nil, fmt.Errorf("bind session: got %d inputs and %d outputs, want %d (%s) and %d (%s)",
			len(in), len(out), len(s.inputs), names(s.inputs), len(s.outputs), names(s.outputs))
	}
	for _, v := range s.inputs {
		at := slices.IndexFunc(in, func(p Port) bool { return p.Name == v.Name })
		if at < 0 {
			return nil, fmt.Errorf("bind session: input %q is not given", v.Name)
		}
		b.order = append(b.order, at)
	}
	for i, v := range s.outputs {
		if out[i].Name != v.Name {
			return nil, fmt.Errorf("bind session: output %d is %q, not %q", i, v.Name, out[i].Name)
		}
	}
	for _, v := range slices.Concat(s.inputs, s.outputs) {
		if v.Type == nil || v.Type.Kind != onnx.KindTensor || v.Type.ElemType != onnx.Float {
			return nil, fmt.Errorf("bind session: %q is not a float tensor", v.Name)
		}
	}
	for side, ports := range [][]Port{in, out} {
		for _, p := range ports {
			n, err := (&onnx.Tensor{Dims: p.Row}).Len()
			if err != nil || n == 0 || n > 1<<30 {
				return nil, fmt.Errorf("bind session: rows of shape %v for %q", p.Row, p.Name)
			}
			b.size[side] = append(b.size[side], int(n))
		}
	}
	return b, nil
}

// Run computes n rows. In and out hold, in the order of the ports, one slice
// each with n rows. After an error out holds nothing of use. When ctx ends the
// run is stopped at the next operator.
func (b *Binding) Run(ctx context.Context, n int, in, out [][]float32) error {
	if len(in) != len(b.in) || len(out) != len(b.out) {
		return fmt.Errorf("run model: got %d inputs and %d outputs, want %d and %d", len(in), len(out), len(b.in), len(b.out))
	}
	for side, slices := range [][][]float32{in, out} {
		for i, s := range slices {
			if n < 1 || len(s) != n*b.size[side][i] {
				return fmt.Errorf("run model: got %d numbers for %d rows of %d", len(s), n, b.size[side][i])
			}
		}
	}
	if !b.bound(n, in, out) {
		b.last, b.before = b.before, b.last
	}
	if !b.bound(n, in, out) {
		if err := b.bind(n, in, out); err != nil {
			return err
		}
	}
	return b.s.run(ctx, b.last.in, b.last.out)
}

// bound tells whether the tensors of the last run are over these slices.
func (b *Binding) bound(n int, in, out [][]float32) bool {
	if b.last.n != n || len(b.last.y) != len(in)+len(out) {
		return false
	}
	for i, s := range in {
		if unsafe.SliceData(s) != unsafe.SliceData(b.last.y[i]) {
			return false
		}
	}
	for i, s := range out {
		if unsafe.SliceData(s) != unsafe.SliceData(b.last.y[len(in)+i]) {
			return false
		}
	}
	return true
}

// bind makes the tensors over these slices.
func (b *Binding) bind(n int, in, out [][]float32) error {
	if err := b.last.close(); err != nil {
		return err
	}
	b.last = bound{}
	b.last.y = slices.Concat(in, out) // keeps the memory alive as long as the tensors are over it
	add := func(list *[]binding.Value, row []int64, data []float32) error {
		v, err := binding.NewTensor(append([]int64{int64(n)}, row...), data)
		if err != nil {
			return errors.Join(fmt.Errorf("run model: %s", plain(err)), b.Close())
		}
		*list = append(*list, v)
		return nil
	}
	for _, i := range b.order {
		if err := add(&b.last.in, b.in[i].Row, in[i]); err != nil {
			return err
		}
	}
	for i, p := range b.out {
		if err := add(&b.last.out, p.Row, out[i]); err != nil {
			return err
		}
	}
	b.last.n = n
	return nil
}

// Close lets go of the caller's slices; the session stays open. A Binding can
// be used again after it.
func (b *Binding) Close() error {
	err := errors.Join(b.last.close(), b.before.close())
	b.last, b.before = bound{}, bound{}
	return err
}

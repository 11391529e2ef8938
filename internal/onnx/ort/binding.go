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
// with a few sets of them in turn, as an attack does step after step, the tensors over them are made once. One
// goroutine at a time may use a Binding. Close it before the session.
type Binding struct {
	s       *Session
	in, out []Port
	order   []int // by input of the session: its place in in
	size    [2][]int
	kept    []*bound // the last one used first; y holds the slices of inputs and outputs
}

// turns is how many sets of slices a Binding keeps tensors over.
const turns = 4

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
	at := slices.IndexFunc(b.kept, func(k *bound) bool { return k.over(n, in, out) })
	if at < 0 {
		return b.bind(ctx, n, in, out)
	}
	k := b.kept[at]
	copy(b.kept[1:at+1], b.kept[:at])
	b.kept[0] = k
	return b.s.run(ctx, k.in, k.out)
}

// over tells whether the tensors are over these slices.
func (k *bound) over(n int, in, out [][]float32) bool {
	if k.n != n || len(k.y) != len(in)+len(out) {
		return false
	}
	for i, s := range in {
		if unsafe.SliceData(s) != unsafe.SliceData(k.y[i]) {
			return false
		}
	}
	for i, s := range out {
		if unsafe.SliceData(s) != unsafe.SliceData(k.y[len(in)+i]) {
			return false
		}
	}
	return true
}

// bind makes the tensors over these slices, in place of those used longest ago, and runs.
func (b *Binding) bind(ctx context.Context, n int, in, out [][]float32) error {
	if len(b.kept) == turns {
		err := b.kept[turns-1].close()
		if b.kept = b.kept[:turns-1]; err != nil {
			return err
		}
	}
	k := &bound{n: n, y: slices.Concat(in, out)} // y keeps the memory alive as long as the tensors are over it
	add := func(list *[]binding.Value, row []int64, data []float32) error {
		v, err := binding.NewTensor(append([]int64{int64(n)}, row...), data)
		if err != nil {
			return errors.Join(fmt.Errorf("run model: %s", plain(err)), k.close())
		}
		*list = append(*list, v)
		return nil
	}
	for _, i := range b.order {
		if err := add(&k.in, b.in[i].Row, in[i]); err != nil {
			return err
		}
	}
	for i, p := range b.out {
		if err := add(&k.out, p.Row, out[i]); err != nil {
			return err
		}
	}
	b.kept = slices.Insert(b.kept, 0, k)
	return b.s.run(ctx, k.in, k.out)
}

// Close lets go of the caller's slices; the session stays open. A Binding can
// be used again after it.
func (b *Binding) Close() (err error) {
	for _, k := range b.kept {
		err = errors.Join(err, k.close())
	}
	b.kept = nil
	return err
}

package availability

import (
	"math"
	"slices"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
)

// group says what is wrong with a case, and so what to think of an answer to it.
type group int

const (
	control group = iota // nothing is wrong: it must be answered
	form                 // shape or type
	missing              // a value is not a number
	value                // infinities and extreme numbers
	load                 // very many rows, or none
	outside              // numbers that the domain rules out
)

// malformedCase is one input. build returns nil where the target has nothing
// that could be malformed in this way.
type malformedCase struct {
	name  string
	group group
	build func(*input) *ort.Tensor
}

// input is what cases are made from: a well-formed row and the form of the model's input.
type input struct {
	row      []float32
	shape    []int64 // of a row, without the batch
	double   bool    // the model takes float64
	dom      *domain.Domain
	maxBytes int // of the largest batch
}

func newInput(m *model.Model, dom *domain.Domain, maxBytes int) *input {
	in := &input{shape: m.InputShape(), double: m.InputType() == onnx.Double, dom: dom, maxBytes: maxBytes}
	in.row = wellFormed(dom, m.Width())
	return in
}

// wellFormed is a row of the domain: near the middle of its ranges, else near
// one end. Without a domain it is zeros.
func wellFormed(dom *domain.Domain, width int) []float32 {
	row := make([]float32, width)
	if dom == nil {
		return row
	}
	for _, at := range []float64{0.5, 0.25, 0.75, 0, 1} {
		for i, f := range dom.Features() {
			row[i] = float32(f.Min + at*(f.Max-f.Min))
		}
		if dom.Project(row, nil) {
			return row
		}
	}
	return row
}

// tensor is rows of the model's own type in this shape.
func (in *input) tensor(shape []int64, x []float32) *ort.Tensor {
	if !in.double {
		return model.FloatTensor(shape, x)
	}
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	return &ort.Tensor{Type: onnx.Double, Shape: shape, Data: wide}
}

func (in *input) batch(n int64) []int64 { return append([]int64{n}, in.shape...) }

func (in *input) one(x []float32) *ort.Tensor { return in.tensor(in.batch(1), x) }

// with is the well-formed row after a change.
func (in *input) with(change func(x []float32)) *ort.Tensor {
	x := slices.Clone(in.row)
	change(x)
	return in.one(x)
}

func wellFormedRow(in *input) *ort.Tensor { return in.one(in.row) }

// wider changes the last dimension of the shape by so many.
func wider(by int64) func(*input) *ort.Tensor {
	return func(in *input) *ort.Tensor {
		shape := in.batch(1)
		last := len(shape) - 1
		n := int64(len(in.row)) / max(1, shape[last])
		shape[last] = max(0, shape[last]+by)
		return in.tensor(shape, make([]float32, n*shape[last]))
	}
}

// ranked gives the row another number of dimensions; where that number is the right one, four or five.
func ranked(rank int) func(*input) *ort.Tensor {
	return func(in *input) *ort.Tensor {
		right := len(in.shape) + 1
		if rank == right {
			rank = 4
		}
		if rank == 0 {
			return in.tensor([]int64{}, []float32{in.row[0]})
		}
		shape := slices.Repeat([]int64{1}, rank)
		shape[rank-1] = int64(len(in.row))
		return in.tensor(shape, slices.Clone(in.row))
	}
}

func typed[T any](typ onnx.DataType, of func(v float32) T) func(*input) *ort.Tensor {
	return func(in *input) *ort.Tensor {
		data := make([]T, len(in.row))
		for i, v := range in.row {
			data[i] = of(v)
		}
		return &ort.Tensor{Type: typ, Shape: in.batch(1), Data: data}
	}
}

// otherFloat is the row in the width of float that the model does not take.
func otherFloat(in *input) *ort.Tensor {
	other := *in
	other.double = !in.double
	return other.one(slices.Clone(in.row))
}

// every sets all values; values repeat in turn.
func every(values ...float32) func(*input) *ort.Tensor {
	return func(in *input) *ort.Tensor {
		return in.with(func(x []float32) {
			for i := range x {
				x[i] = values[i%len(values)]
			}
		})
	}
}

// first sets the first value alone.
func first(v float32) func(*input) *ort.Tensor {
	return func(in *input) *ort.Tensor { return in.with(func(x []float32) { x[0] = v }) }
}

// rowsOf is n well-formed rows.
func rowsOf(n int) func(*input) *ort.Tensor {
	return func(in *input) *ort.Tensor {
		return in.tensor(in.batch(int64(n)), slices.Repeat(in.row, n))
	}
}

// sharedBytes is a batch of that share of the largest.
func sharedBytes(share int) func(*input) *ort.Tensor {
	return func(in *input) *ort.Tensor {
		size := 4
		if in.double {
			size = 8
		}
		return rowsOf(max(3, in.maxBytes/share/(size*len(in.row))))(in)
	}
}

// beyond moves every value, or only the first, past an end of its range by the width of it.
func beyond(below, all bool) func(*input) *ort.Tensor {
	return func(in *input) *ort.Tensor {
		if in.dom == nil {
			return nil
		}
		return in.with(func(x []float32) {
			for i, f := range in.dom.Features() {
				if x[i] = float32(f.Max + in.dom.Scale()[i]); below {
					x[i] = float32(f.Min - in.dom.Scale()[i])
				}
				if !all {
					return
				}
			}
		})
	}
}

// fraction puts a half beside the whole number of the first feature that takes whole numbers.
func fraction(in *input) *ort.Tensor {
	if in.dom == nil {
		return nil
	}
	for i, f := range in.dom.Features() {
		if f.Type != domain.Real && f.Group == "" && f.Max > f.Min {
			return in.with(func(x []float32) {
				if x[i] += 0.5; float64(x[i]) > f.Max {
					x[i]--
				}
			})
		}
	}
	return nil
}

// oneHot sets every member of the first one-hot group.
func oneHot(v float32) func(*input) *ort.Tensor {
	return func(in *input) *ort.Tensor {
		if in.dom == nil {
			return nil
		}
		name := ""
		t := in.with(func(x []float32) {
			for i, f := range in.dom.Features() {
				if f.Group != "" && (name == "" || f.Group == name) {
					name, x[i] = f.Group, v
				}
			}
		})
		if name == "" {
			return nil
		}
		return t
	}
}

// cases is every case, by its number. Numbers are kept: new cases go to the end.
func cases() []malformedCase {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	return []malformedCase{
		{"a well-formed row", control, wellFormedRow},
		{"a row one value short", form, wider(-1)},
		{"a row one value long", form, wider(1)},
		{"a row of no values", form, wider(math.MinInt32)},
		{"a single number instead of rows", form, ranked(0)},
		{"one dimension", form, ranked(1)},
		{"two dimensions, or four where two are right", form, ranked(2)},
		{"three dimensions, or four where three are right", form, ranked(3)},
		{"five dimensions, or four where five are right", form, ranked(5)},
		{"the other width of float", form, otherFloat},
		{"64-bit whole numbers", form, typed(onnx.Int64, func(v float32) int64 { return int64(v) })},
		{"bytes", form, typed(onnx.Uint8, func(v float32) uint8 { return uint8(int(v)) })},
		{"text", form, typed(onnx.String, func(float32) string { return "1e999'; --\x00" })},
		{"truth values", form, typed(onnx.Bool, func(v float32) bool { return v > 0 })},
		{"one NaN", missing, first(nan)},
		{"NaN in every value", missing, every(nan)},
		{"one positive infinity", value, first(inf)},
		{"one negative infinity", value, first(-inf)},
		{"infinities of both signs", value, every(inf, -inf)},
		{"denormal numbers", value, every(math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32)},
		{"the largest float32 in every value", value, every(math.MaxFloat32)},
		{"the lowest float32 in every value", value, every(-math.MaxFloat32)},
		{"the largest and lowest float32 in turn", value, every(math.MaxFloat32, -math.MaxFloat32)},
		{"negative zero in every value", value, every(float32(math.Copysign(0, -1)))},
		{"no rows", load, rowsOf(0)},
		{"two rows", load, rowsOf(2)},
		{"a batch a sixteenth of the largest", load, sharedBytes(16)},
		{"a batch a quarter of the largest", load, sharedBytes(4)},
		{"the largest batch", load, sharedBytes(1)},
		{"every value above its range", outside, beyond(false, true)},
		{"every value below its range", outside, beyond(true, true)},
		{"one value above its range", outside, beyond(false, false)},
		{"a fraction where only whole numbers occur", outside, fraction},
		{"every member of a one-hot group set", outside, oneHot(1)},
		{"no member of a one-hot group set", outside, oneHot(0)},
	}
}

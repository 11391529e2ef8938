//go:build cgo

package ort

import (
	"errors"
	"fmt"
	"slices"

	binding "github.com/yalue/onnxruntime_go"

	"github.com/assize/assize/internal/onnx"
)

// toValue wraps a tensor for ONNX Runtime, without a copy except for strings.
func toValue(t *Tensor) (binding.Value, error) {
	if t == nil {
		return nil, errors.New("no tensor given")
	}
	count, err := (&onnx.Tensor{Dims: t.Shape}).Len()
	if err != nil {
		return nil, err
	}
	switch data := t.Data.(type) {
	case []float32:
		return wrap(t, onnx.Float, count, data)
	case []float64:
		return wrap(t, onnx.Double, count, data)
	case []int8:
		return wrap(t, onnx.Int8, count, data)
	case []int16:
		return wrap(t, onnx.Int16, count, data)
	case []int32:
		return wrap(t, onnx.Int32, count, data)
	case []int64:
		return wrap(t, onnx.Int64, count, data)
	case []uint16:
		return wrap(t, onnx.Uint16, count, data)
	case []uint32:
		return wrap(t, onnx.Uint32, count, data)
	case []uint64:
		return wrap(t, onnx.Uint64, count, data)
	case []bool:
		return wrap(t, onnx.Bool, count, data)
	case []string:
		return wrapStrings(t, count, data)
	case []byte:
		if t.Type == onnx.Uint8 {
			return wrap(t, onnx.Uint8, count, data)
		}
		want := (count*t.Type.Bits() + 7) / 8
		if t.Type.Bits() == 0 || int64(len(data)) != want {
			return nil, fmt.Errorf("%d bytes are not %d elements of %v", len(data), count, t.Type)
		}
		return binding.NewCustomDataTensor(t.Shape, data, binding.TensorElementDataType(t.Type))
	}
	return nil, fmt.Errorf("data of type %T", t.Data)
}

func wrap[T binding.TensorData](t *Tensor, fits onnx.DataType, count int64, data []T) (binding.Value, error) {
	if t.Type != fits {
		return nil, fmt.Errorf("the tensor says %v and holds %v", t.Type, fits)
	}
	if int64(len(data)) != count {
		return nil, fmt.Errorf("shape %v takes %d elements, the tensor holds %d", t.Shape, count, len(data))
	}
	if len(t.Shape) == 0 {
		return binding.NewScalar(data[0])
	}
	return binding.NewTensor(t.Shape, data)
}

func wrapStrings(t *Tensor, count int64, data []string) (binding.Value, error) {
	if int64(len(data)) != count || len(t.Shape) == 0 || t.Type != onnx.String {
		return nil, fmt.Errorf("%d strings do not fit shape %v of %v", len(data), t.Shape, t.Type)
	}
	v, err := binding.NewStringTensor(t.Shape)
	if err != nil {
		return nil, err
	}
	if err := v.SetContents(data); err != nil {
		v.Destroy()
		return nil, err
	}
	return v, nil
}

// allocate makes the outputs that the binding cannot make itself: one
// number, and elements without a Go type. It returns nil for the others.
func allocate(v *onnx.ValueInfo) (binding.Value, error) {
	if v.Type == nil || !v.Type.HasShape {
		return nil, nil
	}
	elem := v.Type.ElemType
	if len(v.Type.Shape) == 0 {
		return scalar(elem)
	}
	if elem != onnx.Float16 && elem != onnx.BFloat16 {
		return nil, nil
	}
	n, fixed := elements(v.Type.Shape)
	if !fixed || n == 0 {
		return nil, errors.New("float16 of a shape that the model leaves open cannot be read; hint: cast the output to float")
	}
	shape := make([]int64, len(v.Type.Shape))
	for i, d := range v.Type.Shape {
		shape[i] = d.Value
	}
	return binding.NewCustomDataTensor(shape, make([]byte, 2*n), binding.TensorElementDataType(elem))
}

func scalar(elem onnx.DataType) (binding.Value, error) {
	switch elem {
	case onnx.Float:
		return binding.NewEmptyScalar[float32]()
	case onnx.Double:
		return binding.NewEmptyScalar[float64]()
	case onnx.Int8:
		return binding.NewEmptyScalar[int8]()
	case onnx.Int16:
		return binding.NewEmptyScalar[int16]()
	case onnx.Int32:
		return binding.NewEmptyScalar[int32]()
	case onnx.Int64:
		return binding.NewEmptyScalar[int64]()
	case onnx.Uint8:
		return binding.NewEmptyScalar[uint8]()
	case onnx.Uint16:
		return binding.NewEmptyScalar[uint16]()
	case onnx.Uint32:
		return binding.NewEmptyScalar[uint32]()
	case onnx.Uint64:
		return binding.NewEmptyScalar[uint64]()
	case onnx.Bool:
		return binding.NewEmptyScalar[bool]()
	}
	return nil, fmt.Errorf("one number of type %v cannot be read", elem)
}

// fromValue takes the data out of a value; they stay valid when the value is
// destroyed.
func fromValue(v binding.Value) (*Tensor, error) {
	switch v := v.(type) {
	case *binding.Tensor[float32]:
		return dense(v, onnx.Float), nil
	case *binding.Tensor[float64]:
		return dense(v, onnx.Double), nil
	case *binding.Tensor[int8]:
		return dense(v, onnx.Int8), nil
	case *binding.Tensor[int16]:
		return dense(v, onnx.Int16), nil
	case *binding.Tensor[int32]:
		return dense(v, onnx.Int32), nil
	case *binding.Tensor[int64]:
		return dense(v, onnx.Int64), nil
	case *binding.Tensor[uint8]:
		return dense(v, onnx.Uint8), nil
	case *binding.Tensor[uint16]:
		return dense(v, onnx.Uint16), nil
	case *binding.Tensor[uint32]:
		return dense(v, onnx.Uint32), nil
	case *binding.Tensor[uint64]:
		return dense(v, onnx.Uint64), nil
	case *binding.Tensor[bool]:
		return dense(v, onnx.Bool), nil
	case *binding.Scalar[float32]:
		return single(v, onnx.Float), nil
	case *binding.Scalar[float64]:
		return single(v, onnx.Double), nil
	case *binding.Scalar[int8]:
		return single(v, onnx.Int8), nil
	case *binding.Scalar[int16]:
		return single(v, onnx.Int16), nil
	case *binding.Scalar[int32]:
		return single(v, onnx.Int32), nil
	case *binding.Scalar[int64]:
		return single(v, onnx.Int64), nil
	case *binding.Scalar[uint8]:
		return single(v, onnx.Uint8), nil
	case *binding.Scalar[uint16]:
		return single(v, onnx.Uint16), nil
	case *binding.Scalar[uint32]:
		return single(v, onnx.Uint32), nil
	case *binding.Scalar[uint64]:
		return single(v, onnx.Uint64), nil
	case *binding.Scalar[bool]:
		return single(v, onnx.Bool), nil
	case *binding.CustomDataTensor:
		return &Tensor{Type: onnx.DataType(v.DataType()), Shape: v.GetShape(), Data: slices.Clone(v.GetData())}, nil
	case *binding.StringTensor:
		texts, err := v.GetContents()
		return &Tensor{Type: onnx.String, Shape: v.GetShape(), Data: texts}, err
	}
	return nil, fmt.Errorf("a value of kind %v is not a tensor", v.GetONNXType())
}

func dense[T binding.TensorData](v *binding.Tensor[T], typ onnx.DataType) *Tensor {
	return &Tensor{Type: typ, Shape: v.GetShape(), Data: v.GetData()}
}

func single[T binding.TensorData](v *binding.Scalar[T], typ onnx.DataType) *Tensor {
	return &Tensor{Type: typ, Shape: []int64{}, Data: []T{v.GetData()}}
}

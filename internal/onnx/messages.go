package onnx

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The functions of this file decode one message each; the field numbers are
// those of onnx-ml.proto (IR version 13).

func (d *decoder) model(b []byte) (*Model, error) {
	m := &Model{}
	var err error
	m.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return integer(&m.IRVersion, f)
		case 2:
			return text(&m.Producer, f)
		case 3:
			return text(&m.ProducerVersion, f)
		case 4:
			return text(&m.Domain, f)
		case 5:
			return integer(&m.Version, f)
		case 6:
			return text(&m.Doc, f)
		case 7:
			return one(&m.Graph, f, "graph", d.graph)
		case 8:
			return many(&m.Opsets, f, "opset import", d.opset)
		case 14:
			return many(&m.Metadata, f, "metadata", d.entry)
		case 20:
			return many(&m.Training, f, "training info", d.training)
		case 25:
			return many(&m.Functions, f, "function", d.function)
		}
		return false, nil
	})
	if err == nil && m.Graph == nil {
		err = errors.New("no graph in it")
	}
	return m, err
}

func (d *decoder) opset(b []byte) (o Opset, err error) {
	o.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return text(&o.Domain, f)
		case 2:
			return integer(&o.Version, f)
		}
		return false, nil
	})
	return o, err
}

func (d *decoder) entry(b []byte) (e Entry, err error) {
	e.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return text(&e.Key, f)
		case 2:
			return text(&e.Value, f)
		}
		return false, nil
	})
	return e, err
}

func (d *decoder) training(b []byte) (*Training, error) {
	t := &Training{}
	var err error
	t.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return one(&t.Initialization, f, "initialization", d.graph)
		case 2:
			return one(&t.Algorithm, f, "algorithm", d.graph)
		}
		return false, nil
	})
	return t, err
}

func (d *decoder) graph(b []byte) (*Graph, error) {
	g := &Graph{}
	var err error
	g.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return many(&g.Nodes, f, "node", d.node)
		case 2:
			return text(&g.Name, f)
		case 5:
			return many(&g.Initializers, f, "initializer", d.tensor)
		case 10:
			return text(&g.Doc, f)
		case 11:
			return many(&g.Inputs, f, "input", d.valueInfo)
		case 12:
			return many(&g.Outputs, f, "output", d.valueInfo)
		case 13:
			return many(&g.ValueInfos, f, "value info", d.valueInfo)
		case 15:
			return many(&g.SparseInitializers, f, "sparse initializer", d.sparse)
		case 16:
			return many(&g.Metadata, f, "metadata", d.entry)
		}
		return false, nil
	})
	return g, err
}

func (d *decoder) function(b []byte) (*Function, error) {
	fn := &Function{}
	var err error
	fn.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return text(&fn.Name, f)
		case 4:
			return texts(&fn.Inputs, f)
		case 5:
			return texts(&fn.Outputs, f)
		case 6:
			return texts(&fn.AttributeNames, f)
		case 7:
			return many(&fn.Nodes, f, "node", d.node)
		case 8:
			return text(&fn.Doc, f)
		case 9:
			return many(&fn.Opsets, f, "opset import", d.opset)
		case 10:
			return text(&fn.Domain, f)
		case 11:
			return many(&fn.Attributes, f, "attribute", d.attribute)
		case 12:
			return many(&fn.ValueInfos, f, "value info", d.valueInfo)
		case 13:
			return text(&fn.Overload, f)
		case 14:
			return many(&fn.Metadata, f, "metadata", d.entry)
		}
		return false, nil
	})
	return fn, err
}

func (d *decoder) node(b []byte) (*Node, error) {
	n := &Node{}
	var err error
	n.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return texts(&n.Inputs, f)
		case 2:
			return texts(&n.Outputs, f)
		case 3:
			return text(&n.Name, f)
		case 4:
			return text(&n.OpType, f)
		case 5:
			return many(&n.Attributes, f, "attribute", d.attribute)
		case 6:
			return text(&n.Doc, f)
		case 7:
			return text(&n.Domain, f)
		case 8:
			return text(&n.Overload, f)
		case 9:
			return many(&n.Metadata, f, "metadata", d.entry)
		}
		return false, nil
	})
	return n, err
}

func (d *decoder) attribute(b []byte) (*Attribute, error) {
	a := &Attribute{}
	var err error
	a.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return text(&a.Name, f)
		case 2:
			if f.typ != protowire.Fixed32Type {
				return false, nil
			}
			a.Float = math.Float32frombits(uint32(f.u))
			return true, nil
		case 3:
			return integer(&a.Int, f)
		case 4:
			return blob(&a.String, f)
		case 5:
			return one(&a.Tensor, f, "tensor", d.tensor)
		case 6:
			return one(&a.Graph, f, "graph", d.graph)
		case 7:
			return floats(&a.Floats, f)
		case 8:
			return integers(&a.Ints, f)
		case 9:
			return blobs(&a.Strings, f)
		case 10:
			return many(&a.Tensors, f, "tensor", d.tensor)
		case 11:
			return many(&a.Graphs, f, "graph", d.graph)
		case 13:
			return text(&a.Doc, f)
		case 14:
			return one(&a.TypeValue, f, "type", d.typ)
		case 15:
			return many(&a.Types, f, "type", d.typ)
		case 20:
			return integer(&a.Type, f)
		case 21:
			return text(&a.RefName, f)
		case 22:
			return one(&a.Sparse, f, "sparse tensor", d.sparse)
		case 23:
			return many(&a.Sparses, f, "sparse tensor", d.sparse)
		}
		return false, nil
	})
	if err != nil && a.Name != "" {
		err = fmt.Errorf("%q: %w", a.Name, err)
	}
	return a, err
}

func (d *decoder) sparse(b []byte) (*SparseTensor, error) {
	s := &SparseTensor{}
	var err error
	s.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return one(&s.Values, f, "values", d.tensor)
		case 2:
			return one(&s.Indices, f, "indices", d.tensor)
		case 3:
			return integers(&s.Dims, f)
		}
		return false, nil
	})
	return s, err
}

func (d *decoder) tensor(b []byte) (*Tensor, error) {
	t := &Tensor{}
	var err error
	t.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return integers(&t.Dims, f)
		case 2:
			return integer(&t.Type, f)
		case inFloat, inInt32, inInt64, inDouble, inUint64:
			return t.typed(f, d.skimmed)
		case 6:
			return blobs(&t.Texts, f)
		case 8:
			return text(&t.Name, f)
		case 9:
			t.HasRaw = t.HasRaw || f.typ == protowire.BytesType
			if d.skimmed && f.typ == protowire.BytesType {
				t.RawAt, err = reference(f.b)
				return true, err
			}
			return blob(&t.Raw, f)
		case 12:
			return text(&t.Doc, f)
		case 13:
			return many(&t.External, f, "external data", d.entry)
		case 14:
			return integer(&t.Location, f)
		case 16:
			return many(&t.Metadata, f, "metadata", d.entry)
		}
		return false, nil
	})
	if err != nil && t.Name != "" {
		err = fmt.Errorf("%q: %w", t.Name, err)
	}
	return t, err
}

// typed collects the elements of a typed data field in packed form. A single
// packed field, which is what exporters write, is aliased.
func (t *Tensor) typed(f field, skimmed bool) (bool, error) {
	if t.DataIn != 0 && t.DataIn != int32(f.num) {
		return false, fmt.Errorf("data in both field %d and field %d", t.DataIn, f.num)
	}
	element := protowire.VarintType
	switch f.num {
	case inFloat:
		element = protowire.Fixed32Type
	case inDouble:
		element = protowire.Fixed64Type
	}
	data, size := f.b, int64(len(f.b))
	if skimmed = skimmed && f.typ == protowire.BytesType && element != protowire.VarintType; skimmed {
		at, err := reference(f.b)
		if err != nil {
			return false, err
		}
		if size = at.Len(); t.PackedBytes == 0 {
			t.PackedAt = at
		}
	}
	switch {
	case f.typ == protowire.BytesType && element == protowire.Fixed32Type && size%4 != 0,
		f.typ == protowire.BytesType && element == protowire.Fixed64Type && size%8 != 0,
		f.typ == protowire.BytesType && element == protowire.VarintType && len(f.b) > 0 && f.b[len(f.b)-1] >= 0x80:
		return false, fmt.Errorf("field %d ends inside a number", f.num)
	case f.typ == protowire.BytesType:
	case f.typ != element:
		return false, nil
	case f.typ == protowire.VarintType:
		data = protowire.AppendVarint(nil, f.u)
	case f.typ == protowire.Fixed32Type:
		data = protowire.AppendFixed32(nil, uint32(f.u))
	case f.typ == protowire.Fixed64Type:
		data = protowire.AppendFixed64(nil, f.u)
	}
	t.DataIn = int32(f.num)
	if skimmed {
		t.PackedBytes += size
		return true, nil
	}
	if t.Data == nil {
		t.Data = data[:len(data):len(data)] // a later append must not write into the file's bytes
	} else {
		t.Data = append(t.Data, data...)
	}
	return true, nil
}

package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

func (d *decoder) valueInfo(b []byte) (*ValueInfo, error) {
	v := &ValueInfo{}
	var err error
	v.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			return text(&v.Name, f)
		case 2:
			return one(&v.Type, f, "type", d.typ)
		case 3:
			return text(&v.Doc, f)
		case 4:
			return many(&v.Metadata, f, "metadata", d.entry)
		}
		return false, nil
	})
	if err != nil && v.Name != "" {
		err = fmt.Errorf("%q: %w", v.Name, err)
	}
	return v, err
}

// kinds are the numbers of TypeProto's one-of fields.
var kinds = map[protowire.Number]Kind{1: KindTensor, 4: KindSequence, 5: KindMap, 7: KindOpaque, 8: KindSparse, 9: KindOptional}

func (d *decoder) typ(b []byte) (*Type, error) {
	t := &Type{}
	var err error
	t.Unknown, err = d.fields(b, func(f field) (bool, error) {
		if f.num == 6 {
			return text(&t.Denotation, f)
		}
		kind, known := kinds[f.num]
		if !known || f.typ != protowire.BytesType {
			return false, nil
		}
		if t.Kind != KindNone {
			return false, fmt.Errorf("a type is both %s and %s", t.Kind, kind)
		}
		t.Kind = kind
		t.UnknownInner, err = d.fields(f.b, func(f field) (bool, error) { return d.inner(t, f) })
		return true, err
	})
	return t, err
}

// inner takes one field of TypeProto.Tensor, Sequence, Map, ….
func (d *decoder) inner(t *Type, f field) (bool, error) {
	switch {
	case t.Kind == KindOpaque && f.num == 1:
		return text(&t.Domain, f)
	case t.Kind == KindOpaque && f.num == 2:
		return text(&t.Name, f)
	case t.Kind == KindOpaque:
		return false, nil
	case t.Kind == KindMap && f.num == 1:
		return integer(&t.KeyType, f)
	case t.Kind == KindMap && f.num == 2, (t.Kind == KindSequence || t.Kind == KindOptional) && f.num == 1:
		return one(&t.Elem, f, "element type", d.typ)
	case (t.Kind == KindTensor || t.Kind == KindSparse) && f.num == 1:
		return integer(&t.ElemType, f)
	case (t.Kind == KindTensor || t.Kind == KindSparse) && f.num == 2 && f.typ == protowire.BytesType:
		if t.HasShape {
			return false, fmt.Errorf("shape occurs twice")
		}
		t.HasShape = true
		var err error
		t.UnknownShape, err = d.fields(f.b, func(f field) (bool, error) {
			if f.num != 1 {
				return false, nil
			}
			return many(&t.Shape, f, "dimension", d.dim)
		})
		return true, err
	}
	return false, nil
}

func (d *decoder) dim(b []byte) (dim Dim, err error) {
	dim.Unknown, err = d.fields(b, func(f field) (bool, error) {
		switch f.num {
		case 1:
			if f.typ == protowire.VarintType {
				dim.Fixed, dim.Param = true, ""
			}
			return integer(&dim.Value, f)
		case 2:
			if f.typ == protowire.BytesType {
				dim.Fixed, dim.Value = false, 0
			}
			return text(&dim.Param, f)
		case 3:
			return text(&dim.Denotation, f)
		}
		return false, nil
	})
	return dim, err
}

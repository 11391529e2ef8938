package onnxfile

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
	"github.com/assize/assize/internal/scan/window"
)

// maxModels is how many models beside a data file are asked.
const maxModels = 16

// Data reads files with the weights of a model that lies beside them. They have no
// mark of their own; what no model beside them refers to is unread, zeros apart.
type Data struct{}

// Name implements scan.Format.
func (Data) Name() string { return "onnx-data" }

func models(in *scan.Input) []string {
	var list []string
	for _, name := range in.Siblings(".onnx") {
		if name != filepath.Base(in.Path) && len(list) < maxModels {
			list = append(list, name)
		}
	}
	return list
}

// Sniff implements scan.Format.
func (Data) Sniff(_ []byte, in *scan.Input) scan.Confidence {
	if len(models(in)) > 0 {
		return scan.Possible
	}
	return scan.No
}

// reference is a range of a file that a tensor refers to. A negative length is unknown.
type reference struct{ offset, length int64 }

// Of one model, so many references are kept while its folder is scanned, with file
// names of so many bytes in all.
const (
	maxReferences = 100_000
	maxNames      = 4 << 20
)

// Scan implements scan.Format.
func (Data) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	var used extent.Set
	for _, name := range models(in) {
		v, err := in.Beside("onnx data of "+name, func() (any, error) { return references(ctx, in, out, name) })
		if err != nil {
			return err
		}
		files, _ := v.(map[string][]reference)
		for _, r := range files[filepath.Base(in.Path)] {
			if r.offset <= in.Size && r.length >= 0 && r.length <= in.Size-r.offset {
				used.Add(r.offset, r.offset+r.length, extent.Opaque)
			}
		}
	}
	if used.Len() == 0 {
		return scan.ErrOther
	}
	sum := used.Sum(0, in.Size)
	for _, g := range sum.Gaps {
		if zero, err := zeros(ctx, in, out, g); err != nil {
			return err
		} else if zero {
			out.Structured(g.From, g.Len())
		}
	}
	at := int64(0)
	for _, g := range append(sum.Gaps, extent.Range{From: in.Size, To: in.Size}) {
		out.Opaque(at, g.From-at)
		at = g.To
	}
	return nil
}

// references are the bytes that tensors of one model refer to, by the file's name.
// What is wrong with the model is said of the model.
func references(ctx context.Context, in *scan.Input, out *scan.Sink, name string) (map[string][]reference, error) {
	files := map[string][]reference{}
	f, size, err := in.Sibling(name)
	if err != nil {
		return files, nil
	}
	defer f.Close()
	s, free, err := skim(ctx, f, size, out)
	defer free()
	var p *scan.Problem
	if errors.As(err, &p) || ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		return files, nil
	}
	count, names := 0, 0
	Inspect(f, s, func(Note) {}, func(_ string, t *onnx.Tensor) {
		alone := onnx.Model{Graph: &onnx.Graph{Initializers: []*onnx.Tensor{t}}}
		ref := alone.ExternalData()[0]
		file := filepath.Clean(ref.Location)
		if _, ok := files[file]; !ok {
			names += len(file)
		}
		if count++; ref.Problem != "" || filepath.Base(file) != file || count > maxReferences || names > maxNames {
			return
		}
		n := ref.Length
		if elements, err := t.Len(); n < 0 && err == nil && t.Type.Bits() > 0 && elements < 1<<50 {
			n = (elements*t.Type.Bits() + 7) / 8
		}
		file = strings.Clone(file) // not the model's bytes with it
		files[file] = append(files[file], reference{ref.Offset, n})
	})
	return files, nil
}

// zeros tells whether a range holds nothing but zeros.
func zeros(ctx context.Context, in *scan.Input, out *scan.Sink, g extent.Range) (bool, error) {
	r := window.New(in, g.From, g.To)
	for r.Left() > 0 {
		if err := out.Spend(ctx, 64<<10); err != nil {
			return false, err
		}
		b := r.Peek(64 << 10)
		if len(b) == 0 || strings.Trim(string(b), "\x00") != "" {
			return false, nil
		}
		r.Skip(uint64(len(b)))
	}
	return true, nil
}

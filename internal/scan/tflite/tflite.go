// Package tflite reads TensorFlow Lite models, which are FlatBuffers: every offset is
// checked, every byte accounted for, and what a model can do is told by its operators.
// An archive with labels and the like behind the buffer is how metadata are kept
// (TensorFlow Lite Support 0.4); it is read as an archive.
package tflite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/flatbuf"
	"github.com/assize/assize/internal/scan/zipfile"
)

//go:embed data/schema.txt
var lists embed.FS

// Format reads TensorFlow Lite models.
type Format struct{}

// Name implements scan.Format.
func (Format) Name() string { return "tflite" }

// Sniff implements scan.Format. The archive behind a model is of no other reader's business.
func (Format) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if zipfile.Behind(head) {
		return scan.Sure
	}
	return scan.No
}

// maxBytes is where FlatBuffers end; larger models keep their data behind the buffer.
const maxBytes = 1<<31 - 1

// Scan implements scan.Format.
func (Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	start, err := zipfile.Start(ctx, in, out)
	if err != nil {
		return err
	}
	end := in.Size
	if start > 0 {
		end = start
	}
	err = model(ctx, in, out, end)
	if end == in.Size {
		return err
	}
	var p *scan.Problem
	if errors.As(err, &p) {
		out.Incomplete(p)
	} else if err != nil {
		return err
	}
	return zipfile.ScanFrom(ctx, in, out, end)
}

// model reads the buffer, which ends there.
func model(ctx context.Context, in *scan.Input, out *scan.Sink, end int64) error {
	if end > maxBytes {
		return scan.Problemf("tflite/data-behind", 0, "%d bytes: data behind a buffer of more than 2 GiB are not read", end)
	}
	tables, builtin, err := schema()
	if err != nil {
		return err
	}
	root, err := flatbuf.ReadMarked(ctx, in, out, 0, end, tables, "Model", "tflite", "TFL3")
	if err != nil {
		return err
	}
	j := &judge{ctx: ctx, in: in, out: out, builtin: builtin}
	return j.model(root)
}

// schema reads the tables and the names of operators.
func schema() (flatbuf.Schema, []string, error) {
	b, err := lists.ReadFile("data/schema.txt")
	if err != nil {
		return nil, nil, fmt.Errorf("read rules: %w", err)
	}
	tables, builtin := flatbuf.Schema{}, []string(nil)
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(line)
		if words[0] == "builtin" {
			builtin = words[1:]
			continue
		}
		var fields []flatbuf.Field
		for _, word := range words[1:] {
			fields = append(fields, field(word))
		}
		tables[words[0]] = fields
	}
	return tables, builtin, nil
}

// field is what one word of the list says.
func field(word string) flatbuf.Field {
	inner, vector := strings.CutPrefix(word, "[")
	inner = strings.TrimSuffix(inner, "]")
	kind, of, _ := strings.Cut(inner, ":")
	switch {
	case kind == "U":
		return flatbuf.Field{Kind: flatbuf.Union, Of: strings.ReplaceAll(of, "|", " ")}
	case kind == "T" && vector:
		return flatbuf.Field{Kind: flatbuf.Tables, Of: of}
	case kind == "T":
		return flatbuf.Field{Kind: flatbuf.Table, Of: of}
	case kind == "text" && vector:
		return flatbuf.Field{Kind: flatbuf.Texts}
	case kind == "text":
		return flatbuf.Field{Kind: flatbuf.Text}
	}
	size, _ := strconv.ParseInt(kind, 10, 64)
	if vector {
		return flatbuf.Field{Kind: flatbuf.Array, Size: size}
	}
	return flatbuf.Field{Kind: flatbuf.Value, Size: size}
}

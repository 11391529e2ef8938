// Package safetensors reads safetensors files that may be hostile and checks every
// rule of the format (safetensors 0.8, "Format"): the header's length and text,
// names that stand once, known types, shapes whose product fits the range, ranges
// that follow each other without holes from the first byte of the data to the last.
package safetensors

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/jsondoc"
	"github.com/assize/assize/internal/scan/window"
)

// maxHeader is the longest header that the format allows.
const maxHeader = 100_000_000

// Format reads safetensors files.
type Format struct{}

// Name implements scan.Format.
func (Format) Name() string { return "safetensors" }

// Sniff implements scan.Format. A header that is longer than the file is one where its text shows it.
func (Format) Sniff(head []byte, in *scan.Input) scan.Confidence {
	if len(head) < 10 || head[8] != '{' {
		return scan.No
	}
	n := binary.LittleEndian.Uint64(head)
	if n >= 2 && n <= uint64(in.Size-8) && n < 1<<40 && (head[9] == '"' || head[9] == '}' || head[9] == ' ') ||
		bytes.Contains(head, []byte(`"data_offsets"`)) || bytes.Contains(head, []byte(`"__metadata__"`)) {
		return scan.Sure
	}
	return scan.No
}

// dtypes are the types of elements with their bits.
func dtypes() map[string]uint64 {
	return map[string]uint64{
		"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
		"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
		"I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64,
	}
}

// tensor is a range of the data.
type tensor struct {
	from, to uint64
	at       int64 // of its entry
}

type reader struct {
	in      *scan.Input
	out     *scan.Sink
	json    *jsondoc.Scanner
	types   map[string]uint64
	tensors []tensor
	held    int64
}

// Scan implements scan.Format.
func (Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	r := &reader{in: in, out: out, types: dtypes()}
	defer func() { out.Hold(-r.held) }()
	n, err := window.New(in, 0, in.Size).Uint64()
	if err != nil {
		return err
	}
	if n > uint64(in.Size-8) || n > maxHeader {
		r.deceive("header-length", 0, "CWE-130", "the header is said to have %d bytes of a file of %d", n, in.Size)
		return scan.Problemf("safetensors/header-length", 0, "the header cannot be told from the data")
	}
	end := 8 + int64(n)
	text := window.New(in, 8, end)
	held := int64(0)
	hold := func(n int64) error { held += n; return out.Hold(n) }
	r.json = jsondoc.NewScanner(text, jsondoc.Limits{Depth: 4, Keep: 1 << 20, Spend: func(n int64) error { return out.Spend(ctx, n) }, Hold: hold})
	err = r.header()
	out.Hold(-held)
	for _, d := range r.json.Duplicates {
		r.deceive("duplicate-name", 8+d.Offset, "CWE-694", "the name %q stands twice", d.Key)
	}
	if err != nil {
		var p *scan.Problem
		if errors.As(err, &p) || ctx.Err() != nil {
			return err
		}
		r.deceive("header", 8+r.json.Offset(), "CWE-20", "the header breaks the rules: %v", err)
		return scan.Problemf("safetensors/header", 8+r.json.Offset(), "%v", err)
	}
	if err := r.padding(8+r.json.Offset(), end); err != nil {
		return err
	}
	out.Structured(0, end)
	return r.data(end)
}

func (r *reader) deceive(rule string, at int64, cite, evidence string, args ...any) {
	r.out.Find(scan.Finding{
		Rule: "safetensors/" + rule, Outcome: scan.Dangerous, Offset: at, Evidence: fmt.Sprintf(evidence, args...), Cites: []string{cite},
		Fix: "Do not load it: it breaks a rule of its format. Ask for the model to be saved again.",
	})
}

// next is the next token, which must be of that kind.
func (r *reader) next(kind jsondoc.Kind, what string) (jsondoc.Token, error) {
	t, err := r.json.Next()
	if errors.Is(err, io.EOF) {
		err = errors.New("the header ends in the middle")
	}
	if err == nil && t.Kind != kind {
		err = fmt.Errorf("byte %d: %s is of another kind", t.Offset, what)
	}
	return t, err
}

func (r *reader) header() error {
	if _, err := r.next(jsondoc.Object, "the header"); err != nil {
		return err
	}
	for {
		t, err := r.json.Next()
		if err != nil || t.Kind == jsondoc.ObjectEnd {
			return err
		}
		name := string(t.Text[:min(len(t.Text), 200)])
		if string(t.Text) == "__metadata__" {
			err = r.metadata()
		} else {
			err = r.tensor(name, t.Offset)
		}
		if err != nil {
			return fmt.Errorf("%.200q: %w", name, err)
		}
	}
}

// metadata is names and strings, nothing else.
func (r *reader) metadata() error {
	if _, err := r.next(jsondoc.Object, "the metadata"); err != nil {
		return err
	}
	for {
		t, err := r.json.Next()
		if err != nil || t.Kind == jsondoc.ObjectEnd {
			return err
		}
		if _, err := r.next(jsondoc.String, "a value of the metadata"); err != nil {
			return err
		}
	}
}

func (r *reader) tensor(name string, at int64) error {
	if _, err := r.next(jsondoc.Object, "a tensor"); err != nil {
		return err
	}
	size, overflow := uint64(0), false
	var count, offsets []uint64
	seen := map[string]bool{}
	for {
		t, err := r.json.Next()
		if err != nil {
			return err
		}
		if t.Kind == jsondoc.ObjectEnd {
			break
		}
		key := string(t.Text)
		seen[key] = true
		switch key {
		case "dtype":
			if t, err = r.next(jsondoc.String, "dtype"); err != nil {
				return err
			}
			if size = r.types[string(t.Text)]; size == 0 {
				r.deceive("dtype", 8+t.Offset, "CWE-20", "tensor %q has the unknown type %.40q", name, t.Text)
			}
		case "shape":
			if count, err = r.numbers(64); err != nil {
				return err
			}
		case "data_offsets":
			if offsets, err = r.numbers(2); err != nil {
				return err
			}
		default:
			return fmt.Errorf("byte %d: unknown key %.40q", t.Offset, key)
		}
	}
	if len(seen) != 3 || len(offsets) != 2 {
		return errors.New("a tensor needs dtype, shape and two data_offsets")
	}
	want := size
	for _, n := range count {
		high, low := bits.Mul64(want, n)
		overflow = overflow || high != 0
		want = low
	}
	one := tensor{offsets[0], offsets[1], 8 + at}
	switch {
	case one.to < one.from:
		r.deceive("range", one.at, "CWE-129", "tensor %q begins at %d and ends at %d", name, one.from, one.to)
	case overflow:
		r.deceive("shape", one.at, "CWE-190", "the shape of tensor %q makes more bits than a number of 64 bits holds", name)
	case size > 0 && (want%8 != 0 || want/8 != one.to-one.from):
		r.deceive("shape", one.at, "CWE-131", "tensor %q has %d bits by its shape and %d bytes by its range", name, want, one.to-one.from)
	}
	if err := r.out.Hold(48); err != nil {
		return err
	}
	r.held += 48
	r.tensors = append(r.tensors, one)
	return nil
}

// numbers reads a list of at most that many whole numbers from 0.
func (r *reader) numbers(most int) ([]uint64, error) {
	if _, err := r.next(jsondoc.Array, "a list of numbers"); err != nil {
		return nil, err
	}
	var list []uint64
	for {
		t, err := r.json.Next()
		if err != nil || t.Kind == jsondoc.ArrayEnd {
			return list, err
		}
		if t.Kind != jsondoc.Number || len(list) == most {
			return nil, fmt.Errorf("byte %d: no list of at most %d numbers", t.Offset, most)
		}
		n, err := strconv.ParseUint(string(t.Text), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("byte %d: %.40q is no whole number from 0 to 2^64-1", t.Offset, t.Text)
		}
		list = append(list, n)
	}
}

// padding is what stands between the header's text and its end: blanks.
func (r *reader) padding(from, end int64) error {
	w := window.New(r.in, from, end)
	for w.Left() > 0 {
		b := w.Peek(64 << 10)
		if rest := bytes.TrimLeft(b, " "); len(rest) > 0 {
			at := w.Offset() + int64(len(b)-len(rest))
			r.deceive("header-padding", at, "CWE-436", "the header goes on with %d bytes that are no blanks: %.40q", end-at, rest)
			return nil
		}
		if err := w.Skip(uint64(len(b))); err != nil || len(b) == 0 {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

// data checks that the ranges follow each other through all of the data.
func (r *reader) data(from int64) error {
	slices.SortFunc(r.tensors, func(a, b tensor) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(a.at, b.at))
	})
	at, size := uint64(0), uint64(r.in.Size-from)
	for _, t := range r.tensors {
		switch {
		case t.to < t.from:
			continue
		case t.to > size:
			r.deceive("range", t.at, "CWE-125", "a tensor goes to byte %d of %d bytes of data", t.to, size)
		case t.from > at:
			r.deceive("hole", from+int64(at), "CWE-436", "no tensor holds bytes %d to %d of the data", at, t.from)
		case t.from < at && t.to > t.from:
			r.deceive("overlap", t.at, "CWE-436", "a tensor begins at byte %d, before the last one ends at %d", t.from, at)
		}
		if t.from < size {
			r.out.Opaque(from+int64(t.from), int64(min(t.to, size)-t.from))
		}
		at = max(at, t.to)
	}
	if at < size {
		r.deceive("trailing-bytes", from+int64(at), "CWE-436", "%d bytes stand behind the last tensor", size-at)
		return scan.Problemf("safetensors/trailing-bytes", from+int64(at), "%d bytes belong to no tensor", size-at)
	}
	return nil
}

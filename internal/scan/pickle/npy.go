package pickle

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
)

// Npy reads NumPy's files of one array (numpy.lib.format, versions 1.0 to 3.0).
// Where the elements are objects the data is a pickle.
type Npy struct{ Rules *rules.Set }

// Name is what reports call the format.
func (Npy) Name() string { return "npy" }

// Sniff looks for the magic string.
func (Npy) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if len(head) >= 10 && string(head[:6]) == "\x93NUMPY" {
		return scan.Sure
	}
	return scan.No
}

// maxHeader is the longest header that is read. NumPy refuses more than 10,000 bytes unless told otherwise.
const maxHeader = 1 << 20

// Scan reads the header and, of an array of objects, the pickle.
func (f Npy) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	start := make([]byte, min(12, in.Size))
	if _, err := in.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	at := int64(10)
	n := int64(binary.LittleEndian.Uint16(start[8:]))
	if version := start[6]; version == 2 || version == 3 {
		if len(start) < 12 {
			return io.ErrUnexpectedEOF
		}
		at, n = 12, int64(binary.LittleEndian.Uint32(start[8:]))
	} else if version != 1 {
		return scan.Problemf("npy/version", 6, "version %d of the format", version)
	}
	if n > maxHeader || n > in.Size-at {
		return scan.Problemf("npy/header", 8, "a header of %d bytes in a file of %d", n, in.Size)
	}
	head := make([]byte, n)
	if _, err := in.ReadAt(head, at); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	at += n
	p := literalParser{b: head}
	v, err := p.value(0)
	d, ok := v.(map[string]any)
	if err != nil || !ok || strings.TrimSpace(string(head[p.at:])) != "" {
		out.Find(scan.Finding{Rule: "npy/header", Outcome: scan.Dangerous, Offset: 10, Evidence: "the header is no literal of Python: " + clip(head), Cites: []string{"CWE-20"}, Fix: "Do not load the file. NumPy does not write this."})
		return scan.Problemf("npy/header", 10, "the header cannot be read")
	}
	out.Structured(0, at)
	kind := typeOf(d["descr"], 0)
	if kind.object {
		out.Format("npy of objects")
		return Format(f).machine(ctx, in, out).all(ctx, in, out, at)
	}
	size := kind.size
	shape, ok := d["shape"].([]any)
	for _, s := range shape {
		k, whole := s.(int64)
		hi, lo := bits.Mul64(uint64(max(size, 0)), uint64(max(k, 0)))
		if !whole || k < 0 || hi != 0 || lo > 1<<62 {
			ok = false
			break
		}
		size = int64(lo)
	}
	if !ok || kind.size < 0 {
		return scan.Problemf("npy/header", 10, "the type or shape of the array is not known: %s", clip(head))
	}
	if size > in.Size-at {
		out.Opaque(at, in.Size-at)
		return scan.Problemf("npy/truncated", in.Size, "an array of %d bytes where %d are left", size, in.Size-at)
	}
	out.Opaque(at, size)
	if end := at + size; end < in.Size { // several arrays may lie in one file
		m := Format(f).machine(ctx, in, out)
		next := make([]byte, min(10, in.Size-end))
		if _, err := in.ReadAt(next, end); err == nil && f.Sniff(next, in) == scan.Sure {
			return f.Scan(ctx, &scan.Input{ReaderAt: io.NewSectionReader(in, end, in.Size-end), Path: in.Path, Size: in.Size - end, Depth: in.Depth}, out)
		}
		return m.rest(in, out, end)
	}
	return nil
}

// typeOf reads the descr of a header: a code, or a list of fields.
func typeOf(v any, depth int) dtype {
	switch v := v.(type) {
	case string:
		return dtypeOf(v)
	case []any:
		if depth > 32 {
			return dtype{size: -1}
		}
		// A tuple (type, shape) is a subarray; a list of tuples is a structure.
		if len(v) == 2 {
			if shape, ok := v[1].([]any); ok {
				if _, named := v[0].(string); named && numbers(shape) {
					return times(typeOf(v[0], depth+1), shape)
				}
			}
		}
		all := dtype{}
		for _, f := range v {
			field, ok := f.([]any)
			if !ok || len(field) < 2 {
				return dtype{size: -1, object: all.object}
			}
			one := typeOf(field[1], depth+1)
			if len(field) > 2 {
				shape, _ := field[2].([]any)
				one = times(one, shape)
			}
			all.object = all.object || one.object
			if all.size >= 0 && one.size >= 0 {
				all.size += one.size
			} else {
				all.size = -1
			}
		}
		return all
	}
	return dtype{size: -1}
}

func numbers(all []any) bool {
	for _, v := range all {
		if _, ok := v.(int64); !ok {
			return false
		}
	}
	return true
}

func times(d dtype, shape []any) dtype {
	for _, s := range shape {
		n, ok := s.(int64)
		if !ok || n < 0 || n > 1<<31 || d.size > 1<<31 {
			return dtype{size: -1, object: d.object}
		}
		d.size *= n
	}
	return d
}

// literalParser reads what ast.literal_eval reads, as far as headers need it: strings,
// numbers, names, tuples and lists as []any, dicts with strings for keys.
type literalParser struct {
	b  []byte
	at int
}

var errLiteral = errors.New("no literal of Python")

func (p *literalParser) space() byte {
	for p.at < len(p.b) && strings.IndexByte(" \t\r\n", p.b[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.b) {
		return 0
	}
	return p.b[p.at]
}

func (p *literalParser) value(depth int) (any, error) {
	if depth > 64 {
		return nil, errLiteral
	}
	switch c := p.space(); {
	case c == '\'' || c == '"':
		return p.str(c)
	case c == '(' || c == '[':
		return p.sequence(depth)
	case c == '{':
		return p.dict(depth)
	case c == '-' || c >= '0' && c <= '9':
		from := p.at
		for p.at++; p.at < len(p.b) && (p.b[p.at] >= '0' && p.b[p.at] <= '9' || p.b[p.at] == '_'); p.at++ {
		}
		digits := strings.ReplaceAll(string(p.b[from:p.at]), "_", "")
		if p.at < len(p.b) && p.b[p.at] == 'L' { // Python 2 wrote shapes so
			p.at++
		}
		return strconv.ParseInt(digits, 10, 64)
	}
	for _, word := range []string{"True", "False", "None"} {
		if strings.HasPrefix(string(p.b[p.at:]), word) {
			p.at += len(word)
			return word == "True", nil
		}
	}
	return nil, errLiteral
}

func (p *literalParser) str(quote byte) (any, error) {
	from := p.at + 1
	for p.at = from; p.at < len(p.b) && p.b[p.at] != quote; p.at++ {
		if p.b[p.at] == '\\' {
			p.at++
		}
	}
	if p.at >= len(p.b) {
		return nil, errLiteral
	}
	p.at++
	s, _ := unquote(p.b[from-1 : p.at])
	return string(s), nil
}

func (p *literalParser) sequence(depth int) (any, error) {
	end := byte(')')
	if p.b[p.at] == '[' {
		end = ']'
	}
	p.at++
	all := []any{}
	for p.space() != end {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		switch p.space() {
		case ',':
			p.at++
		case end:
		default:
			return nil, errLiteral
		}
	}
	p.at++
	return all, nil
}

func (p *literalParser) dict(depth int) (any, error) {
	p.at++
	all := map[string]any{}
	for p.space() != '}' {
		k, err := p.value(depth + 1)
		key, ok := k.(string)
		if err != nil || !ok || p.space() != ':' {
			return nil, errLiteral
		}
		p.at++
		if all[key], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		switch p.space() {
		case ',':
			p.at++
		case '}':
		default:
			return nil, errLiteral
		}
	}
	p.at++
	return all, nil
}

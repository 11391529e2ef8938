package remote

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/assize/assize/internal/model"
)

// appendFlat writes elements from up to to, set apart by commas, as JSON numbers that give
// the same value back. NaN and infinities are written as Python's json writes
// and reads them, since JSON has no word for them.
func appendFlat(b []byte, q *model.Question, from, to int) []byte {
	for i := from; i < to; i++ {
		if i > from {
			b = append(b, ',')
		}
		b = appendElement(b, q, i)
	}
	return b
}

func appendElement(b []byte, q *model.Question, i int) []byte {
	switch q.Type {
	case "FP32":
		return appendFloat(b, float64(math.Float32frombits(binary.LittleEndian.Uint32(q.Data[4*i:]))), 32)
	case "FP64":
		return appendFloat(b, math.Float64frombits(binary.LittleEndian.Uint64(q.Data[8*i:])), 64)
	case "INT64":
		return strconv.AppendInt(b, int64(binary.LittleEndian.Uint64(q.Data[8*i:])), 10)
	case "UINT8":
		return strconv.AppendUint(b, uint64(q.Data[i]), 10)
	case "BOOL":
		return strconv.AppendBool(b, q.Data[i] != 0)
	}
	text, err := json.Marshal(q.Text[i])
	if err != nil {
		return append(b, `""`...) // no string fails
	}
	return append(b, text...)
}

func appendFloat(b []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case math.IsInf(v, 1):
		return append(b, "Infinity"...)
	case math.IsInf(v, -1):
		return append(b, "-Infinity"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, bits)
}

// appendNested writes the elements of a shape as lists in lists.
func appendNested(b []byte, q *model.Question, shape []int64, from, each int) []byte {
	if len(shape) == 0 {
		return appendElement(b, q, from)
	}
	each /= int(max(1, shape[0]))
	b = append(b, '[')
	for i := range int(shape[0]) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNested(b, q, shape[1:], from+i*each, each)
	}
	return append(b, ']')
}

// plainJSON writes the words NaN, Infinity and -Infinity, which some servers
// put into what they call JSON, as null, 1e999 and -1e999. Other bytes stay.
func plainJSON(b []byte) []byte {
	if !bytes.Contains(b, []byte("NaN")) && !bytes.Contains(b, []byte("Infinity")) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i, inside := 0, false; i < len(b); i++ {
		rest := b[i:]
		switch {
		case inside && b[i] == '\\' && i+1 < len(b):
			out = append(out, b[i], b[i+1])
			i++
			continue
		case b[i] == '"':
			inside = !inside
		case !inside && bytes.HasPrefix(rest, []byte("NaN")):
			out = append(out, "null"...)
			i += len("NaN") - 1
			continue
		case !inside && bytes.HasPrefix(rest, []byte("Infinity")):
			out = append(out, "1e999"...)
			i += len("Infinity") - 1
			continue
		}
		out = append(out, b[i])
	}
	return out
}

// flatten reads the numbers of a JSON value, lists in lists in order. null is
// NaN, true 1, the name of a class its index, and an object with a number for every class
// these numbers in the order of the classes.
func (c *Client) flatten(raw json.RawMessage) ([]float32, error) {
	if len(raw) == 0 {
		return nil, errors.New("it holds no data")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var out []float32
	for {
		t, err := d.Token()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return out, nil
			}
			return nil, err
		}
		switch t := t.(type) {
		case json.Delim:
			if t != '{' {
				continue
			}
			if out, err = c.named(d, out); err != nil {
				return nil, err
			}
		case json.Number:
			v, err := strconv.ParseFloat(string(t), 64)
			if err != nil && !errors.Is(err, strconv.ErrRange) {
				return nil, fmt.Errorf("%.40q is no number", string(t))
			}
			out = append(out, float32(v))
		case nil:
			out = append(out, float32(math.NaN()))
		case bool:
			v := float32(0)
			if t {
				v = 1
			}
			out = append(out, v)
		case string:
			v, err := c.class(t)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
}

// named reads the rest of an object with a number for every class.
func (c *Client) named(d *json.Decoder, out []float32) ([]float32, error) {
	values := make([]float32, len(c.cfg.Classes))
	seen := make([]bool, len(values))
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		var n *json.Number
		if err := d.Decode(&n); err != nil {
			return nil, fmt.Errorf("field %.40q is no number", name)
		}
		if i := slices.Index(c.cfg.Classes, name); i >= 0 {
			if seen[i] = true; n == nil {
				values[i] = float32(math.NaN())
				continue
			}
			v, err := strconv.ParseFloat(string(*n), 64)
			if err != nil && !errors.Is(err, strconv.ErrRange) {
				return nil, fmt.Errorf("field %.40q is no number", name)
			}
			values[i] = float32(v)
		}
	}
	if len(values) == 0 || slices.Contains(seen, false) {
		return nil, errors.New("it holds an object that is not a number for every class in interface.output.classes")
	}
	_, err := d.Token() // the end
	return append(out, values...), err
}

// class is the index of a class that a server names.
func (c *Client) class(name string) (float32, error) {
	if i := slices.Index(c.cfg.Classes, name); i >= 0 {
		return float32(i), nil
	}
	return 0, fmt.Errorf("%.40q is neither a number nor one of interface.output.classes", name)
}

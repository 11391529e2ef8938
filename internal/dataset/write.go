package dataset

import (
	"archive/zip"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Array is an array to be written as a member of an NPZ file.
type Array struct {
	Name string
	// Shape is that of the whole array; its product is the number of values.
	Shape []int
	// Values are a []float32, []float64, []int64 or []string, row-major.
	Values any
}

// WriteNPZ writes arrays as numpy.savez_compressed does: format version 1.0,
// little-endian. Texts are written as fixed-length Unicode, which this package
// does not read back.
func WriteNPZ(w io.Writer, arrays []Array) error {
	z := zip.NewWriter(w)
	for _, a := range arrays {
		b, err := a.encode()
		if err != nil {
			return fmt.Errorf("write array %q: %w", a.Name, err)
		}
		member, err := z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Deflate})
		if err != nil {
			return err
		}
		if _, err := member.Write(b); err != nil {
			return err
		}
	}
	return z.Close()
}

// encode is the array as an NPY file.
func (a *Array) encode() ([]byte, error) {
	var descr string
	var values []byte
	var n int
	var err error
	switch v := a.Values.(type) {
	case []float32:
		descr, n = "<f4", len(v)
		values, err = binary.Append(nil, binary.LittleEndian, v)
	case []float64:
		descr, n = "<f8", len(v)
		values, err = binary.Append(nil, binary.LittleEndian, v)
	case []int64:
		descr, n = "<i8", len(v)
		values, err = binary.Append(nil, binary.LittleEndian, v)
	case []string:
		longest := 1
		for _, s := range v {
			longest = max(longest, utf8.RuneCountInString(s))
		}
		descr, n = fmt.Sprintf("<U%d", longest), len(v)
		for _, s := range v {
			runes := make([]rune, longest)
			copy(runes, []rune(s))
			if values, err = binary.Append(values, binary.LittleEndian, runes); err != nil {
				break
			}
		}
	default:
		err = fmt.Errorf("values of type %T are not written", v)
	}
	if err != nil {
		return nil, err
	}
	size, dims := 1, make([]string, len(a.Shape))
	for i, d := range a.Shape {
		size *= d
		dims[i] = strconv.Itoa(d) + ","
	}
	if size != n {
		return nil, fmt.Errorf("%d values do not fill shape %v", n, a.Shape)
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.Join(dims, " "))
	// The header ends in a line feed on a multiple of 64 bytes.
	header += strings.Repeat(" ", 63-(len(magic)+4+len(header))%64) + "\n"
	out := append([]byte(magic), 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	return append(append(out, header...), values...), nil
}

// WriteCSV writes rows under a header of feature names and the label's name.
// Rows are N×len(names), row-major; labels are written as they are. Numbers are the shortest that
// read back as the same float32.
func WriteCSV(w io.Writer, names []string, label string, x []float32, labels []string) error {
	c := csv.NewWriter(w)
	record := append(append([]string(nil), names...), label)
	if err := c.Write(record); err != nil {
		return err
	}
	for i, l := range labels {
		for j, v := range x[i*len(names) : (i+1)*len(names)] {
			record[j] = strconv.FormatFloat(float64(v), 'g', -1, 32)
		}
		record[len(names)] = l
		if err := c.Write(record); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

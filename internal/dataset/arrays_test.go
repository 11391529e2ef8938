package dataset_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/google/go-cmp/cmp"
)

// TestEveryElementType compares with what NumPy says that it wrote: each
// element type in both byte orders and both layouts.
func TestEveryElementType(t *testing.T) {
	raw, err := os.ReadFile("testdata/types.json")
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string][]float64
	if err := json.Unmarshal(raw, &expected); err != nil {
		t.Fatal(err)
	}
	if got, want := len(expected), 12*2*2; got != want {
		t.Fatalf("%d arrays, want %d", got, want)
	}
	for name, values := range expected {
		spec := dataset.Spec{Path: "testdata/types.npz", Input: name}
		got, err := dataset.ReadAll(context.Background(), spec)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := &dataset.Table{Width: 12, Shape: []int{3, 4}, Index: []int{0, 1, 2, 3, 4}}
		for _, v := range values {
			want.X = append(want.X, float32(v))
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s: ReadAll (-got +want):\n%s", name, diff)
		}
		some, err := dataset.Select(context.Background(), spec, []int{4, 1, 1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		picked := append(append(append([]float32{}, want.Row(4)...), want.Row(1)...), want.Row(1)...)
		if diff := cmp.Diff(some.X, picked); diff != "" {
			t.Errorf("%s: Select (-got +want):\n%s", name, diff)
		}
		info, err := dataset.Inspect(context.Background(), spec)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for col, c := range info.Columns {
			low, high := values[col], values[col]
			for row := range 5 {
				low, high = min(low, values[row*12+col]), max(high, values[row*12+col])
			}
			if c.Min != low || c.Max != high {
				t.Errorf("%s: column %d lies in [%v, %v], want [%v, %v]", name, col, c.Min, c.Max, low, high)
			}
		}
	}
}

func TestReadNPY(t *testing.T) {
	grid := make([]float32, 24)
	for i := range grid {
		grid[i] = float32(i)
	}
	for _, name := range []string{"version1.npy", "version2.npy", "version3.npy", "fortran.npy"} {
		got, err := dataset.ReadAll(context.Background(), dataset.Spec{Path: "testdata/" + name})
		if err != nil {
			t.Error(err)
			continue
		}
		want := &dataset.Table{Width: 6, X: grid, Index: []int{0, 1, 2, 3}}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
	}
	got, err := dataset.Select(context.Background(), dataset.Spec{Path: "testdata/vector.npy"}, []int{6, 2})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, &dataset.Table{Width: 1, X: []float32{6, 2}, Index: []int{6, 2}}); diff != "" {
		t.Errorf("vector (-got +want):\n%s", diff)
	}
}

func TestReadNPZ(t *testing.T) {
	for _, name := range []string{"stored.npz", "deflated.npz"} {
		spec := dataset.Spec{Path: "testdata/" + name, Label: "y", Classes: []string{"a", "b", "c"}, Width: 6}
		got, err := dataset.Select(context.Background(), spec, []int{3, 0})
		if err != nil {
			t.Error(err)
			continue
		}
		want := &dataset.Table{
			Width: 6, Shape: []int{1, 2, 3}, X: []float32{18, 19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5},
			Y: []int{1, 0}, Index: []int{3, 0},
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
	}
}

func TestArrayRefusals(t *testing.T) {
	tests := []struct {
		spec dataset.Spec
		want string
	}{
		{dataset.Spec{Path: "objects.npy"}, "the array holds Python objects, which are pickles and never opened\nhint: save numbers: numpy.savez(path, x=x.astype(numpy.float32))"},
		{dataset.Spec{Path: "records.npy"}, "arrays of records are not read\nhint: save each field as an array of its own with numpy.savez"},
		{dataset.Spec{Path: "text.npy"}, "the array holds text\nhint: save the index of each class as a whole number"},
		{dataset.Spec{Path: "complex.npy"}, "element type \"<c8\" is not read\nhint: save it as float32, float64 or a whole number type"},
		{dataset.Spec{Path: "scalar.npy"}, "the array is a single number, not rows"},
		{dataset.Spec{Path: "nothing.npy"}, "the array of shape [0 4] is empty"},
		{dataset.Spec{Path: "holes.npy"}, "row 1, value 1: NaN is not a number\nhint: fill in the value or leave the row out"},
		{dataset.Spec{Path: "version1.npy", Label: "y"}, "an NPY file holds one array and no labels \"y\"\nhint: save both with numpy.savez"},
		{dataset.Spec{Path: "version1.npy", Width: 7}, "a row holds 6 values where 7 are expected"},
		{dataset.Spec{Path: "version1.npy", Features: []domain.Feature{{}}}, "a row holds 6 values where 1 features are declared"},
		{dataset.Spec{Path: "holes.npy", Features: []domain.Feature{{Name: "a", Type: domain.Binary}, {Name: "b"}}}, "row 1, feature \"a\": 3 is neither 0 nor 1, and the domain says binary"},
		{dataset.Spec{Path: "stored.npz"}, "it is not said which array holds the rows\nhint: name one of \"x\", \"y\""},
		{dataset.Spec{Path: "stored.npz", Input: "images"}, "there is no array \"images\"\nhint: there are \"x\", \"y\""},
		{dataset.Spec{Path: "stored.npz", Label: "Y"}, "it is not said which array holds the rows\nhint: name one of \"x\", \"y\""},
		{dataset.Spec{Path: "stored.npz", Label: "y", Classes: []string{"a", "b"}}, "array \"y\": row 2: 2 is not an index into the 2 classes\nhint: there are \"a\", \"b\", counted from 0"},
		{dataset.Spec{Path: "stored.npz", Input: "y", Label: "x"}, "array \"x\": labels have shape [4 1 2 3], not one number a row\nhint: save the index of each class"},
		{dataset.Spec{Path: "types.npz", Input: "f4_little_C", Label: "i8_little_C"}, "array \"i8_little_C\": labels have shape [5 3 4], not one number a row\nhint: save the index of each class"},
		{dataset.Spec{Path: "bomb.npz", Input: "x"}, "array \"x\": it claims 4294967280 bytes, more than its 132 compressed bytes can hold"},
		{dataset.Spec{Path: "twice.npz"}, "two arrays are named \"x\""},
		{dataset.Spec{Path: "encrypted.npz", Input: "y"}, "array \"y\": it is encrypted"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %s", test.spec.Path, test.spec.Input), func(t *testing.T) {
			test.spec.Path = filepath.Join("testdata", test.spec.Path)
			_, err := dataset.Inspect(context.Background(), test.spec)
			onlyError(t, err, test.want)
		})
	}
}

// npyFile is a version 1 file with this header and elements.
func npyFile(header string, elements []byte) string {
	length := binary.LittleEndian.AppendUint16(nil, uint16(len(header)))
	return "\x93NUMPY\x01\x00" + string(length) + header + string(elements)
}

func TestHostileHeaders(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"not an array", "\x93NUMPX\x00\x00", "the file is called .npy but does not begin like one"},
		{"version", "\x93NUMPY\x04\x00", "NumPy format version 4.0 is not known"},
		{"cut in the length", "\x93NUMPY\x01\x00v", "the array ends within its header"},
		{"cut in the header", "\x93NUMPY\x01\x00v\x00{", "the array ends within its header"},
		{"header of 4 GB", "\x93NUMPY\x02\x00\xff\xff\xff\xff{", "array header of 4294967295 bytes: the limit is 10000"},
		{"more than exists", npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 4)}", []byte{1, 2, 3, 4}),
			"shape [1000000000 4] needs 16000000000 bytes, but 4 are there: the array is cut short"},
		{"overflow", npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", nil),
			"shape [4294967296 4294967296] is more than can exist"},
		{"overflow to the right size", npyFile("{'descr': '<u2', 'fortran_order': False, 'shape': (9223372036854775807, 2, 2)}", nil),
			"shape [9223372036854775807 2 2] is more than can exist"},
		{"beyond int64", npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775808,)}", nil),
			"array header: shape: no whole number at \"9223372036854775808,)}\""},
		{"negative", npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", nil), "array header: shape: no whole number at \"-1,)}\""},
		{"left over", npyFile("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", []byte{1, 2, 3}), "1 bytes are left over after the array of shape [2]"},
		{"code", npyFile("__import__('os').system('id')", nil), "array header: \"{\" is missing at \"__import__('os').system('id')\""},
		{"expression", npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (2*2,)}", nil), "array header: shape: a comma or ) is missing at \"*2,)}\""},
		{"key twice", npyFile("{'descr': '<f4', 'descr': '|O', 'fortran_order': False, 'shape': (2,)}", nil), "array header: key \"descr\" stands twice"},
		{"unknown key", npyFile("{'descr': '<f4', 'more': True}", nil), "array header: unknown key \"more\""},
		{"key missing", npyFile("{'descr': '<f4', 'shape': (2,)}", nil), "array header: it must say descr, fortran_order and shape"},
		{"text after", npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} or 1", nil), "array header: text after the dictionary: \" or 1\""},
		{"escape", npyFile(`{'descr': '\x3cf4'}`, nil), "array header: a string does not end, or holds a backslash, at \"\\\\x3cf4'}\""},
		{"33 dimensions", npyFile("{'descr': '<f4', 'shape': ("+string(bytes.Repeat([]byte("1,"), 33))+")}", nil), "array header: shape: more than 32 dimensions"},
		{"native order", npyFile("{'descr': '=f4', 'fortran_order': False, 'shape': (2,)}", nil), "element type \"=f4\" is not known"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := dataset.ReadAll(context.Background(), dataset.Spec{Path: write(t, "x.npy", test.content)})
			onlyError(t, err, test.want)
		})
	}
}

// TestBomb deflates zeros to a thousandth of their size; the memory limit
// stops a reader of them all before anything is allocated.
func TestBomb(t *testing.T) {
	const rows, width = 10_000, 4000
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("x.npy")
	if err != nil {
		t.Fatal(err)
	}
	header := npyFile(fmt.Sprintf("{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d)}", rows, width), nil)
	if _, err := w.Write([]byte(header)); err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, width)
	for range rows {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	spec := dataset.Spec{Path: write(t, "x.npz", b.String()), Limits: dataset.Limits{MemoryBytes: 20 << 20}}
	_, err = dataset.ReadAll(context.Background(), spec)
	onlyError(t, err, "10000 rows of 16024 bytes are more than the limit of 20971520 bytes in memory\nhint: select fewer rows, or raise the limit")
	grown := peak(func() {
		got, err := dataset.Select(context.Background(), spec, []int{rows - 1})
		if err != nil {
			t.Error(err)
		} else if diff := cmp.Diff(got.X, make([]float32, width)); diff != "" {
			t.Errorf("Select (-got +want):\n%s", diff)
		}
	})
	if grown > 20<<20 {
		t.Errorf("heap grew by %d bytes, want under 20 MiB", grown)
	}
}

func TestDamagedZip(t *testing.T) {
	raw, err := os.ReadFile("testdata/stored.npz")
	if err != nil {
		t.Fatal(err)
	}
	spec := dataset.Spec{Path: write(t, "cut.npz", string(raw[:len(raw)-30])), Input: "x"}
	_, err = dataset.ReadAll(context.Background(), spec)
	onlyError(t, err, "the zip cannot be read: it is cut short or damaged")
	at := bytes.Index(raw, []byte("\x00\x00\x80?")) // the float32 1 of x
	raw[at+2] ^= 1
	spec.Path = write(t, "changed.npz", string(raw))
	_, err = dataset.ReadAll(context.Background(), spec)
	onlyError(t, err, "array \"x\": zip: checksum error")
}

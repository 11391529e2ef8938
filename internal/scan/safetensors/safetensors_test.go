package safetensors_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/safetensors"
	"github.com/assize/assize/internal/scan/scantest"
)

func scanner() *scan.Scanner { return &scan.Scanner{Formats: []scan.Format{safetensors.Format{}}} }

// file is a header, whose length is put before it, and data.
func file(header string, data int) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), make([]byte, data)...)
}

// one is the entry of a tensor.
func one(name, dtype, shape string, from, to uint64) string {
	return fmt.Sprintf(`%q:{"dtype":%q,"shape":[%s],"data_offsets":[%d,%d]}`, name, dtype, shape, from, to)
}

func object(parts ...string) string { return "{" + strings.Join(parts, ",") + "}" }

func TestScan(t *testing.T) {
	a, b := one("a", "F32", "2,3", 0, 24), one("b", "BF16", "4", 24, 32)
	tests := []struct {
		name string
		file []byte
		rule string // "" for clean
	}{
		{"two tensors", file(object(a, b), 32), ""},
		{"padded and with metadata", file(object(`"__metadata__":{"format":"pt"}`, b, a)+"     ", 32), ""},
		{"nothing", file("{}", 0), ""},
		{"an empty tensor", file(object(one("e", "I64", "0,5", 0, 0), a), 24), ""},
		{"a single value", file(object(one("s", "F64", "", 0, 8)), 8), ""},
		{"half bytes", file(object(one("s", "F4", "4", 0, 2)), 2), ""},
		{"os.system as a name", file(object(one("os.system", "U8", "1", 0, 1), `"__metadata__":{"eval":"exec(1)"}`), 1), ""},
		{"name twice", file(object(a, a), 24), "safetensors/duplicate-name"},
		{"metadata twice", file(object(`"__metadata__":{"a":"1","a":"2"}`, a), 24), "safetensors/duplicate-name"},
		{"hole", file(object(a, one("b", "U8", "4", 28, 32)), 32), "safetensors/hole"},
		{"hole at the start", file(object(one("b", "U8", "4", 4, 8)), 8), "safetensors/hole"},
		{"overlap", file(object(a, one("b", "U8", "12", 20, 32)), 32), "safetensors/overlap"},
		{"the same range", file(object(a, one("b", "U8", "24", 0, 24)), 24), "safetensors/overlap"},
		{"trailing", file(object(a), 25), "safetensors/trailing-bytes"},
		{"past the end", file(object(a), 23), "safetensors/range"},
		{"backwards", file(object(one("b", "U8", "4", 8, 4)), 8), "safetensors/range"},
		{"negative", file(`{"b":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}}`, 0), "safetensors/header"},
		{"product that overflows", file(object(one("b", "U8", "4294967296,4294967296,4294967296", 0, 0)), 0), "safetensors/shape"},
		{"product that overflows to the right size", file(object(one("b", "F64", "2305843009213693953", 0, 8)), 8), "safetensors/shape"},
		{"shape of another size", file(object(one("a", "F32", "2,4", 0, 24)), 24), "safetensors/shape"},
		{"half a byte", file(object(one("a", "F4", "3", 0, 1)), 1), "safetensors/shape"},
		{"unknown type", file(object(one("a", "O", "3", 0, 24)), 24), "safetensors/dtype"},
		{"unknown key", file(`{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}}`, 1), "safetensors/header"},
		{"key left out", file(`{"a":{"dtype":"U8","data_offsets":[0,1]}}`, 1), "safetensors/header"},
		{"metadata of another kind", file(`{"__metadata__":{"a":{}}}`, 0), "safetensors/header"},
		{"header as a list", append([]byte("\x20\x00\x00\x00\x00\x00\x00\x00"), `{"a":["data_offsets"]          }`...), "safetensors/header"},
		{"header padded with a pickle", file(object(a)+" \x80\x04.", 24), "safetensors/header-padding"},
		{"header padded with zeros", file(object(a)+"\x00\x00", 24), "safetensors/header-padding"},
		{"header of 2^63", append([]byte("\x00\x00\x00\x00\x00\x00\x00\x80"), object(a)...), "safetensors/header-length"},
		{"header past the end", append([]byte("\x00\x10\x00\x00\x00\x00\x00\x00"), object(a)...), "safetensors/header-length"},
		{"deep header", file(`{"data_offsets":`+strings.Repeat("[", 5000)+`}`, 0), "safetensors/header"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			all := scantest.Scan(t, scanner(), test.file)
			got := scantest.File(all)
			want := scan.Dangerous
			if test.rule == "" {
				want = scan.Clean
			}
			if got.Outcome != want || got.Format != "safetensors" || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) {
				t.Errorf("%s of %q with %v, want %s with %q", got.Outcome, got.Format, got.Findings, want, test.rule)
			}
			if want == scan.Clean && got.Coverage.Unread > 0 {
				t.Errorf("coverage %+v", got.Coverage)
			}
		})
	}
}

func TestCoverage(t *testing.T) {
	header := object(one("a", "F32", "2,3", 0, 24))
	got := scantest.File(scantest.Scan(t, scanner(), file(header, 24))).Coverage
	if diff := cmp.Diff(got, scan.Coverage{Bytes: int64(len(header)) + 32, Structured: int64(len(header)) + 8, Opaque: 24}); diff != "" {
		t.Errorf("coverage (-got +want):\n%s", diff)
	}
}

// TestBounded reads a long header of many tensors.
func TestBounded(t *testing.T) {
	parts := make([]string, 400_000)
	for i := range parts {
		parts[i] = one(fmt.Sprint(i), "U8", "1", uint64(i), uint64(i)+1)
	}
	b := file(object(parts...), len(parts))
	scantest.Bounded(t, func() {
		if got := scantest.File(scantest.Scan(t, scanner(), b)); got.Outcome != scan.Clean {
			t.Errorf("got %+v", got)
		}
	})
}

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	f.Add(file(object(one("a", "F32", "2,3", 0, 24), one("b", "BF16", "4", 24, 32)), 32))
	f.Add(file(object(`"__metadata__":{"format":"pt"}`, one("a", "F32", "2,3", 0, 24))+"  ", 24))
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

package tarfile_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/scantest"
	"github.com/assize/assize/internal/scan/tarfile"
)

func scanner() *scan.Scanner { return &scan.Scanner{Formats: []scan.Format{tarfile.Format{}, plain{}}} }

// plain is a format of members.
type plain struct{}

func (plain) Name() string { return "plain" }

func (plain) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if bytes.HasPrefix(head, []byte("plain ")) {
		return scan.Sure
	}
	return scan.No
}

func (plain) Scan(_ context.Context, in *scan.Input, out *scan.Sink) error {
	out.Structured(0, in.Size)
	return nil
}

const inner = "plain text"

// archive is a tar as archive/tar writes it; sizes are filled in.
func archive(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg || h.Typeflag == 0 {
			h.Size = int64(len(inner))
		}
		h.Mode = 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(inner)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// header is one made by hand, and its data.
func header(name string, kind byte, size int, data string) []byte {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[124:], fmt.Sprintf("%011o", size))
	b[156] = kind
	copy(b[148:], "        ")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00", sum))
	b = append(b, data...)
	return append(b, make([]byte, -len(b)&511)...)
}

func pax(key, value string) string {
	n := len(key) + len(value) + 3
	for len(fmt.Sprint(n))+len(key)+len(value)+3 != n {
		n++
	}
	return fmt.Sprintf("%d %s=%s\n", n, key, value)
}

func TestScan(t *testing.T) {
	long := strings.Repeat("long/", 50) + "name"
	file := func(name string) tar.Header { return tar.Header{Name: name} }
	end := string(make([]byte, 1024))
	own := func(parts ...[]byte) []byte { return append(bytes.Join(parts, nil), end...) }
	record := pax("size", "10")
	tests := []struct {
		name    string
		b       []byte
		outcome scan.Outcome
		rules   []string
		members map[string]string
	}{
		{"two files and a folder", archive(t, tar.Header{Name: "d/", Typeflag: tar.TypeDir}, file("d/a"), file("b")), scan.Clean, nil, map[string]string{"d/a": "clean", "b": "clean"}},
		{"pax name", archive(t, file(long), file("häß")), scan.Clean, nil, map[string]string{long: "clean", "häß": "clean"}},
		{"GNU name", archive(t, tar.Header{Name: long, Format: tar.FormatGNU}), scan.Clean, nil, map[string]string{long: "clean"}},
		{"oldest form", own(header("a", 0, 10, inner)), scan.Clean, nil, map[string]string{"a": "clean"}},
		{"no end mark", header("a", 0, 10, inner), scan.Clean, nil, map[string]string{"a": "clean"}},
		{"path", archive(t, file("../../a")), scan.Dangerous, []string{"tar/path"}, map[string]string{"../../a": "clean"}},
		{"absolute", archive(t, file("/etc/a")), scan.Dangerous, []string{"tar/path"}, map[string]string{"/etc/a": "clean"}},
		{"link", archive(t, tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, file("a/b")), scan.Dangerous, []string{"tar/link"}, map[string]string{"a/b": "clean"}},
		{"hard link", archive(t, tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "../b"}), scan.Dangerous, []string{"tar/link"}, map[string]string{}},
		{"device", archive(t, tar.Header{Name: "a", Typeflag: tar.TypeChar}, tar.Header{Name: "b", Typeflag: tar.TypeFifo}), scan.Dangerous, []string{"tar/device"}, map[string]string{}},
		{"twice", archive(t, file("a"), file("a")), scan.Dangerous, []string{"tar/duplicate-name"}, map[string]string{"a": "clean"}},
		{"pax size over another", own(header("p", 'x', len(record), record), header("a", '0', 5, inner)), scan.Dangerous, []string{"tar/two-sizes"}, map[string]string{"a": "clean"}},
		{"pax name over another", own(header("p", 'x', len(pax("path", "b")), pax("path", "b")), header("a", '0', 10, inner)), scan.Dangerous, []string{"tar/two-names"}, map[string]string{"b": "clean"}},
		{"pax path that leaves", own(header("p", 'x', len(pax("path", "../b")), pax("path", "../b")), header("a", '0', 10, inner)), scan.Dangerous, []string{"tar/path", "tar/two-names"}, nil},
		{"global path", own(header("p", 'g', len(pax("path", "b")), pax("path", "b")), header("a", '0', 10, inner)), scan.Dangerous, []string{"tar/global-record"}, nil},
		{"sparse", own(header("a", 'S', 10, inner)), scan.Dangerous, []string{"tar/sparse"}, map[string]string{"a": "clean"}},
		{"unknown kind", own(header("a", 'Q', 10, inner)), scan.Dangerous, []string{"tar/kind"}, map[string]string{"a": "clean"}},
		{"folder with data", own(header("a/", '5', 10, "")), scan.Dangerous, []string{"tar/size"}, nil},
		{"behind the end", append(archive(t, file("a")), inner...), scan.Dangerous, []string{"tar/trailing-bytes"}, nil},
		{"second archive", append(archive(t, file("a")), archive(t, file("b"))...), scan.Dangerous, []string{"tar/trailing-bytes"}, nil},
		{"cut", archive(t, file("a"))[:515], scan.Incomplete, []string{"core/unknown-format", "tar/truncated"}, nil},
		{"wrong checksum", own(header("a", 0, 10, inner), bytes.Repeat([]byte("x"), 512)), scan.Incomplete, []string{"tar/header"}, map[string]string{"a": "clean"}},
		{"claims 2^62 bytes", own(header("a", 0, 1<<32, inner)), scan.Incomplete, []string{"tar/truncated"}, nil},
		{"long record", own(header("p", 'x', 1<<20+1, strings.Repeat("x", 1<<20+1))), scan.Incomplete, []string{"tar/record"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			all := scantest.Scan(t, scanner(), test.b)
			if got := scantest.File(all); got.Outcome != test.outcome || got.Format != "tar" {
				t.Errorf("outcome %s of %q, want %s: %+v", got.Outcome, got.Format, test.outcome, got)
			}
			if diff := cmp.Diff(scantest.Rules(all), test.rules); diff != "" {
				t.Errorf("rules (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(scantest.Members(all), test.members); test.members != nil && diff != "" {
				t.Errorf("members (-got +want):\n%s", diff)
			}
		})
	}
}

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	f.Add(archive(f, tar.Header{Name: "a"}, tar.Header{Name: strings.Repeat("b", 200)}))
	f.Add(archive(f, tar.Header{Name: strings.Repeat("b/", 200) + "c", Format: tar.FormatGNU}))
	f.Add(header("p", 'x', 9, "9 size=3\n"))
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

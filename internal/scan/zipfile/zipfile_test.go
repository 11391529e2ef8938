package zipfile_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/scantest"
	"github.com/assize/assize/internal/scan/tarfile"
	"github.com/assize/assize/internal/scan/zipfile"
)

func scanner() *scan.Scanner { return &scan.Scanner{Formats: []scan.Format{zipfile.Format{}, plain{}}} }

// plain is a format of members, so that being scanned shows.
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

type file struct {
	name, text string
	method     uint16
}

// archive is a zip as archive/zip writes it.
func archive(t testing.TB, comment string, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		to, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: f.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(to, f.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SetComment(comment); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// raw is a zip with one stored entry, without a data descriptor, as Python writes it.
func raw(name, text string) []byte {
	var b []byte
	sum := crc32.ChecksumIEEE([]byte(text))
	b = append(b, "PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint32(b, sum)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, 0, 0)
	b = append(append(b, name...), text...)
	at := len(b)
	b = append(b, "PK\x01\x02\x14\x00\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint32(b, sum)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, make([]byte, 16)...)
	b = append(b, name...)
	size := len(b) - at
	b = append(b, "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, uint32(at))
	return append(b, 0, 0)
}

// with changes the bytes at a place counted from the first mark of that kind.
func with(b []byte, mark string, at int, to ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[bytes.LastIndex(b, []byte(mark))+at:], to)
	return b
}

const (
	local   = "PK\x03\x04"
	central = "PK\x01\x02"
	ending  = "PK\x05\x06"
)

// TestScan covers the classes of hostile archives.
func TestScan(t *testing.T) {
	const inner = "plain text of some length"
	one := raw("a.bin", inner)
	two := archive(t, "", file{"a", inner, zip.Deflate}, file{"b", inner, zip.Store})
	other := raw("evil", inner)
	hollow := func(b []byte) []byte { return bytes.Clone(b[:bytes.Index(b, []byte(central))]) }
	nested := []byte(raw("x", inner))
	for range 50 {
		nested = raw("x", string(nested))
	}
	tests := []struct {
		name    string
		b       []byte
		outcome scan.Outcome
		rules   []string
		members map[string]string
	}{
		{"one", one, scan.Clean, nil, map[string]string{"a.bin": "clean"}},
		{"two", two, scan.Clean, nil, map[string]string{"a": "clean", "b": "clean"}},
		{"comment", archive(t, "hello"), scan.Clean, nil, map[string]string{}},
		{"an archive in one", raw("in.zip", string(two)), scan.Clean, nil, map[string]string{"in.zip": "clean", "in.zip!a": "clean", "in.zip!b": "clean"}},
		{"wrong checksum", with(with(one, local, 14, 9), central, 16, 9), scan.Dangerous, []string{"zip/checksum"}, map[string]string{"a.bin": "clean"}},
		{"checksum in one header", with(one, local, 14, 9), scan.Dangerous, []string{"zip/headers-disagree"}, map[string]string{"a.bin": "clean"}},
		{"encrypted", with(with(one, local, 6, 1), central, 8, 1), scan.Incomplete, []string{"zip/encrypted"}, map[string]string{"a.bin": "incomplete"}},
		{"encrypted in the directory alone", with(one, central, 8, 1), scan.Dangerous, []string{"zip/encrypted", "zip/headers-disagree"}, map[string]string{"a.bin": "incomplete"}},
		{"encrypted in the header alone", with(one, local, 6, 1), scan.Dangerous, []string{"zip/headers-disagree"}, map[string]string{"a.bin": "clean"}},
		{"two names", with(one, local, 30, 'b'), scan.Dangerous, []string{"zip/headers-disagree"}, map[string]string{"a.bin": "clean"}},
		{"two sizes", with(one, local, 18, 9), scan.Dangerous, []string{"zip/headers-disagree"}, map[string]string{"a.bin": "clean"}},
		{"two methods", with(one, local, 8, 8), scan.Dangerous, []string{"zip/headers-disagree"}, map[string]string{"a.bin": "clean"}},
		{"a method that nobody knows", with(with(one, local, 8, 77), central, 10, 77), scan.Incomplete, []string{"zip/method"}, map[string]string{"a.bin": "incomplete"}},
		{"duplicate", archive(t, "", file{"a", inner, 0}, file{"a", inner, 0}), scan.Dangerous, []string{"zip/duplicate-name"}, map[string]string{"a": "clean"}},
		{"path", raw("../../a", inner), scan.Dangerous, []string{"zip/path"}, map[string]string{"../../a": "clean"}},
		{"absolute path", raw("/etc/a", inner), scan.Dangerous, []string{"zip/path"}, map[string]string{"/etc/a": "clean"}},
		{"zero in the name", raw("a\x00.txt", inner), scan.Dangerous, []string{"zip/name"}, map[string]string{"a\x00.txt": "clean"}},
		{"backslash", raw(`a\b`, inner), scan.Dangerous, []string{"zip/name"}, map[string]string{`a\b`: "clean"}},
		{"link", with(with(one, central, 5, 3), central, 38, 0, 0, 0xff, 0xa1), scan.Dangerous, []string{"zip/link"}, map[string]string{"a.bin": "clean"}},
		{"prefix", append([]byte(inner), one...), scan.Dangerous, []string{"core/polyglot", "zip/hidden-bytes"}, map[string]string{"a.bin": "clean", "(bytes 0 to 25)": "clean"}},
		{"trailing", append(bytes.Clone(one), inner...), scan.Dangerous, []string{"zip/hidden-bytes"}, map[string]string{"a.bin": "clean", "(bytes 133 to 158)": "clean"}},
		{"trailing text", append(bytes.Clone(one), "more"...), scan.Dangerous, []string{"core/unknown-format", "zip/hidden-bytes"}, nil},
		{"trailing zeros", append(bytes.Clone(one), 0, 0, 0), scan.Clean, nil, map[string]string{"a.bin": "clean"}},
		{"an unlisted entry", append(append(hollow(other), hollow(one)...), one[len(hollow(one)):]...), scan.Dangerous, []string{"zip/hidden-bytes", "zip/no-directory"}, map[string]string{"a.bin": "clean", "(bytes 0 to 59)": "incomplete", "(bytes 0 to 59)!evil": "clean"}},
		{"end in a comment", append(with(one, ending, 20, byte(len(other))), other...), scan.Dangerous, []string{"core/unknown-format", "zip/hidden-bytes", "zip/no-directory", "zip/second-end"}, nil},
		{"zip64 lies", zip64(one), scan.Dangerous, []string{"zip/count", "zip/two-sizes"}, map[string]string{"a.bin": "clean"}},
		{"wrong count", with(one, ending, 8, 7, 0, 7), scan.Dangerous, []string{"zip/count"}, map[string]string{"a.bin": "clean"}},
		{"another disk", with(one, ending, 4, 1), scan.Dangerous, []string{"zip/disks"}, map[string]string{"a.bin": "clean"}},
		{"overlap", overlap(), scan.Dangerous, nil, nil},
		{"no directory", hollow(one), scan.Incomplete, []string{"zip/no-directory"}, map[string]string{"a.bin": "clean"}},
		{"no directory, unknown lengths", hollow(two), scan.Dangerous, []string{"zip/hidden-bytes", "zip/no-directory"}, nil},
		{"an entry behind the end", with(one, central, 42, 0xff, 0xff), scan.Dangerous, []string{"zip/entry", "zip/hidden-bytes", "zip/no-directory"}, nil},
		{"fifty deep", nested, scan.Incomplete, []string{"budget/depth"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			all := scantest.Scan(t, scanner(), test.b)
			got := scantest.File(all)
			if got.Outcome != test.outcome || !strings.HasPrefix(got.Format, "zip") {
				t.Errorf("outcome %s of %s, want %s; findings %+v", got.Outcome, got.Format, test.outcome, got.Findings)
			}
			if test.rules != nil || test.outcome == scan.Clean {
				if diff := cmp.Diff(scantest.Rules(all), test.rules); diff != "" {
					t.Errorf("rules (-got +want):\n%s\n%+v", diff, all)
				}
			}
			if diff := cmp.Diff(scantest.Members(all), test.members); test.members != nil && diff != "" {
				t.Errorf("members (-got +want):\n%s", diff)
			}
			if c := got.Coverage; test.outcome == scan.Clean && c.Unread != 0 {
				t.Errorf("coverage %+v", c)
			}
		})
	}
}

// TestInTar: a small archive in a tar archive is an entry, not a second format.
func TestInTar(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, body := range map[string][]byte{"a.zip": raw("a", "plain text"), "b": []byte("plain text")} {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(body)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		w.Write(body)
	}
	w.Close()
	s := scanner()
	s.Formats = append(s.Formats, tarfile.Format{})
	all := scantest.Scan(t, s, b.Bytes())
	if got := scantest.File(all); got.Outcome != scan.Clean || got.Format != "tar" || scantest.Members(all)["a.zip!a"] != "clean" {
		t.Errorf("got %+v with %v", got, scantest.Members(all))
	}
}

// zip64 adds a larger end record that counts otherwise.
func zip64(b []byte) []byte {
	at := bytes.Index(b, []byte(ending))
	end := b[at:]
	out := append(bytes.Clone(b[:at]), "PK\x06\x06\x2c\x00\x00\x00\x00\x00\x00\x00\x2d\x00\x2d\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	for _, v := range []uint64{3, 3, uint64(binary.LittleEndian.Uint32(end[12:])), uint64(binary.LittleEndian.Uint32(end[16:]))} {
		out = binary.LittleEndian.AppendUint64(out, v)
	}
	out = append(out, "PK\x06\x07\x00\x00\x00\x00"...)
	out = binary.LittleEndian.AppendUint64(out, uint64(at))
	return append(append(out, 1, 0, 0, 0), end...)
}

// overlap is an archive with many directory entries for one deflated stream of zeros.
func overlap() []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	to, _ := w.Create("zeros")
	to.Write(make([]byte, 32<<20))
	w.Close()
	at := bytes.Index(b.Bytes(), []byte(central))
	end := bytes.Index(b.Bytes(), []byte(ending))
	one := b.Bytes()[at:end]
	const n = 20_000
	out := append(bytes.Clone(b.Bytes()[:at]), bytes.Repeat(one, n)...)
	tail := bytes.Clone(b.Bytes()[end:])
	binary.LittleEndian.PutUint16(tail[8:], n)
	binary.LittleEndian.PutUint16(tail[10:], n)
	binary.LittleEndian.PutUint32(tail[12:], uint32(len(one)*n))
	return append(out, tail...)
}

// TestBounded ends bombs in bounded time and memory.
func TestBounded(t *testing.T) {
	var many bytes.Buffer
	w := zip.NewWriter(&many)
	for i := range 210_000 {
		if _, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	bomb := archive(t, "", file{"zeros", strings.Repeat("\x00", 270<<20), zip.Deflate})
	for name, b := range map[string][]byte{"overlap": overlap(), "many entries": many.Bytes(), "bomb": bomb} {
		t.Run(name, func(t *testing.T) {
			scantest.Bounded(t, func() {
				if got := scantest.File(scantest.Scan(t, scanner(), b)); got.Outcome == scan.Clean {
					t.Errorf("it is %s", got.Outcome)
				}
			})
		})
	}
}

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	const inner = "plain text"
	f.Add(raw("a.bin", inner))
	f.Add(archive(f, "c", file{"a", inner, zip.Deflate}, file{"b", inner, zip.Store}))
	f.Add(zip64(raw("a", inner)))
	f.Add(append([]byte("x"), raw("../a", inner)...))
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

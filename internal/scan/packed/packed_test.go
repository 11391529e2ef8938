package packed_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/packed"
	"github.com/assize/assize/internal/scan/scantest"
)

func scanner() *scan.Scanner { return &scan.Scanner{Formats: append(packed.Formats(), plain{})} }

// plain is a format of members: what the files of testdata hold.
type plain struct{}

func (plain) Name() string { return "plain" }

func (plain) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if bytes.HasPrefix(head, []byte("plain ")) {
		return scan.Sure
	}
	return scan.No
}

// Scan is content only where it can be read to the end.
func (plain) Scan(_ context.Context, in *scan.Input, out *scan.Sink) error {
	b := make([]byte, in.Size)
	if _, err := in.ReadAt(b, 0); err != nil && err != io.EOF {
		return err
	}
	for part := range strings.SplitSeq(string(b), "plain ") {
		if strings.Trim(part, "tex ") != "" {
			return scan.Problemf("plain/other", 0, "other text")
		}
	}
	out.Structured(0, in.Size)
	return nil
}

// stored reads a stream that Python wrote: gzip, bz2, lzma and zlib of 3.11,
// lz4 4.4.5 and zstandard 0.25.0 of "plain " and 5000 times "text ".
func stored(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func names() []string {
	return []string{"gzip", "bzip2", "xz", "xz-sha256", "xz-none", "lzma", "lz4", "zstd", "zlib"}
}

// TestScan reads each format, whole, twice, cut, changed, and with something behind.
func TestScan(t *testing.T) {
	for _, name := range names() {
		t.Run(name, func(t *testing.T) {
			b := stored(t, name)
			format, _, _ := strings.Cut(name, "-")
			all := scantest.Scan(t, scanner(), b)
			if got := scantest.File(all); got.Outcome != scan.Clean || got.Format != format || got.Coverage.Unread != 0 {
				t.Fatalf("got %+v", got)
			}
			if diff := cmp.Diff(all[0].Coverage, scan.Coverage{Bytes: 25006, Structured: 25006}); diff != "" || all[0].Path != "file!content" {
				t.Errorf("%s, coverage (-got +want):\n%s", all[0].Path, diff)
			}
			for _, at := range []int{len(b) / 2, len(b) - 1} {
				if got := scantest.File(scantest.Scan(t, scanner(), b[:at])); got.Outcome != scan.Incomplete {
					t.Errorf("cut to %d of %d bytes: %s", at, len(b), got.Outcome)
				}
			}
			twice := scantest.File(scantest.Scan(t, scanner(), append(bytes.Clone(b), b...)))
			if one := name == "zlib" || name == "lzma"; one && twice.Outcome != scan.Dangerous || !one && (twice.Outcome != scan.Clean || twice.Coverage.Unread != 0) {
				t.Errorf("two streams: %+v", twice)
			}
			trailing := scantest.File(scantest.Scan(t, scanner(), append(bytes.Clone(b), "plain text"...)))
			if trailing.Outcome == scan.Clean {
				t.Errorf("something behind the stream: %s", trailing.Outcome)
			}
			if name != "zlib" && name != "lzma" && name != "lz4" && name != "xz-none" { // which have weaker sums, or none
				changed := bytes.Clone(b)
				changed[len(b)/2] ^= 1
				if got := scantest.File(scantest.Scan(t, scanner(), changed)); got.Outcome == scan.Clean {
					t.Errorf("a changed bit: %s", got.Outcome)
				}
			}
		})
	}
}

// TestTrailing scans what stands behind a stream.
func TestTrailing(t *testing.T) {
	b := append(stored(t, "gzip"), "plain text"...)
	all := scantest.Scan(t, scanner(), b)
	if diff := cmp.Diff(scantest.Rules(all), []string{"gzip/trailing-bytes"}); diff != "" || scantest.Members(all)["(bytes 85 to 95)"] != "clean" {
		t.Errorf("members %v, rules (-got +want):\n%s", scantest.Members(all), diff)
	}
	padded := append(stored(t, "gzip"), make([]byte, 100_000)...)
	if got := scantest.File(scantest.Scan(t, scanner(), padded)); got.Outcome != scan.Clean {
		t.Errorf("zeros behind a stream: %+v", got)
	}
}

// TestNested expands streams in streams within the budget of memory.
func TestNested(t *testing.T) {
	b := stored(t, "xz")
	for range 5 {
		var next bytes.Buffer
		z := gzip.NewWriter(&next)
		z.Write(b)
		z.Close()
		b = next.Bytes()
	}
	if got := scantest.File(scantest.Scan(t, scanner(), b)); got.Outcome != scan.Clean {
		t.Errorf("got %+v", got)
	}
}

// TestLookAlikes are texts that begin as streams do.
func TestLookAlikes(t *testing.T) {
	for _, text := range []string{"x\x9cyz is a text", "BZh1 begins a line", "]\x00\x00\x80\x00 and more text", "\x1f\x8b", "x\x01\x00\x00"} {
		if got := scantest.File(scantest.Scan(t, scanner(), []byte(text))); got.Format != "" {
			t.Errorf("%q is taken for %s", text, got.Format)
		}
	}
}

// TestBounded ends bombs and claims of much memory.
func TestBounded(t *testing.T) {
	var bomb bytes.Buffer
	for range 3 {
		var next bytes.Buffer
		z := gzip.NewWriter(&next)
		if bomb.Len() == 0 {
			zeros := make([]byte, 1<<20)
			for range 300 {
				z.Write(zeros)
			}
		}
		z.Write(bomb.Bytes())
		z.Close()
		bomb = next
	}
	dict := stored(t, "lzma")
	copy(dict[1:], "\x00\x00\x00\xc0")
	block := stored(t, "xz")
	block[16] = 40 // 4 GiB less one
	sum := crc32.ChecksumIEEE(block[12:20])
	block[20], block[21], block[22], block[23] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
	frame := append([]byte("\x28\xb5\x2f\xfd\x00\xff"), make([]byte, 100)...)
	for name, b := range map[string][]byte{"gzip in gzip": bomb.Bytes(), "lzma": dict, "xz": block, "zstd": frame} {
		t.Run(name, func(t *testing.T) {
			scantest.Bounded(t, func() {
				if got := scantest.File(scantest.Scan(t, scanner(), b)); got.Outcome != scan.Incomplete {
					t.Errorf("it is %+v", got)
				}
			})
		})
	}
}

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	for _, name := range names() {
		f.Add(stored(f, name))
	}
	f.Add(append(stored(f, "gzip"), stored(f, "xz")...))
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

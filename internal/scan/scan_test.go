package scan_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan"
)

// lines is a format of our own: every line that says "bad" is malicious, "in NAME TEXT" a member.
type lines struct{ magic string }

func (l lines) Name() string { return "lines" + l.magic }

func (l lines) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if bytes.Contains(head, []byte(l.magic)) {
		return scan.Sure
	}
	return scan.No
}

func (l lines) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	b := make([]byte, in.Size)
	if _, err := in.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var off int64
	for line := range strings.Lines(string(b)) {
		n := int64(len(line))
		f := strings.Fields(line)
		switch {
		case len(f) > 0 && f[0] == "bad":
			out.Find(scan.Finding{Rule: "lines/bad", Outcome: scan.Malicious, Offset: off, Capability: scan.Execute, Evidence: line})
		case len(f) > 0 && f[0] == "stop":
			out.Structured(0, off)
			return scan.Problemf("lines/stop", off, "stops here")
		case len(f) > 2 && f[0] == "in":
			body := strings.Join(f[2:], "\n")
			open := func(context.Context) (io.ReaderAt, error) { return strings.NewReader(body), nil }
			if err := out.Members(ctx, []scan.Entry{{Name: f[1], Size: int64(len(body)), Open: open}}); err != nil {
				return err
			}
		}
		out.Structured(off, n)
		off += n
	}
	return nil
}

func scanner(magics ...string) *scan.Scanner {
	s := &scan.Scanner{Budget: scan.DefaultBudget(), Now: time.Now}
	for _, m := range magics {
		s.Formats = append(s.Formats, lines{m})
	}
	return s
}

func reports(t *testing.T, s *scan.Scanner, content string) []scan.FileReport {
	t.Helper()
	var all []scan.FileReport
	err := s.Reader(t.Context(), "f", strings.NewReader(content), int64(len(content)), func(r scan.FileReport) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWorstWins(t *testing.T) {
	for _, c := range []struct {
		name, content string
		magics        []string
		want          []string
	}{
		{"clean", "#1\nx\n", []string{"#1"}, []string{"f lines#1 clean 5/0/0"}},
		{"member is bad", "#1\nin m #1 bad\n", []string{"#1"}, []string{"f!m lines#1 malicious 6/0/0", "f lines#1 malicious 15/0/0"}},
		{"member of no format", "#1\nin m zz zz\n", []string{"#1"}, []string{"f!m  incomplete 0/0/5", "f lines#1 incomplete 14/0/0"}},
		{"stops", "#1\nstop\nbad\n", []string{"#1"}, []string{"f lines#1 incomplete 3/0/9"}},
		{"bad before it stops", "#1\nbad\nstop\n", []string{"#1"}, []string{"f lines#1 malicious 7/0/5"}},
		{"two formats", "#1 #2\n", []string{"#1", "#2"}, []string{"f lines#1+lines#2 dangerous 6/0/0"}},
		{"no format", "zz", []string{"#1"}, []string{"f  incomplete 0/0/2"}},
		{"empty", "", nil, []string{"f empty clean 0/0/0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, r := range reports(t, scanner(c.magics...), c.content) {
				if len(r.Digest) != 71 && r.Coverage.Bytes > 0 {
					t.Errorf("digest %q", r.Digest)
				}
				got = append(got, fmt.Sprintf("%s %s %s %d/%d/%d", r.Path, r.Format, r.Outcome, r.Coverage.Structured, r.Coverage.Opaque, r.Coverage.Unread))
			}
			if d := cmp.Diff(got, c.want); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestBudgetsEndAScan(t *testing.T) {
	clock := time.Unix(0, 0)
	late := scanner("#1")
	late.Now = func() time.Time { clock = clock.Add(time.Minute); return clock }
	few := scanner("#1")
	few.Budget.Entries = 1
	for _, c := range []struct {
		name, rule, content string
		s                   *scan.Scanner
	}{
		{"entries", "budget/entries", "#1\nin a #1 x\nin b #1 x\n", few},
		{"time", "budget/time", "#1\n", late},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := reports(t, c.s, c.content)
			last := all[len(all)-1]
			if last.Outcome != scan.Incomplete || len(last.Findings) == 0 || last.Findings[0].Rule != c.rule {
				t.Errorf("got %+v, want incomplete by %s", last, c.rule)
			}
		})
	}
}

// packed is a format of gzip streams whose one member is read through Expand.
type packed struct{ lines }

func (packed) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		return scan.Sure
	}
	return scan.No
}

func (packed) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	out.Structured(0, in.Size)
	return out.Members(ctx, []scan.Entry{{Name: "plain", Open: func(ctx context.Context) (io.ReaderAt, error) {
		return out.Expand(ctx, in.Size, func() (io.Reader, error) {
			return gzip.NewReader(io.NewSectionReader(in, 0, in.Size))
		})
	}}})
}

// places is a format that reads its input at places back and forth and compares.
type places struct {
	t    *testing.T
	want []byte
}

func (places) Name() string { return "places" }

func (places) Sniff([]byte, *scan.Input) scan.Confidence { return scan.Sure }

func (p places) Scan(_ context.Context, in *scan.Input, out *scan.Sink) error {
	if in.Size != int64(len(p.want)) {
		p.t.Errorf("got %d bytes, want %d", in.Size, len(p.want))
	}
	for _, off := range []int64{0, 1 << 20, 5 << 20, 5<<20 - 70_000, 100, 1<<20 - 50_000, in.Size - 10, in.Size - 1<<20 - 50_000, in.Size - 3<<20, in.Size - 1} {
		b := make([]byte, min(100_000, in.Size-off))
		if n, err := in.ReadAt(b, off); n != len(b) || err != nil {
			p.t.Errorf("read at %d: %d, %v", off, n, err)
		}
		if !bytes.Equal(b, p.want[off:off+int64(len(b))]) {
			p.t.Errorf("other bytes at %d", off)
		}
	}
	out.Opaque(0, in.Size)
	return nil
}

func TestExpandedDataIsReadAtAnyPlace(t *testing.T) {
	for _, size := range []int{8 << 20, 33 << 20} { // kept, and expanded again
		plain := make([]byte, size)
		r := rand.New(rand.NewPCG(1, 2))
		for i := 0; i < size; i += 8 {
			binary.LittleEndian.PutUint64(plain[i:], r.Uint64()&0x0303030303030303)
		}
		var zipped bytes.Buffer
		w, _ := gzip.NewWriterLevel(&zipped, gzip.HuffmanOnly)
		w.Write(plain)
		w.Close()
		s := scanner()
		s.Formats = []scan.Format{packed{}}
		s.Budget.Time = 10 * time.Minute // it is not what is tested
		inner := places{t, plain}
		s.Formats = append(s.Formats, unlessPacked{inner})
		all := reports(t, s, zipped.String())
		if len(all) != 2 || all[0].Outcome != scan.Clean || all[1].Outcome != scan.Clean {
			t.Errorf("%d bytes: got %+v", size, all)
		}
		for i, content := range [][]byte{plain, zipped.Bytes()} {
			if got, want := all[i].Digest, fmt.Sprintf("sha256:%x", sha256.Sum256(content)); got != want {
				t.Errorf("%d bytes: the digest of %s is %s, want %s", size, all[i].Path, got, want)
			}
		}
	}
}

// TestDigest is that of all bytes, around the sizes at which it is made in another way.
func TestDigest(t *testing.T) {
	for _, size := range []int{1, 512 << 10, 512<<10 + 1, 1 << 20, 5<<20 - 3, 9 << 20} {
		content := "#1\n" + strings.Repeat("text\n", size/5) + strings.Repeat("x", size%5)
		all := reports(t, scanner("#1"), content)
		if got, want := all[0].Digest, fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content))); got != want {
			t.Errorf("%d bytes: got %s, want %s", size, got, want)
		}
	}
}

// short is a file that ends before its size.
type short struct{ io.ReaderAt }

// TestDigestOfWhatIsGone: a file that cannot be read to its end has no digest and is not clean.
func TestDigestOfWhatIsGone(t *testing.T) {
	s := scanner()
	s.Formats = []scan.Format{opaque{}}
	var got scan.FileReport
	err := s.Reader(t.Context(), "f", short{strings.NewReader(strings.Repeat("x", 3<<20))}, 5<<20, func(r scan.FileReport) error {
		got = r
		return nil
	})
	if err != nil || got.Outcome != scan.Incomplete || got.Digest != "" {
		t.Errorf("got %+v, %v, want incomplete without a digest", got, err)
	}
}

// opaque is a format whose data nobody reads.
type opaque struct{ places }

func (opaque) Scan(_ context.Context, in *scan.Input, out *scan.Sink) error {
	out.Opaque(0, in.Size)
	return nil
}

// counting counts the bytes that are read.
type counting struct {
	io.ReaderAt
	n atomic.Int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.n.Add(int64(len(p)))
	return c.ReaderAt.ReadAt(p, off)
}

// TestNoDigest: without digests nobody reads data that the format accounts for, and all else is as it was.
func TestNoDigest(t *testing.T) {
	s := scanner()
	s.Formats = []scan.Format{opaque{}}
	const size = 8 << 20
	var got []scan.FileReport
	for _, s.NoDigest = range []bool{false, true} {
		in := &counting{ReaderAt: strings.NewReader(strings.Repeat("x", size))}
		err := s.Reader(t.Context(), "f", in, size, func(r scan.FileReport) error {
			got = append(got, r)
			return nil
		})
		if n := in.n.Load(); err != nil || s.NoDigest && n > 4096 || !s.NoDigest && n < size {
			t.Errorf("no digest %v: read %d bytes, %v", s.NoDigest, n, err)
		}
	}
	if got[1].Digest != "" || got[0].Digest == "" {
		t.Errorf("digests %q and %q, want one and none", got[0].Digest, got[1].Digest)
	}
	got[0].Digest = ""
	if d := cmp.Diff(got[0], got[1]); d != "" {
		t.Error(d)
	}
}

type unlessPacked struct{ places }

func (unlessPacked) Sniff(head []byte, in *scan.Input) scan.Confidence {
	return scan.Sure - packed{}.Sniff(head, in)
}

func TestBombIsIncomplete(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	io.CopyN(w, zeros{}, 40<<20)
	w.Close()
	s := scanner()
	s.Budget.Floor = 16 << 20
	s.Formats = []scan.Format{packed{}}
	all := reports(t, s, zipped.String())
	if got := all[0].Findings; len(got) == 0 || got[0].Rule != "budget/ratio" {
		t.Errorf("got %+v, want budget/ratio", got)
	}
	if all[1].Outcome != scan.Incomplete {
		t.Errorf("the container is %s, want incomplete", all[1].Outcome)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestWhatIsNoFileIsIncomplete(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("a", "#1\n")
	if err := syscall.Mkfifo(filepath.Join(dir, "b-pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", filepath.Join(dir, "c-link")); err != nil {
		t.Fatal(err)
	}
	put("d-hole", "")
	if err := os.Truncate(filepath.Join(dir, "d-hole"), 1<<40); err != nil {
		t.Skip("the file system has no holes: ", err)
	}
	got := map[string]scan.Outcome{}
	err := scanner("#1").Path(t.Context(), dir, func(r scan.FileReport) error {
		got[filepath.Base(r.Path)] = r.Outcome
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]scan.Outcome{"a": scan.Clean, "b-pipe": scan.Incomplete, "c-link": scan.Incomplete, "d-hole": scan.Incomplete}
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}
}

// growing appends to the file when it is scanned.
type growing struct {
	lines
	path string
}

func (g growing) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	f, err := os.OpenFile(g.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteString("more"); err != nil {
		return err
	}
	return g.lines.Scan(ctx, in, out)
}

func TestChangeWhileReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("#1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := scanner()
	s.Formats = []scan.Format{growing{lines{"#1"}, path}}
	var got []string
	err := s.Path(t.Context(), path, func(r scan.FileReport) error {
		for _, f := range r.Findings {
			got = append(got, f.Rule)
		}
		return nil
	})
	if d := cmp.Diff(got, []string{"core/changed"}); err != nil || d != "" {
		t.Error(err, d)
	}
}

func TestOutcomeTravelsAsText(t *testing.T) {
	for o := scan.Clean; o <= scan.Malicious; o++ {
		b, _ := o.MarshalText()
		var got scan.Outcome
		if err := got.UnmarshalText(b); err != nil || got != o {
			t.Errorf("got %v, %v, want %v", got, err, o)
		}
	}
	var o scan.Outcome
	if err := o.UnmarshalText([]byte("fine")); err == nil {
		t.Error("an unknown outcome was read")
	}
}

// asks is a format that wants to know which models lie beside a file.
type asks struct {
	scan.Format
	learnt, names *int
}

func (a asks) Scan(_ context.Context, in *scan.Input, out *scan.Sink) error {
	v, err := in.Beside("count", func() (any, error) { *a.learnt++; return len(in.Siblings(".model")), nil })
	*a.names += v.(int)
	out.Opaque(0, in.Size)
	return err
}

// TestFolderIsLearntOnce: what is asked of a folder is found out once while its files
// are scanned, below it and beside it too, whether the folder or its files are named.
func TestFolderIsLearntOnce(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for i := range 200 {
		for _, sub := range []string{"", "a100"} {
			name := filepath.Join(dir, sub, fmt.Sprintf("a%03d", i)) // a100 lies among them
			if sub == "" && i == 100 {
				name += ".model"
			}
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte("#1\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if sub == "" {
				files = append(files, name)
			}
		}
	}
	for _, test := range []struct {
		paths                []string
		files, learnt, names int
	}{{[]string{dir}, 400, 2, 200}, {files, 200, 1, 200}} {
		s, learnt, names, n := scanner(), 0, 0, 0
		s.Formats = []scan.Format{asks{lines{"#1"}, &learnt, &names}}
		err := s.Paths(t.Context(), test.paths, func(r scan.FileReport) error {
			n++
			return nil
		})
		got, want := []int{n, learnt, names}, []int{test.files, test.learnt, test.names}
		if d := cmp.Diff(got, want); err != nil || d != "" {
			t.Errorf("%v, files, times learnt and models (-got +want):\n%s", err, d)
		}
	}
}

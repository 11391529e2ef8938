package suite_test

import (
	"archive/tar"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
	"github.com/assize/assize/internal/scan/scantest"
	"github.com/assize/assize/internal/scan/suite"
)

// long names the variable that makes the large cases run too:
//
//	ASSIZE_LONG=1 go test -run Classes -v ./internal/scan/suite
const long = "ASSIZE_LONG"

// class is a kind of hostile or innocent file, by its number in the list that the
// project keeps, with one or more cases of it. The tests of the readers have more.
type class struct {
	number int
	what   string
	cases  []nasty
}

// nasty is a file and the outcomes that it may have. large makes a case that takes long.
type nasty struct {
	name  string
	make  func() []byte
	allow []scan.Outcome
	large bool
}

func text(s string) func() []byte { return func() []byte { return []byte(s) } }

// TestClasses: each class of nasty input ends within 10 s of processor time and 512 MiB,
// and is told as what it is, or as incomplete where that is allowed.
func TestClasses(t *testing.T) {
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for _, c := range slices.Concat(pickleClasses(), containerClasses(), formatClasses()) {
		numbers = append(numbers, c.number)
		for _, one := range c.cases {
			t.Run(fmt.Sprintf("%d %s/%s", c.number, c.what, one.name), func(t *testing.T) {
				if one.large && os.Getenv(long) == "" {
					t.Skip("large; runs where " + long + " is set")
				}
				b := one.make()
				s := suite.Scanner(set, time.Now)
				s.Budget.Time *= 4 // by the clock, of a machine that others use too
				var all []scan.FileReport
				scantest.Bounded(t, func() { all = scantest.Scan(t, s, b) })
				if got := scantest.File(all); !slices.Contains(one.allow, got.Outcome) {
					t.Errorf("it is %s, want one of %s: %+v", got.Outcome, one.allow, got)
				}
				if c.number < 14 || one.large {
					return // nothing in a plain pickle hangs on the digest
				}
				s.NoDigest = true
				if diff := cmp.Diff(told(scantest.Scan(t, s, b)), told(all)); diff != "" {
					t.Errorf("without digests it is told otherwise (-without +with):\n%s", diff)
				}
			})
		}
	}
	slices.Sort(numbers)
	for n := 1; n <= 29; n++ {
		if _, found := slices.BinarySearch(numbers, n); !found && n != 27 && n != 28 { // those are about folders
			t.Errorf("class %d has no case", n)
		}
	}
}

// told is what a scan says of files, without digests and without the order of findings.
func told(all []scan.FileReport) (lines []string) {
	for _, r := range all {
		line := fmt.Sprint(r.Path, r.Format, r.Outcome, r.Coverage)
		for _, f := range r.Findings {
			lines = append(lines, line+f.Rule+f.Evidence)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// TestFolders: class 27 and 28, what may lie in a folder, and a folder of ten thousand
// files beside a model, of which all are asked for their weights.
func TestFolders(t *testing.T) {
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	odd := "a\nb\x1b[2J\u202egnp.\xff.pkl"
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(odd, []byte("cos\nsystem\n(S'true'\ntR."))
	write("model.onnx", onnxNested(1))
	const many = 10_000
	for i := range many {
		write(fmt.Sprintf("w%05d", i), []byte{1, 2, 3, 4})
	}
	if err := os.Symlink(".", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	write("hole", nil)
	if err := os.Truncate(filepath.Join(dir, "hole"), 1<<40); err != nil {
		t.Log("the file system has no holes: ", err)
	}
	got := map[string]scan.Outcome{}
	scantest.Bounded(t, func() {
		err = suite.Scanner(set, time.Now).Path(t.Context(), dir, func(r scan.FileReport) error {
			path := r.Escaped().Path
			if strings.ContainsAny(path, "\n\x1b\u202e\xff") {
				t.Errorf("%q is written as it is", path)
			}
			got[filepath.Base(r.Path)] = r.Outcome
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != many+4 || got[odd] != scan.Malicious || got["loop"] != scan.Incomplete || got["hole"] == scan.Malicious || got["w00001"] != scan.Incomplete {
		t.Errorf("%d files, among them %s, %s, %s, %s", len(got), got[odd], got["loop"], got["hole"], got["w00001"])
	}
}

// TestHoles: class 27, a terabyte of hole behind the first bytes of each format, some of
// them whole models by what they say, ends at once and says why.
func TestHoles(t *testing.T) {
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	const size = 1 << 40
	header := fmt.Sprintf(`{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%[1]d]}}`, int64(size-8-80))
	heads := map[string]string{
		"safetensors": tensors(header + strings.Repeat(" ", 80-len(header))),
		"npy":         npy(fmt.Sprintf("%-117s\n", fmt.Sprintf("{'descr': '|u1', 'fortran_order': False, 'shape': (%d,)}", int64(size-130))), 118),
		"gguf":        "GGUF\x03\x00\x00\x00", "zip": "PK\x03\x04", "hdf5": "\x89HDF\r\n\x1a\n", "gzip": string(gzipped(1)), "xz": "\xfd7zXZ\x00", "zstd": "\x28\xb5\x2f\xfd",
		"onnx": string(onnxNested(1)), "pickle": system + ".", "json": "{", "xml": "<?xml version='1.0'?>", "tar": string(tarOf(tar.Header{Name: "a", Typeflag: tar.TypeReg})), "nothing": "",
	}
	dir := t.TempDir()
	for name, head := range heads {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(head), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, size); err != nil {
			t.Skip("the file system has no holes: ", err)
		}
	}
	seen := 0
	scantest.Bounded(t, func() {
		err = suite.Scanner(set, time.Now).Path(t.Context(), dir, func(r scan.FileReport) error {
			seen++
			if r.Outcome != scan.Incomplete || len(r.Findings) != 1 || !strings.Contains(r.Findings[0].Evidence, "holes") {
				t.Errorf("%s: %+v, want incomplete for its holes", filepath.Base(r.Path), r)
			}
			return nil
		})
	})
	if err != nil || seen != len(heads) {
		t.Errorf("%d files, %v", seen, err)
	}
}

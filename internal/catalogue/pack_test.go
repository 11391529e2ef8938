package catalogue_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/catalogue"
)

func pack(t testing.TB) ([]byte, *catalogue.Packed) {
	t.Helper()
	var b bytes.Buffer
	p, err := open(t).Pack(&b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), p
}

func TestAPackIsTheCatalogueAndAlwaysTheSame(t *testing.T) {
	b, p := pack(t)
	again, _ := pack(t)
	if !bytes.Equal(b, again) {
		t.Error("packed twice, and the bytes differ")
	}
	got, err := catalogue.VerifyPack(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Error(diff)
	}
	if want := must(catalogue.Load())(t).Digest; got.Digest != want {
		t.Errorf("got digest %s, want that of the tables %s", got.Digest, want)
	}
}

func TestUseKeepsAPack(t *testing.T) {
	b, p := pack(t)
	dir := t.TempDir()
	file, home := filepath.Join(dir, "release.tar.gz"), filepath.Join(dir, "home")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := catalogue.InUse(home); got != "" {
		t.Errorf("got %q before any was used", got)
	}
	if _, err := catalogue.Use(file, home); err != nil {
		t.Fatal(err)
	}
	tables, err := catalogue.Open(catalogue.Options{Pack: catalogue.InUse(home)})
	if err != nil {
		t.Fatal(err)
	}
	if got := must(tables.Digest())(t); got != p.Digest {
		t.Errorf("got %s, want %s", got, p.Digest)
	}
	if faults := must(tables.Lint(nil))(t); len(faults) > 0 {
		t.Error(faults)
	}
	if err := os.WriteFile(file, b[:len(b)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := catalogue.Use(file, home); err == nil {
		t.Error("half a pack was taken into use")
	}
	if _, err := catalogue.Open(catalogue.Options{Pack: catalogue.InUse(home)}); err != nil {
		t.Errorf("the pack in use was harmed: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(home, "*")); len(left) != 1 {
		t.Errorf("got %q, want the pack alone", left)
	}
}

func TestAFolderIsNotPacked(t *testing.T) {
	tables, err := catalogue.Open(catalogue.Options{Dir: folder(t, sector)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tables.Pack(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "hint:") {
		t.Errorf("got %v", err)
	}
}

// repack changes the files of a pack.
func repack(t testing.TB, change func(name string, b []byte) (string, []byte)) []byte {
	t.Helper()
	b, _ := pack(t)
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	in, w := tar.NewReader(z), tar.NewWriter(zw)
	for {
		h, err := in.Next()
		if err != nil {
			break
		}
		var file bytes.Buffer
		if _, err := file.ReadFrom(in); err != nil {
			t.Fatal(err)
		}
		name, text := change(h.Name, file.Bytes())
		if name == "" {
			continue
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPacksThatAreRefused(t *testing.T) {
	whole, _ := pack(t)
	same := func(name string, b []byte) (string, []byte) { return name, b }
	if _, err := catalogue.VerifyPack(bytes.NewReader(repack(t, same))); err != nil {
		t.Fatalf("a pack that was only written again: %v", err)
	}
	for _, tt := range []struct {
		name, want string
		pack       []byte
	}{
		{"empty", "EOF", nil},
		{"no gzip", "invalid header", []byte("not a pack at all")},
		{"cut off", "unexpected EOF", whole[:len(whole)-100]},
		{"bytes after", "bytes follow its end", append(bytes.Clone(whole), 0)},
		{"two streams", "bytes follow its end", append(bytes.Clone(whole), whole...)},
		{"table changed", "the manifest does not say", repack(t, func(name string, b []byte) (string, []byte) {
			if name == "coverage.csv" {
				b = bytes.Replace(b, []byte(",x,"), []byte(",?,"), 1)
			}
			return name, b
		})},
		{"table missing", "is not expected there", repack(t, func(name string, b []byte) (string, []byte) {
			if name == "coverage.csv" {
				name = ""
			}
			return name, b
		})},
		{"last table missing", "it ends before tables.yaml", repack(t, func(name string, b []byte) (string, []byte) {
			if name == "tables.yaml" {
				name = ""
			}
			return name, b
		})},
		{"path out of the pack", "is not expected there", repack(t, func(name string, b []byte) (string, []byte) {
			if name == "goals.yaml" {
				name = "../goals.yaml"
			}
			return name, b
		})},
		{"table too long", "is not expected there", repack(t, func(name string, b []byte) (string, []byte) {
			if name == "goals.yaml" {
				b = make([]byte, 5<<20)
			}
			return name, b
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := catalogue.VerifyPack(bytes.NewReader(tt.pack))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to hold %q", err, tt.want)
			}
		})
	}
}

// TestABombIsRefused reads a pack that unpacks to far more than it may.
func TestABombIsRefused(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "MANIFEST", Size: 3 << 20, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 3 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for range 64 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := catalogue.VerifyPack(bytes.NewReader(b.Bytes())); err == nil {
		t.Error("a bomb was read")
	}
}

func FuzzVerifyPack(f *testing.F) {
	whole, _ := pack(f)
	f.Add(whole[:200])
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255})
	f.Add(repack(f, func(name string, b []byte) (string, []byte) { return name, b[:min(10, len(b))] }))
	want := must(open(f).Digest())(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := catalogue.VerifyPack(bytes.NewReader(b))
		if err == nil && p.Digest == want && len(b) < len(whole)/2 {
			t.Errorf("%d bytes verify as the whole catalogue", len(b))
		}
	})
}

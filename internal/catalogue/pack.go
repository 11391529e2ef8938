package catalogue

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
)

// A pack is a gzipped tar: first "MANIFEST", a line a table in the order of the
// program ("sha256:<hex>  <size>  <file>"), then those files. Names, modes and
// times are fixed, so equal tables give equal bytes.
const manifestName = "MANIFEST"

// maxPackBytes bounds a pack and what comes out of it.
const maxPackBytes = 32 << 20

// Packed is what a pack holds, by its manifest.
type Packed struct {
	Digest artefact.Digest `json:"digest"` // the catalogue's, which a dossier names
	Files  []PackedFile    `json:"files"`
}

// PackedFile is one table of a pack.
type PackedFile struct {
	Name      string          `json:"name"`
	Digest    artefact.Digest `json:"digest"`
	SizeBytes int             `json:"size_bytes"`
}

// Pack writes the base tables as a release. What a user's folder adds is not
// released with them.
func (t *Tables) Pack(w io.Writer) (*Packed, error) {
	if len(t.layers) > 1 {
		return nil, errors.New("pack catalogue: a folder is laid over it\nhint: pack without --catalogue; merge the folder's rows into the tables first")
	}
	var manifest strings.Builder
	contents := map[string][]byte{}
	p := &Packed{}
	for _, name := range fileNames() {
		b, err := t.layers[0].readFile(name)
		if err != nil {
			return nil, err
		}
		if b == nil {
			return nil, fmt.Errorf("pack catalogue: %s: missing", t.layers[0].place(name))
		}
		contents[name] = b
		f := PackedFile{name, artefact.DigestBytes(b), len(b)}
		p.Files = append(p.Files, f)
		fmt.Fprintf(&manifest, "%s  %d  %s\n", f.Digest, f.SizeBytes, name)
	}
	contents[manifestName] = []byte(manifest.String())
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	a := tar.NewWriter(z)
	for _, name := range append([]string{manifestName}, fileNames()...) {
		if err := a.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(contents[name])), Format: tar.FormatUSTAR}); err != nil {
			return nil, fmt.Errorf("pack catalogue: %w", err)
		}
		if _, err := a.Write(contents[name]); err != nil {
			return nil, fmt.Errorf("pack catalogue: %w", err)
		}
	}
	if err := errors.Join(a.Close(), z.Close()); err != nil {
		return nil, fmt.Errorf("pack catalogue: %w", err)
	}
	p.Digest, err = t.Digest()
	return p, err
}

// VerifyPack reads a pack that somebody handed over: every table there once,
// nothing else, each as its manifest says, and the whole without fault by lint.
func VerifyPack(r io.Reader) (*Packed, error) {
	tables, err := unpack(r)
	if err != nil {
		return nil, err
	}
	t := &Tables{layers: []layer{{packed: tables}}, sheets: map[string]any{}}
	faults, err := t.Lint(nil)
	if err != nil {
		return nil, fmt.Errorf("verify pack: %w", err)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("verify pack: %d faults, the first: %s", len(faults), faults[0])
	}
	p := &Packed{}
	for _, name := range fileNames() {
		b := tables[name]
		p.Files = append(p.Files, PackedFile{name, artefact.DigestBytes(b), len(b)})
	}
	p.Digest, err = t.Digest()
	return p, err
}

// bounded stops a reader that gives more than it may.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("more than %d bytes", maxPackBytes)
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// unpack reads a pack into memory within its limits and checks its manifest.
func unpack(r io.Reader) (map[string][]byte, error) {
	in := bufio.NewReader(&bounded{r, maxPackBytes})
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("read pack: %w\nhint: a pack is what \"assize catalogue pack\" writes", err)
	}
	z.Multistream(false)
	a := tar.NewReader(&bounded{z, maxPackBytes})
	tables := map[string][]byte{}
	order := append([]string{manifestName}, fileNames()...)
	var manifest []byte
	for i := 0; ; i++ {
		h, err := a.Next()
		if errors.Is(err, io.EOF) && i == len(order) {
			break
		}
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read pack: it ends before %s\nhint: it is cut off, or of another version of assize", order[i])
		}
		if err != nil {
			return nil, fmt.Errorf("read pack: %w", err)
		}
		if i >= len(order) || h.Name != order[i] || h.Typeflag != tar.TypeReg || h.Size > maxFileBytes {
			return nil, fmt.Errorf("read pack: %.80q is not expected there\nhint: a pack holds its manifest and the tables in order, each at most %d bytes", h.Name, maxFileBytes)
		}
		b, err := io.ReadAll(io.LimitReader(a, maxFileBytes))
		if err != nil {
			return nil, fmt.Errorf("read pack: %s: %w", h.Name, err)
		}
		if i == 0 {
			manifest = b
			continue
		}
		tables[h.Name] = b
	}
	if _, err := io.Copy(io.Discard, z); err != nil {
		return nil, fmt.Errorf("read pack: %w", err)
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read pack: bytes follow its end")
	}
	var want bytes.Buffer
	for _, name := range fileNames() {
		fmt.Fprintf(&want, "%s  %d  %s\n", artefact.DigestBytes(tables[name]), len(tables[name]), name)
	}
	if got, all := bytes.Split(manifest, []byte("\n")), bytes.Split(want.Bytes(), []byte("\n")); !bytes.Equal(manifest, want.Bytes()) {
		i := slices.IndexFunc(all, func(line []byte) bool {
			return !slices.ContainsFunc(got, func(g []byte) bool { return bytes.Equal(g, line) })
		})
		return nil, fmt.Errorf("verify pack: the manifest does not say %q", all[max(i, 0)])
	}
	return tables, nil
}

// readPack reads the tables of a pack file.
func readPack(path string) (map[string][]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	defer f.Close()
	tables, err := unpack(f)
	if err != nil {
		return nil, fmt.Errorf("open catalogue %q: %w", path, err)
	}
	return tables, nil
}

// inUse is the name that Use gives a pack in the user's folder.
const inUse = "catalogue.tar.gz"

// Use verifies the pack at path and keeps a copy in home, which InUse finds.
func Use(path, home string) (*Packed, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("use catalogue: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(&bounded{f, maxPackBytes})
	if err != nil {
		return nil, fmt.Errorf("use catalogue %q: %w", path, err)
	}
	p, err := VerifyPack(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("use catalogue %q: %w", path, err)
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, fmt.Errorf("use catalogue: %w", err)
	}
	tmp, err := os.CreateTemp(home, inUse+".*")
	if err != nil {
		return nil, fmt.Errorf("use catalogue: %w", err)
	}
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(home, inUse))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("use catalogue: %w", err), os.Remove(tmp.Name()))
	}
	return p, nil
}

// InUse is the path of the pack that Use put into home, for Options.Pack; empty
// where there is none and the build's own catalogue counts.
func InUse(home string) string {
	path := filepath.Join(home, inUse)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return path
}

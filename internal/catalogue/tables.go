package catalogue

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/assize/assize/internal/artefact"
)

//go:embed data/*.yaml data/*.csv
var files embed.FS

// maxFileBytes bounds one file of a catalogue. The largest of ours is a
// twentieth of it.
const maxFileBytes = 4 << 20

// Options says where a catalogue is read from. The zero value is the catalogue
// that this build carries.
type Options struct {
	// Pack is the path of a released catalogue, read instead of the build's own.
	Pack string
	// Dir is a folder whose files, named as ours, add rows to the tables.
	Dir string
	// Criteria is a file of criteria alone, laid over the rest.
	Criteria string
}

// layer is one place that tables are read from: the base, or a user's folder.
type layer struct {
	fsys   fs.FS
	packed map[string][]byte // instead of fsys: what a pack held
	name   string            // shown before a file's name; empty for the build's own
	alone  bool              // name is that of its one file
}

func (l layer) place(file string) string {
	switch {
	case l.name == "":
		return file
	case l.alone:
		return l.name
	}
	return filepath.Join(l.name, file)
}

// Tables gives the catalogue's tables. Each is read when it is first asked for
// and kept; what is returned is shared, so callers do not change it. Tables may
// be used by several goroutines.
type Tables struct {
	layers []layer

	mu     sync.Mutex
	sheets map[string]any // *sheet[T] by table name
}

// Open opens the catalogue that o names. It reads no table yet, but refuses a
// folder that holds anything but tables, and a pack that does not verify.
func Open(o Options) (*Tables, error) {
	base, err := fs.Sub(files, "data")
	if err != nil {
		return nil, err
	}
	t := &Tables{layers: []layer{{fsys: base}}, sheets: map[string]any{}}
	if o.Pack != "" {
		packed, err := readPack(o.Pack)
		if err != nil {
			return nil, err
		}
		t.layers[0] = layer{packed: packed, name: o.Pack}
	}
	if o.Dir != "" {
		over, err := overlay(o.Dir)
		if err != nil {
			return nil, err
		}
		t.layers = append(t.layers, over)
	}
	if o.Criteria != "" {
		if !strings.HasSuffix(o.Criteria, ".yaml") {
			return nil, fmt.Errorf("open criteria %q: not a file that ends in .yaml\nhint: write it as criteria.yaml of the catalogue: assize criteria --help", o.Criteria)
		}
		one := layer{fsys: os.DirFS(filepath.Dir(o.Criteria)), name: o.Criteria, alone: true}
		b, err := one.readFile(filepath.Base(o.Criteria))
		if err != nil {
			return nil, err
		}
		if len(b) == 0 {
			return nil, fmt.Errorf("open criteria %q: there is no such file, or it is empty", o.Criteria)
		}
		one.packed = map[string][]byte{Criterion{}.file(): b}
		t.layers = append(t.layers, one)
	}
	return t, nil
}

// overlay checks that a folder holds nothing but files named as our tables.
func overlay(dir string) (layer, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return layer{}, fmt.Errorf("open catalogue %q: %w\nhint: --catalogue names a folder with files such as standards.csv", dir, err)
	}
	known := fileNames()
	found := 0
	for _, e := range entries {
		ext := path.Ext(e.Name())
		if ext != ".csv" && ext != ".yaml" {
			continue
		}
		if !slices.Contains(known, e.Name()) || !e.Type().IsRegular() {
			return layer{}, fmt.Errorf("open catalogue %q: %q is no table's file\nhint: the tables are %s", dir, e.Name(), strings.Join(known, ", "))
		}
		found++
	}
	if found == 0 {
		return layer{}, fmt.Errorf("open catalogue %q: it holds no table\nhint: the tables are %s", dir, strings.Join(known, ", "))
	}
	return layer{fsys: os.DirFS(dir), name: dir}, nil
}

// readFile reads one file of a layer within the limit of size; absent is nil.
func (l layer) readFile(name string) ([]byte, error) {
	if l.packed != nil {
		return l.packed[name], nil
	}
	f, err := l.fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFileBytes {
		return nil, fmt.Errorf("read catalogue: %s: not a regular file of at most %d bytes", l.place(name), maxFileBytes)
	}
	return fs.ReadFile(l.fsys, name)
}

// Digest covers every byte of every table, of the base and of the user's
// folder alike: the digest of one line a file, "<digest>  <table>", each
// table of the base in order and then those of the folder.
func (t *Tables) Digest() (artefact.Digest, error) {
	var all strings.Builder
	for i, l := range t.layers {
		for _, name := range fileNames() {
			b, err := l.readFile(name)
			if err != nil {
				return "", err
			}
			if b == nil {
				if i == 0 {
					return "", fmt.Errorf("read catalogue: %s: missing", l.place(name))
				}
				continue
			}
			fmt.Fprintf(&all, "%s  %s\n", artefact.DigestBytes(b), strings.Repeat("+", i)+name)
		}
	}
	return artefact.DigestBytes([]byte(all.String())), nil
}

// Catalogue reads what planner and judge work with: threats, goals, types of
// solution and criteria.
func (t *Tables) Catalogue() (*Catalogue, error) {
	c := &Catalogue{places: map[string]string{}}
	var err [5]error
	c.Threats, err[0] = rowsOf[Threat](t)
	c.Goals, err[1] = rowsOf[Goal](t)
	c.Solutions, err[2] = rowsOf[SolutionType](t)
	criteria, wrong := sheetOf[Criterion](t)
	if err[3] = wrong; wrong == nil {
		c.Criteria = slices.Clone(criteria.rows)
		for i := range c.Criteria {
			c.Criteria[i].Added = i >= criteria.base
			c.places[c.Criteria[i].ID] = criteria.at[i]
		}
	}
	c.Digest, err[4] = t.Digest()
	if e := errors.Join(err[:]...); e != nil {
		return nil, e
	}
	c.Threats, c.Goals, c.Solutions = slices.Clone(c.Threats), slices.Clone(c.Goals), slices.Clone(c.Solutions)
	return c, nil
}

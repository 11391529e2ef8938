package draft

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/tree"
)

// Limits of what is looked at: a folder of a target is small.
const (
	maxFiles  = 2000
	maxDepth  = 2
	nativeMax = 256 << 20
)

// Look lists the models and data sets of a folder and of the folders in it. Files
// are told by content. Nothing is run.
func Look(ctx context.Context, dir string) (*Found, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("look at %q: %w\nhint: name the folder that holds the model and its data", dir, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("look at %q: it is a file\nhint: name the folder that holds the model and its data", dir)
	}
	f := &Found{Dir: dir}
	seen := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rel, relErr := filepath.Rel(dir, path)
		if err != nil || relErr != nil || rel == "." {
			return err
		}
		rel = filepath.ToSlash(rel)
		name := d.Name()
		switch {
		case d.IsDir() && (strings.HasPrefix(name, ".") || name == "dossier" || strings.Count(rel, "/") >= maxDepth):
			return fs.SkipDir
		case d.IsDir() || strings.HasPrefix(name, "."):
			return nil
		case !d.Type().IsRegular():
			f.skip(rel, "no regular file")
			return nil
		}
		if seen++; seen > maxFiles {
			return fmt.Errorf("look at %q: it holds more than %d files\nhint: put model and data into a folder of their own", dir, maxFiles)
		}
		return f.file(ctx, path, rel)
	})
	if err != nil {
		return nil, err
	}
	f.match(ctx)
	return f, nil
}

func (f *Found) skip(rel, why string) { f.Skipped = append(f.Skipped, rel+": "+why) }

// file sorts one file into what it is.
func (f *Found) file(ctx context.Context, path, rel string) error {
	switch strings.ToLower(filepath.Ext(rel)) {
	case ".md", ".txt", ".py", ".ipynb", ".yaml", ".yml", ".sh", ".html", ".pdf", ".png", ".jpg", ".log", ".toml", ".lock":
		if !strings.HasSuffix(rel, ".txt") {
			return nil // documents, code and pictures are nobody's model
		}
	}
	in, err := os.Open(path)
	if err != nil {
		f.skip(rel, "cannot be opened")
		return nil
	}
	defer in.Close()
	head := make([]byte, onnx.SniffBytes)
	n, err := io.ReadFull(in, head)
	if n == 0 {
		f.skip(rel, "empty")
		return nil
	}
	head = head[:n]
	if m, ok := nativeModel(path, rel, head); ok {
		f.Models = append(f.Models, m)
		return nil
	}
	format := onnx.Sniff(head)
	switch format {
	case onnx.NumPy:
		f.array(ctx, path, rel)
	case onnx.Unrecognised:
		if m, err := onnx.ReadFile(ctx, path, onnx.DefaultLimits()); err == nil && len(m.Graph.Nodes) > 0 {
			f.Models = append(f.Models, onnxModel(m, rel))
			return nil
		}
		f.csv(ctx, path, rel)
	case onnx.Gzip, onnx.Zip, onnx.Compressed:
		f.skip(rel, "unpack it first")
	case onnx.JSON, onnx.XML:
		f.skip(rel, "neither a model nor a table that is read")
	default:
		f.Closed = append(f.Closed, Closed{Path: rel, Format: string(format), Recipe: format.ExportHint()})
	}
	return ctx.Err()
}

// nativeModel looks into a tree library's own file.
func nativeModel(path, rel string, head []byte) (Model, bool) {
	if !slices.Contains([]byte("{[btd"), head[0]) && !tree.Native(head) {
		return Model{}, false
	}
	in, err := os.Open(path)
	if err != nil {
		return Model{}, false
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, nativeMax))
	if err != nil || !tree.Native(b) {
		return Model{}, false
	}
	m := Model{Path: rel, Layout: manifest.Columns}
	e, err := tree.Read(b, tree.DefaultLimits())
	if err != nil {
		m.Format, m.Problem = "tree library", firstLine(err)
		return m, true
	}
	m.Format, m.Width, m.Names = e.Format, e.Features, e.Names
	switch {
	case e.Classes == 0:
		m.Kinds, m.Columns = []manifest.OutputKind{manifest.Score}, 1
	case e.Outputs == 1:
		m.Kinds, m.Columns = []manifest.OutputKind{manifest.PositiveProbability}, 1
	default:
		m.Kinds, m.Columns = []manifest.OutputKind{manifest.Probabilities}, e.Outputs
	}
	return m, true
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

package dossier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/evidence"
)

// The names of a dossier's files.
const (
	FilesName    = "files.json" // every other file with its digest, signed; written last
	MainName     = "dossier.json"
	ReportName   = "report.html"
	EvidenceName = "evidence" // folder of observations and rows
	LogName      = "log"      // folder of the ledger's tile tree
	OutsideName  = "outside"  // folder of time stamps and cosignatures
	// CosignaturesName holds the lines of witnesses' signatures over log/checkpoint.
	CosignaturesName = OutsideName + "/cosignatures"
	CheckpointName   = LogName + "/checkpoint"
)

// SignatureDomain keeps the signature of a list of files apart from any other use of the key.
const SignatureDomain = "assize dossier files v1"

// Bounds of what a dossier from somebody else may hold.
const (
	maxFiles     = 50_000
	maxFileBytes = 1 << 30
	maxMainBytes = 32 << 20
)

// Files lists every file of a dossier but itself.
type Files struct {
	Format    int    `json:"format"`
	Run       string `json:"run"`
	Files     []File `json:"files"` // sorted by path
	Key       string `json:"key"`   // verifier key in note form
	Signature []byte `json:"signature,omitempty"`
}

// File is one file of a dossier.
type File struct {
	Path   string          `json:"path"` // relative, with slashes
	Digest artefact.Digest `json:"digest"`
	Size   int64           `json:"size_bytes"`
}

// Payload is what is signed: the canonical encoding without the signature.
func (f Files) Payload() ([]byte, error) {
	f.Signature = nil
	return evidence.Canonical(f)
}

// List digests every file below dir but files.json. A link, a special file, an
// unsafe name, a folder without files and too many files are errors that name the file; dir itself may be a link.
func List(ctx context.Context, dir string) ([]File, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	var files []File
	var folders []string // relative, with a slash at the end
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if len(folders) == maxFiles {
				return fmt.Errorf("there are more than %d folders", maxFiles)
			}
			if rel != "." {
				folders = append(folders, rel+"/")
			}
			return ctx.Err()
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%q is not a regular file", rel)
		}
		if rel == FilesName {
			return nil
		}
		if len(files) == maxFiles {
			return fmt.Errorf("there are more than %d files", maxFiles)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() > maxFileBytes {
			return fmt.Errorf("%q is larger than %d bytes", rel, maxFileBytes)
		}
		digest, size, err := artefact.DigestOf(ctx, path)
		if err != nil {
			return err
		}
		files = append(files, File{Path: rel, Digest: digest, Size: size})
		return nil
	})
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if err != nil {
		return files, err
	}
	for _, f := range folders {
		i, _ := slices.BinarySearchFunc(files, f, func(file File, f string) int { return strings.Compare(file.Path, f) })
		if i == len(files) || !strings.HasPrefix(files[i].Path, f) {
			return files, fmt.Errorf("%q is a folder without a file", strings.TrimSuffix(f, "/"))
		}
	}
	return files, nil
}

// ReadFiles reads the list of a dossier's files. It does not verify it.
func ReadFiles(dir string) (*Files, error) {
	b, err := ReadFile(dir, FilesName, maxMainBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read dossier %q: it has no %s\nhint: name the folder that assess wrote, or the run did not finish", dir, FilesName)
	}
	if err != nil {
		return nil, err
	}
	var f Files
	if err := evidence.Decode(b, &f); err != nil {
		return nil, fmt.Errorf("read dossier %q: %s: %w", dir, FilesName, err)
	}
	if f.Format != Format {
		return nil, fmt.Errorf("read dossier %q: format %d, this program reads %d", dir, f.Format, Format)
	}
	for i, file := range f.Files {
		if !fs.ValidPath(file.Path) || strings.ContainsAny(file.Path, "\\\x00\n\r") || i > 0 && f.Files[i-1].Path >= file.Path {
			return nil, fmt.Errorf("read dossier %q: %s: path %.80q is unsafe, doubled or out of order", dir, FilesName, file.Path)
		}
	}
	return &f, nil
}

// ReadFile reads one regular file inside a dossier that may be hostile: no link leads
// out of the folder, and no more than limit bytes are read.
func ReadFile(dir, name string, limit int64) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open dossier: %w", err)
	}
	defer root.Close()
	info, err := root.Lstat(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("read dossier: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("read dossier: %q is no regular file of at most %d bytes", name, limit)
	}
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("read dossier: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read dossier: %q: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("read dossier: %q: longer than %d bytes", name, limit)
	}
	return b, nil
}

// Read reads dossier.json. It does not verify it.
func Read(dir string) (*Dossier, error) {
	b, err := ReadFile(dir, MainName, maxMainBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read dossier %q: it has no %s\nhint: name the folder that assess wrote, as in examples/credit/dossier", dir, MainName)
	}
	if err != nil {
		return nil, err
	}
	return Parse(b)
}

// Parse reads the bytes of dossier.json strictly.
func Parse(b []byte) (*Dossier, error) {
	var d Dossier
	if err := evidence.DecodeReadable(b, &d); err != nil {
		return nil, fmt.Errorf("read %s: %w", MainName, err)
	}
	if d.Format != Format {
		return nil, fmt.Errorf("read %s: format %d, this program reads %d", MainName, d.Format, Format)
	}
	return &d, nil
}

// Encode writes dossier.json for people and programs.
func (d *Dossier) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", MainName, err)
	}
	return append(b, '\n'), nil
}

// EvidencePath is the file of an observation or of rows, by digest.
func EvidencePath(hex string) string { return EvidenceName + "/" + hex }

// StampPath is the file of the n-th time stamp, from 1.
func StampPath(n int) string { return fmt.Sprintf("%s/timestamp-%d.tsr", OutsideName, n) }

package scan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Path scans a file, or every file below a folder, in the order of their names.
// Links, devices, pipes and what cannot be read are reported as incomplete, never
// followed and never waited for. The error is that of ctx, of report, or that path
// itself does not exist.
func (s *Scanner) Path(ctx context.Context, path string, report func(FileReport) error) error {
	return s.Paths(ctx, []string{path}, report)
}

// Paths is Path for several, which learns of a folder once where they lie in the same.
func (s *Scanner) Paths(ctx context.Context, paths []string, report func(FileReport) error) error {
	w := &walk{Scanner: s, report: report}
	for _, path := range paths {
		if err := w.path(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

// File is one of several files that belong together.
type File struct {
	Path string // what reports call it, with slashes; files in one folder by it lie beside each other
	Open string // where it lies
}

// Files scans files that may lie anywhere and that lie beside each other by their Paths alone:
// readers that look for the model to which data belong see these files and no others. report
// is told which file a report is of; the file's own comes last. Files that cannot be read, or
// are no regular ones, are reported as incomplete.
func (s *Scanner) Files(ctx context.Context, files []File, report func(i int, r FileReport) error) error {
	folders := map[string]*folder{}
	for _, f := range files {
		dir, name := path.Split(f.Path)
		if folders[dir] == nil {
			folders[dir] = &folder{kept: map[string]any{}, files: map[string]string{}}
		}
		folders[dir].files[name] = f.Open
	}
	for i, f := range files {
		w := &walk{Scanner: s, report: func(r FileReport) error { return report(i, r) }}
		info, err := os.Stat(f.Open)
		if err != nil {
			err = w.unread(ctx, f.Path, cause(err))
		} else {
			dir, _ := path.Split(f.Path)
			err = w.one(ctx, f, info, folders[dir])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cause is an error without the path that the system puts before it.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// walk goes through files and folders. around are the folder of the last file and those above it.
type walk struct {
	*Scanner
	report func(FileReport) error
	around []*folder
}

// enter is the folder of a file. Those that do not lie around it are forgotten.
func (w *walk) enter(path string) *folder {
	for len(w.around) > 0 {
		last := w.around[len(w.around)-1]
		if last.path == path {
			return last
		}
		if strings.HasPrefix(path, last.path+string(filepath.Separator)) {
			break
		}
		w.around = w.around[:len(w.around)-1]
	}
	f := &folder{path: path, kept: map[string]any{}}
	w.around = append(w.around, f)
	return f
}

func (w *walk) path(ctx context.Context, path string) error {
	info, err := os.Stat(path) // whom the user names may be a link
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	if !info.IsDir() {
		return w.one(ctx, File{path, path}, info, w.enter(filepath.Dir(path)))
	}
	return filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return w.unread(ctx, p, err.Error())
		case d.IsDir():
			return ctx.Err()
		case d.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(p)
			return w.unread(ctx, p, fmt.Sprintf("a link to %q, not followed", to))
		}
		info, err := d.Info()
		if err != nil {
			return w.unread(ctx, p, err.Error())
		}
		return w.one(ctx, File{p, p}, info, w.enter(filepath.Dir(p)))
	})
}

// one scans a regular file.
func (w *walk) one(ctx context.Context, file File, info fs.FileInfo, around *folder) error {
	if !info.Mode().IsRegular() {
		return w.unread(ctx, file.Path, fmt.Sprintf("not a regular file (%s)", info.Mode().Type()))
	}
	if sparse(info) {
		return w.unread(ctx, file.Path, fmt.Sprintf("%d bytes of which more than nine tenths are holes, which no model needs", info.Size()))
	}
	f, err := open(file.Open)
	if err != nil {
		return w.unread(ctx, file.Path, cause(err))
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return w.unread(ctx, file.Path, cause(err))
	}
	if !before.Mode().IsRegular() || !os.SameFile(info, before) {
		return w.unread(ctx, file.Path, "the file was exchanged while it was opened")
	}
	in := &Input{ReaderAt: f, Path: file.Path, Size: before.Size(), folder: around}
	return w.input(ctx, in, func(r FileReport) error {
		if r.Path == file.Path {
			if after, err := f.Stat(); err != nil || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
				r.add(Problemf("core/changed", 0, "the file changed while it was read"))
			}
		}
		return w.report(r)
	})
}

// add makes a report that is already written incomplete.
func (r *FileReport) add(p *Problem) {
	r.Outcome = max(r.Outcome, Incomplete)
	r.Findings = append(r.Findings, Finding{Rule: p.Rule, Outcome: Incomplete, Offset: p.Offset, Evidence: p.Reason, Cites: []string{}, Fix: "Scan it again when nothing writes to it."})
}

// unread reports something that is not read at all.
func (w *walk) unread(ctx context.Context, path, reason string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := FileReport{Path: path, Findings: []Finding{}}
	r.add(Problemf("core/unreadable", 0, "%s", reason))
	return w.report(r)
}

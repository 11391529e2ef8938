package scan

import (
	"context"
	"fmt"
	"io/fs"
	"os"
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
	f := &folder{path, map[string]any{}}
	w.around = append(w.around, f)
	return f
}

func (w *walk) path(ctx context.Context, path string) error {
	info, err := os.Stat(path) // whom the user names may be a link
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	if !info.IsDir() {
		return w.one(ctx, path, info)
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
		return w.one(ctx, p, info)
	})
}

// one scans the regular file at path.
func (w *walk) one(ctx context.Context, path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return w.unread(ctx, path, fmt.Sprintf("not a regular file (%s)", info.Mode().Type()))
	}
	if sparse(info) {
		return w.unread(ctx, path, fmt.Sprintf("%d bytes of which more than nine tenths are holes, which no model needs", info.Size()))
	}
	f, err := open(path)
	if err != nil {
		return w.unread(ctx, path, err.Error())
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return w.unread(ctx, path, err.Error())
	}
	if !before.Mode().IsRegular() || !os.SameFile(info, before) {
		return w.unread(ctx, path, "the file was exchanged while it was opened")
	}
	in := &Input{ReaderAt: f, Path: path, Size: before.Size(), folder: w.enter(filepath.Dir(path))}
	return w.input(ctx, in, func(r FileReport) error {
		if r.Path == path {
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

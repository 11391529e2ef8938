package scan

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Path scans a file, or every file below a folder, in the order of their names.
// Links, devices, pipes and what cannot be read are reported as incomplete, never
// followed and never waited for. The error is that of ctx, of report, or that path
// itself does not exist.
func (s *Scanner) Path(ctx context.Context, path string, report func(FileReport) error) error {
	info, err := os.Stat(path) // whom the user names may be a link
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	if !info.IsDir() {
		return s.one(ctx, path, info, report)
	}
	return filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return s.unread(ctx, p, err.Error(), report)
		case d.IsDir():
			return ctx.Err()
		case d.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(p)
			return s.unread(ctx, p, fmt.Sprintf("a link to %q, not followed", to), report)
		}
		info, err := d.Info()
		if err != nil {
			return s.unread(ctx, p, err.Error(), report)
		}
		return s.one(ctx, p, info, report)
	})
}

// one scans the regular file at path.
func (s *Scanner) one(ctx context.Context, path string, info fs.FileInfo, report func(FileReport) error) error {
	if !info.Mode().IsRegular() {
		return s.unread(ctx, path, fmt.Sprintf("not a regular file (%s)", info.Mode().Type()), report)
	}
	if sparse(info) {
		return s.unread(ctx, path, fmt.Sprintf("%d bytes that are nearly all hole", info.Size()), report)
	}
	f, err := open(path)
	if err != nil {
		return s.unread(ctx, path, err.Error(), report)
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return s.unread(ctx, path, err.Error(), report)
	}
	if !before.Mode().IsRegular() || !os.SameFile(info, before) {
		return s.unread(ctx, path, "the file was exchanged while it was opened", report)
	}
	in := &Input{ReaderAt: f, Path: path, Size: before.Size(), folder: filepath.Dir(path)}
	return s.input(ctx, in, func(r FileReport) error {
		if r.Path == path {
			if after, err := f.Stat(); err != nil || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
				r.add(Problemf("core/changed", 0, "the file changed while it was read"))
			}
		}
		return report(r)
	})
}

// add makes a report that is already written incomplete.
func (r *FileReport) add(p *Problem) {
	r.Outcome = max(r.Outcome, Incomplete)
	r.Findings = append(r.Findings, Finding{Rule: p.Rule, Outcome: Incomplete, Offset: p.Offset, Evidence: p.Reason, Cites: []string{}, Fix: "Scan it again when nothing writes to it."})
}

// unread reports something that is not read at all.
func (s *Scanner) unread(ctx context.Context, path, reason string, report func(FileReport) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := FileReport{Path: path, Findings: []Finding{}}
	r.add(Problemf("core/unreadable", 0, "%s", reason))
	return report(r)
}

// Package zipfile reads zip archives that may be hostile. Archives can be read in
// two ways, by the directory at the end and by the headers before each entry; where
// the two disagree, loaders disagree on what is in the archive, and that is a finding.
// After PKWARE's APPNOTE.TXT 6.3.10; the numbers of sections are its own.
package zipfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
	"github.com/assize/assize/internal/scan/tarfile"
)

// Format reads zip archives.
type Format struct{}

// Name implements scan.Format.
func (Format) Name() string { return "zip" }

// Sniff implements scan.Format. An archive behind other content is one too, unless
// that is a tar archive, whose entries end as they like.
func (Format) Sniff(head []byte, in *scan.Input) scan.Confidence {
	if bytes.HasPrefix(head, []byte(localMark)) || bytes.HasPrefix(head, []byte(endMark)) {
		return scan.Sure
	}
	if tarfile.Begins(head) || Behind(head) {
		return scan.No
	}
	ends, err := findEnds(in)
	if err != nil {
		return scan.No
	}
	for _, e := range ends {
		mark := make([]byte, 4)
		if e.entries > 0 && e.start() >= 0 {
			if _, err := in.ReadAt(mark, e.start()); err == nil && string(mark) == centralMark {
				return scan.Sure
			}
		}
	}
	return scan.No
}

// archive is one archive while it is read.
type archive struct {
	in     *scan.Input
	out    *scan.Sink
	used   extent.Set
	held   int64
	base   int64 // of the archive in the file
	prefix bool
	names  map[string]bool
	list   []entry
}

// Scan implements scan.Format.
func (Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	return ScanFrom(ctx, in, out, 0)
}

// ScanFrom scans the archive that begins at a byte of a file of another format. What
// stands before it is that format's to account for.
func ScanFrom(ctx context.Context, in *scan.Input, out *scan.Sink, from int64) error {
	a := &archive{in: in, out: out, names: map[string]bool{}}
	defer func() { out.Hold(-a.held) }()
	a.used.Add(0, from, extent.Structured)
	ends, err := findEnds(in)
	if err != nil {
		return err
	}
	var problem error
	if len(ends) == 0 {
		problem = a.withoutEnd(ctx)
	} else {
		problem = a.directory(ctx, ends)
	}
	var p *scan.Problem
	if problem != nil && !errors.As(problem, &p) {
		return problem
	}
	entries := make([]scan.Entry, 0, len(a.list))
	seen := make(map[int64]bool, len(a.list))
	for i := range a.list {
		e := a.list[i]
		twice := e.data > 0 && seen[e.data] // an overlap, which is found below; once is enough
		seen[e.data] = true
		if !e.folder() && !twice {
			entries = append(entries, a.member(e))
		}
	}
	if p == nil || !strings.HasPrefix(p.Rule, "budget/") { // of what was not read to its end nobody knows the gaps
		entries = append(entries, a.gaps(ctx)...)
	}
	if err := out.Members(ctx, entries); err != nil {
		return err
	}
	return problem
}

// hold counts memory that stays until the archive is done.
func (a *archive) hold(n int64) error {
	if err := a.out.Hold(n); err != nil {
		return err
	}
	a.held += n
	return nil
}

// deceive reports a structure that readers take differently.
func (a *archive) deceive(rule string, offset int64, cite, evidence string, args ...any) {
	a.out.Find(scan.Finding{
		Rule: "zip/" + rule, Outcome: scan.Dangerous, Offset: offset, Evidence: fmt.Sprintf(evidence, args...), Cites: []string{cite},
		Fix: "Do not load it: readers of archives differ in what they take from it. Ask for the model to be saved again.",
	})
}

// note checks an entry's name and remembers the entry.
func (a *archive) note(e entry) error {
	if err := a.hold(int64(len(e.name))*2 + 200); err != nil {
		return err
	}
	clean := strings.ReplaceAll(e.name, `\`, "/")
	switch {
	case a.names[e.name]:
		a.deceive("duplicate-name", e.local, "CWE-694", "the name %q stands twice", e.name)
	case strings.HasPrefix(clean, "/"), len(clean) > 1 && clean[1] == ':', clean == "..", strings.HasPrefix(path.Clean(clean), "../"), strings.Contains(clean, "/../"), strings.HasPrefix(clean, "../"):
		a.deceive("path", e.local, "CWE-22", "the name %q leaves the folder", e.name)
	case strings.ContainsAny(e.name, "\x00"):
		a.deceive("name", e.local, "CWE-158", "the name %q holds a zero byte, at which some readers stop", e.name)
	case strings.Contains(e.name, `\`):
		a.deceive("name", e.local, "CWE-22", "the name %q holds a backslash, which some systems take as a folder", e.name)
	}
	if e.unicode != "" && e.unicode != e.name {
		a.deceive("two-names", e.local, "CWE-436", "the entry is called %q and, in an extra field, %q", e.name, e.unicode)
	}
	if e.made>>8 == 3 && e.attributes>>28 == 0xa {
		a.deceive("link", e.local, "CWE-59", "the entry %q is a symbolic link", e.name)
	}
	if e.folder() && e.packed > 0 {
		a.deceive("folder-with-data", e.local, "CWE-436", "the folder %q has %d bytes of data", e.name, e.packed)
	}
	a.names[e.name] = true
	a.list = append(a.list, e)
	return nil
}

// gaps accounts for what no entry and no record holds: zeros are padding, the rest
// is a finding and is looked into.
func (a *archive) gaps(ctx context.Context) []scan.Entry {
	sum := a.used.Sum(0, a.in.Size)
	for _, o := range sum.Overlaps {
		a.deceive("overlap", o.From, "CWE-409", "bytes %d to %d belong to two parts of the archive", o.From, o.To)
		break
	}
	var rest []scan.Entry
	for i, g := range sum.Gaps {
		if i == 1000 {
			a.out.Incomplete(scan.Problemf("zip/gaps", g.From, "more than 1000 gaps between entries"))
			break
		}
		zero, err := a.zero(ctx, g)
		if err != nil {
			a.out.Incomplete(scan.Problemf("zip/unreadable", g.From, "%v", err))
			break
		}
		a.out.Structured(g.From, g.Len())
		if zero {
			continue
		}
		where := "between entries"
		switch {
		case g.From == 0:
			where = "before the archive"
		case g.To == a.in.Size:
			where = "behind the archive"
		}
		if g.Len() == a.in.Size {
			continue // nothing was understood, which is said elsewhere
		}
		a.deceive("hidden-bytes", g.From, "CWE-436", "%d bytes stand %s", g.Len(), where)
		in := a.in
		rest = append(rest, scan.Entry{
			Name: fmt.Sprintf("(bytes %d to %d)", g.From, g.To), Size: g.Len(),
			Open: func(context.Context) (io.ReaderAt, error) { return io.NewSectionReader(in, g.From, g.Len()), nil },
		})
	}
	return rest
}

// zero tells whether a range holds nothing but zeros.
func (a *archive) zero(ctx context.Context, g extent.Range) (bool, error) {
	buf := make([]byte, 64<<10)
	for at := g.From; at < g.To; {
		if err := a.out.Spend(ctx, int64(len(buf))); err != nil {
			return false, err
		}
		n, err := a.in.ReadAt(buf[:min(int64(len(buf)), g.To-at)], at)
		if n == 0 {
			return false, err
		}
		for _, c := range buf[:n] {
			if c != 0 {
				return false, nil
			}
		}
		at += int64(n)
	}
	return true, nil
}

func u16(b []byte, at int) uint16 { return binary.LittleEndian.Uint16(b[at:]) }
func u32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
func u64(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Input is one file, or one member of a container, as readers see it.
type Input struct {
	io.ReaderAt
	Path  string // "outer!inner", as the system has it
	Size  int64
	Depth int // containers around it

	folder *folder // of a file on disk
}

// Sink takes what a reader says of one file.
type Sink struct {
	run                *run
	in                 *Input
	format             string
	worst              Outcome
	findings           []Finding
	seen               map[string]bool
	structured, opaque ranges
	plain              bool // raw data inside a container: no digest of its own
}

// Of one file, so many findings are kept, with so much evidence; the outcome counts all.
const (
	maxFindings = 200
	maxEvidence = 400
)

// Structured says that the n bytes from off were parsed and looked at.
func (s *Sink) Structured(off, n int64) { s.structured.add(off, n) }

// Opaque says that the n bytes from off are data by the format.
func (s *Sink) Opaque(off, n int64) { s.opaque.add(off, n) }

// Format names the format where a reader knows better than its own name, such as "torch".
func (s *Sink) Format(name string) { s.format = name }

// Find takes a finding. The same rule and evidence count once.
func (s *Sink) Find(f Finding) {
	s.worst = max(s.worst, f.Outcome)
	if len(f.Evidence) > maxEvidence {
		f.Evidence = f.Evidence[:maxEvidence] + "…"
	}
	key := f.Rule + "\x00" + f.Evidence
	if s.seen[key] || len(s.findings) >= maxFindings {
		return
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	s.seen[key] = true
	s.findings = append(s.findings, f)
}

// Incomplete takes a reason why not all was read.
func (s *Sink) Incomplete(p *Problem) {
	fix := p.Fix
	if fix == "" {
		fix = "Do not load the file unless somebody else vouches for it; ask for it in a format that can be read to the end."
	}
	s.Find(Finding{Rule: p.Rule, Outcome: Incomplete, Offset: p.Offset, Evidence: p.Reason, Fix: fix})
}

// fail takes the error that ended a reader. It returns it only where the whole scan has to end.
func (s *Sink) fail(ctx context.Context, err error) error {
	var p *Problem
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &p):
		s.Incomplete(p)
	case errors.Is(err, ErrOther) && s.run.purse.over.Load():
		s.Incomplete(late()) // whoever said so could not look
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		s.Incomplete(Problemf("core/truncated", s.in.Size, "the file ends in the middle"))
	default:
		s.Incomplete(Problemf("core/unreadable", 0, "%v", err))
	}
	return nil
}

// Entry is one member of a container. Name is as the container has it.
type Entry struct {
	Name string
	Size int64
	// Open gives the expanded bytes. What it returns beside an error is scanned too: the
	// part that could be read. A Size method of it overrides Size, and it is closed
	// after use where it can be.
	Open func(context.Context) (io.ReaderAt, error)
}

// Members scans the members of a container as files of their own. A layout that
// knows the container as a whole (torch, npz, keras) takes it first.
// The error ends the scan; what is wrong with a member is said of the member.
func (s *Sink) Members(ctx context.Context, entries []Entry) error {
	for _, l := range s.run.scanner.Layouts {
		if !l.Match(entries) {
			continue
		}
		s.format = l.Name()
		rest, err := l.Scan(ctx, s, entries)
		if err := s.fail(ctx, err); err != nil {
			return err
		}
		entries = rest
		break
	}
	for _, e := range entries {
		if err := s.Member(ctx, e, nil); err != nil {
			return err
		}
	}
	return nil
}

// Member scans one member with read, or by its content where read is nil.
func (s *Sink) Member(ctx context.Context, e Entry, read func(context.Context, *Input, *Sink) error) error {
	in := &Input{Path: s.in.Path + "!" + e.Name, Size: e.Size, Depth: s.in.Depth + 1}
	inner := &Sink{run: s.run, in: in}
	p := s.run.purse
	switch {
	case p.entries.Add(1) > int64(p.Entries):
		s.Incomplete(Problemf("budget/entries", 0, "more than %d members", p.Entries))
		return nil
	case p.over.Load():
		s.Incomplete(Problemf("budget/time", 0, "members are left when the time for this file is used up"))
		return nil
	case in.Depth > p.Depth:
		inner.Incomplete(Problemf("budget/depth", 0, "more than %d containers in each other", p.Depth))
		s.worst = max(s.worst, Incomplete)
		return s.run.emit(inner, "")
	}
	r, errOpen := e.Open(ctx)
	if err := inner.fail(ctx, errOpen); err != nil {
		return err
	}
	var err error
	if r != nil {
		if z, ok := r.(interface{ Size() int64 }); ok {
			in.Size = z.Size()
		}
		in.ReaderAt = r
		err = s.run.file(ctx, inner, read)
		if c, ok := r.(io.Closer); ok {
			c.Close()
		}
	} else {
		err = s.run.emit(inner, "")
	}
	s.worst = max(s.worst, inner.worst)
	return err
}

// Embedded looks into bytes at off of this file that may be a file of their own,
// where some format is sure of them. Where this file only holds them they count when
// there is something bad in them; loaded says that it loads them, so that all of it counts.
func (s *Sink) Embedded(ctx context.Context, off int64, r io.ReaderAt, size int64, loaded bool) error {
	e := Entry{Name: fmt.Sprintf("bytes@%d", off), Size: size, Open: func(context.Context) (io.ReaderAt, error) { return r, nil }}
	if loaded {
		return s.Member(ctx, e, nil)
	}
	in := &Input{ReaderAt: r, Path: s.in.Path + "!" + e.Name, Size: size, Depth: s.in.Depth + 1}
	head := make([]byte, min(headSize, size))
	if n, _ := r.ReadAt(head, 0); n < len(head) {
		return nil // the reader of the whole file meets the end too
	}
	if !slices.ContainsFunc(s.run.scanner.Formats, func(f Format) bool { return f.Sniff(head, in) == Sure }) {
		return nil
	}
	if in.Depth > s.run.purse.Depth {
		s.Find(Finding{
			Rule: "core/nesting", Outcome: Dangerous, Offset: off, Evidence: fmt.Sprintf("more than %d files inside of each other", s.run.purse.Depth), Cites: []string{"CWE-674"},
			Fix: "Do not load what lies in it: nobody stores a model so deep. Ask for the file itself.",
		})
		return nil
	}
	var kept []FileReport
	quiet := &run{s.run.scanner, s.run.purse, func(r FileReport) error {
		kept = append(kept, r)
		return nil
	}}
	outer := &Sink{run: quiet, in: s.in}
	if err := outer.Member(ctx, e, nil); err != nil {
		return err
	}
	if outer.worst < UnknownCode {
		return nil
	}
	s.worst = max(s.worst, outer.worst)
	for _, r := range kept {
		if err := s.run.report(r); err != nil {
			return err
		}
	}
	return nil
}

// Data reports a member that is raw data by the layout of its container, such as
// the numbers of a tensor: opaque, not looked into.
func (s *Sink) Data(ctx context.Context, e Entry) error {
	return s.Member(ctx, e, func(_ context.Context, in *Input, out *Sink) error {
		out.plain, out.format = true, "data"
		out.Opaque(0, in.Size)
		return nil
	})
}

// coverage counts the bytes of the file; what is parsed and data both counts as parsed.
func (s *Sink) coverage() Coverage {
	c := Coverage{Bytes: s.in.Size, Structured: s.structured.within(s.in.Size)}
	both := slices.Concat(s.structured, s.opaque).within(s.in.Size)
	c.Opaque, c.Unread = both-c.Structured, c.Bytes-both
	return c
}

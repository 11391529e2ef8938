package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Confidence is how sure a reader is that a file is of its format.
type Confidence int

// The confidences. A file is read by all that are sure; where none is, by those
// that think it possible, in order, until one does not return ErrOther.
const (
	No Confidence = iota
	Possible
	Sure
)

// ErrOther is what a reader that thought a file possible returns when it is of another format.
var ErrOther = errors.New("of another format")

// Format reads one format.
type Format interface {
	// Name is what reports call the format.
	Name() string
	// Sniff looks at the content alone. head is the first 4096 bytes, or all; more can be read from in.
	Sniff(head []byte, in *Input) Confidence
	// Scan reads the file. Its error says why it could not go on: a *Problem, or what reading returned.
	Scan(ctx context.Context, in *Input, out *Sink) error
}

// Layout knows what the members of a container are together.
type Layout interface {
	// Name is what reports call a container of this layout.
	Name() string
	// Match tells whether the members are of this layout.
	Match(entries []Entry) bool
	// Scan reports on members through out.Member and out.Data and returns those that it does not know.
	Scan(ctx context.Context, out *Sink, entries []Entry) (rest []Entry, err error)
}

// Scanner scans files. Its fields are not changed while it runs; it may be used by many goroutines.
type Scanner struct {
	Formats []Format
	Layouts []Layout
	Budget  Budget
	Now     func() time.Time
	// NoDigest leaves the digests of files and members out, so that nobody reads bytes of
	// arrays that the format alone accounts for. Every check is made all the same, those
	// of checksums included; outcomes and coverage do not change, but for a disk that
	// cannot give such bytes, which then goes unseen. The reports are bound to no bytes.
	NoDigest bool
}

// run is the scan of one file and all that lies in it.
type run struct {
	scanner *Scanner
	purse   *purse
	report  func(FileReport) error
}

// Reader scans the size bytes of r, which reports call path. It gives report the
// members first and the file itself last. The error is that of ctx or of report.
func (s *Scanner) Reader(ctx context.Context, path string, r io.ReaderAt, size int64, report func(FileReport) error) error {
	return s.input(ctx, &Input{ReaderAt: r, Path: path, Size: size}, report)
}

// input is Reader for a file that may have others beside it.
func (s *Scanner) input(ctx context.Context, in *Input, report func(FileReport) error) error {
	p := &purse{Budget: s.Budget, now: s.Now}
	p.deadline = p.now().Add(p.Time + time.Duration(in.Size>>20)*p.PerMiB)
	one := &run{s, p, report}
	return one.file(ctx, &Sink{run: one, in: in}, nil)
}

// headSize is how many bytes readers tell a format by.
const headSize = 4096

// file scans one file or member and reports it.
func (r *run) file(ctx context.Context, s *Sink, read func(context.Context, *Input, *Sink) error) error {
	digest := r.digest(ctx, s.in)
	err := s.fail(ctx, r.read(ctx, s, read))
	sum := ""
	if !s.plain {
		var errDigest error
		sum, errDigest = digest() // waited for in any case
		err = cmp.Or(err, s.fail(ctx, errDigest))
	}
	if err != nil {
		return err
	}
	return r.emit(s, sum)
}

func (r *run) read(ctx context.Context, s *Sink, read func(context.Context, *Input, *Sink) error) error {
	if read != nil {
		return read(ctx, s.in, s)
	}
	if s.in.Size == 0 {
		s.format = "empty"
		return nil
	}
	head := make([]byte, min(headSize, s.in.Size))
	if n, err := s.in.ReadAt(head, 0); n < len(head) {
		return fmt.Errorf("read the first bytes: %w", err)
	}
	var sure, possible []Format
	for _, f := range r.scanner.Formats {
		switch f.Sniff(head, s.in) {
		case Sure:
			sure = append(sure, f)
		case Possible:
			possible = append(possible, f)
		}
	}
	if len(sure) == 0 {
		for _, f := range possible {
			s.format = f.Name()
			if err := f.Scan(ctx, s.in, s); !errors.Is(err, ErrOther) {
				return err
			}
			*s = Sink{run: s.run, in: s.in}
		}
		if r.purse.over.Load() {
			return late()
		}
		return &Problem{Rule: "core/unknown-format", Reason: "no reader knows this content"}
	}
	var all []string
	for _, f := range sure {
		s.format = f.Name()
		if err := s.fail(ctx, f.Scan(ctx, s.in, s)); err != nil {
			return err
		}
		all = append(all, s.format)
	}
	if len(all) > 1 {
		s.format = strings.Join(all, "+")
		s.Find(Finding{
			Rule: "core/polyglot", Outcome: Dangerous, Evidence: "one file, read as " + strings.Join(all, " and as "), Cites: []string{"CWE-436"},
			Fix: "Do not load it: what it is depends on who opens it. Ask for a file of one format.",
		})
	}
	return nil
}

// emit reports a file. Bytes that nobody read make it incomplete.
func (r *run) emit(s *Sink, digest string) error {
	c := s.coverage()
	if c.Unread > 0 && s.worst == Clean {
		s.Incomplete(Problemf("core/unread", 0, "%d of %d bytes were not looked at", c.Unread, c.Bytes))
	}
	if s.findings == nil {
		s.findings = []Finding{}
	}
	for i, f := range s.findings {
		if f.Cites == nil {
			s.findings[i].Cites = []string{}
		}
	}
	return r.report(FileReport{Path: s.in.Path, Digest: digest, Format: s.format, Outcome: s.worst, Coverage: c, Findings: s.findings})
}

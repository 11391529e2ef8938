package pickle

import (
	"context"
	"io"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
)

// report is what the interpreter tells of one file; *scan.Sink is one.
type report interface {
	Find(scan.Finding)
	Structured(off, n int64)
	Opaque(off, n int64)
	Spend(ctx context.Context, n int64) error
	Hold(n int64) error
}

// machine interprets one pickle after another from one file.
type machine struct {
	r     reader
	out   report
	rules *rules.Set
	// follow looks into bytes that look like a file of their own; nil does not.
	// loaded says that the pickle loads them, so that all of them counts.
	follow func(off int64, r io.ReaderAt, size int64, loaded bool) error
	// persistent gives what a container knows of a persistent id; nil is a plain pickle.
	persistent func(m *machine, id value) (value, bool)

	stack   []value
	marks   []uint32
	fence   int // stack below is behind a mark
	memo    memo
	ring    ring
	dicts   [dictSlots]dict
	nDicts  int64
	cleared int64 // nDicts when dicts was empty last
	names   []name
	byName  map[string]int64
	pairs   map[[2]value]int64 // places of literals that made a name before
	dtypes  []dtype
	held    int64

	proto    int
	frameEnd int64    // -1 outside of frames
	putSeen  byte     // bit 0 PUT, bit 1 MEMOIZE
	counted  int64    // offset up to which bytes are accounted for
	from     int64    // where the opcode that runs begins
	depth    int      // arrays of objects around this pickle
	result   value    // of the last pickle that ended
	collect  bool     // text is kept in keys
	keys     []string //
	script   bool     // names under __torch__ are code beside the pickle
	stats    stats
}

// stats is what a trial run wants to know.
type stats struct {
	ops     int64
	globals int // names looked up that could be names
	calls   int
	arrays  int // of joblib, in the stream
}

func newMachine(ctx context.Context, in io.ReaderAt, size int64, set *rules.Set, out report) *machine {
	return &machine{
		r:     reader{ctx: ctx, in: in, size: size, spend: out.Spend},
		rules: set, out: out, byName: map[string]int64{}, pairs: map[[2]value]int64{}, frameEnd: -1,
	}
}

// reset begins a new pickle at off. Names stay known.
func (m *machine) reset(off int64) {
	m.r.seek(off)
	m.stack, m.marks, m.fence = m.stack[:0], m.marks[:0], 0
	m.out.Hold(-m.held)
	m.held, m.memo, m.dtypes = int64(cap(m.stack))*8+int64(cap(m.marks))*4, memo{}, nil
	m.out.Hold(m.held)
	if m.nDicts > m.cleared {
		clear(m.dicts[:])
		m.cleared = m.nDicts
	}
	m.proto, m.frameEnd, m.putSeen = 0, -1, 0
	m.counted = off
}

// account says that everything up to now is parsed.
func (m *machine) account(to int64) {
	if to > m.counted {
		m.out.Structured(m.counted, to-m.counted)
		m.counted = to
	}
}

// hold counts memory that the interpreter keeps until the pickle ends.
func (m *machine) hold(n int64) error {
	if err := m.out.Hold(n); err != nil {
		return err
	}
	m.held += n
	return nil
}

// broken is the end of a pickle that CPython ends there too, or that cannot be followed further.
func (m *machine) broken(rule, format string, args ...any) error {
	p := scan.Problemf("pickle/"+rule, m.from, format, args...)
	p.Fix = "Ask for an unbroken file: what a loader does with this one depends on the loader."
	return p
}

func (m *machine) find(rule string, outcome scan.Outcome, capability, evidence string, cites ...string) {
	m.findAt(m.from, rule, outcome, capability, evidence, cites...)
}

func (m *machine) findAt(off int64, rule string, outcome scan.Outcome, capability, evidence string, cites ...string) {
	if len(cites) == 0 {
		cites = []string{"CWE-502"}
	}
	m.out.Find(scan.Finding{
		Rule: "pickle/" + rule, Outcome: outcome, Offset: off, Capability: capability, Evidence: evidence, Cites: cites, Fix: fix(rule, outcome),
	})
}

// deceives reports something that interpreters of pickles read differently.
func (m *machine) deceives(rule, evidence string) {
	m.find(rule, scan.Dangerous, "", evidence, "CWE-436", "CWE-502", "AML.T0011.000")
}

// fix says what to do about a finding.
func fix(rule string, outcome scan.Outcome) string {
	switch {
	case rule == "unknown-name" || rule == "unknown-call":
		return "Read the source of what it names; when it does no harm, add the name to the site's policy. Better: save the weights alone, as safetensors."
	case outcome == scan.Malicious:
		return "Do not load the file. Tell whoever published it, and treat machines that loaded it as compromised."
	case outcome == scan.Dangerous:
		return "Do not load the file. No library writes this; ask the publisher how it was made."
	}
	return ""
}

// truncated is the problem of a file that ends too early.
func (m *machine) truncated(err error) error {
	if err == errShort {
		return m.broken("truncated", "the file ends in the middle of an opcode, without STOP")
	}
	return err
}

// room makes room for one more value on the stack.
func (m *machine) room() error {
	next := max(256, cap(m.stack)+cap(m.stack)/2)
	old := int64(cap(m.stack)) * 8
	if err := m.hold(int64(next) * 8); err != nil { // both are there while one is copied
		return err
	}
	m.stack = append(make([]value, 0, next), m.stack...)
	return m.hold(-old)
}

func (m *machine) push(v value) { m.stack = append(m.stack, v) }

// need wants n values on the stack above the last mark.
func (m *machine) need(n int) error {
	if len(m.stack)-n < m.fence {
		if len(m.marks) > 0 {
			return m.broken("stack", "an opcode takes values from behind a mark")
		}
		return m.broken("stack", "an opcode takes more values than the stack holds")
	}
	return nil
}

func (m *machine) pop() (value, error) {
	if err := m.need(1); err != nil {
		return 0, err
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// mark remembers the height of the stack.
func (m *machine) mark() error {
	if len(m.marks) == cap(m.marks) {
		next := max(64, cap(m.marks)+cap(m.marks)/2)
		old := int64(cap(m.marks)) * 4
		if err := m.hold(int64(next) * 4); err != nil {
			return err
		}
		m.marks = append(make([]uint32, 0, next), m.marks...)
		if err := m.hold(-old); err != nil {
			return err
		}
	}
	m.marks = append(m.marks, uint32(len(m.stack)))
	m.fence = len(m.stack)
	return nil
}

// marker takes the last mark and says how high the stack was.
func (m *machine) marker() (int, error) {
	if len(m.marks) == 0 {
		return 0, m.broken("stack", "an opcode needs a mark and there is none")
	}
	at := int(m.marks[len(m.marks)-1])
	m.marks = m.marks[:len(m.marks)-1]
	m.fence = 0
	if len(m.marks) > 0 {
		m.fence = int(m.marks[len(m.marks)-1])
	}
	return at, nil
}

// tuple makes a tuple of the values.
func (m *machine) tuple(items []value) value {
	m.escapes(items)
	if len(items) > 255 {
		return mk(kLong, 0)
	}
	return mk(kTuple, m.ring.put(items)<<8|int64(len(items)))
}

// elements are the elements of a tuple, false where they are not known.
func (m *machine) elements(v value) ([]value, bool) {
	if v.kind() != kTuple {
		return nil, false
	}
	return m.ring.get(v.payload()>>8, int(v.payload()&255))
}

// newDict makes a dict of keys and values in turn.
func (m *machine) newDict(items []value) value {
	m.escapes(items)
	m.nDicts++
	d := dict{id: m.nDicts, n: -1}
	if len(items) <= dictItems {
		d.start, d.n = m.ring.put(items), len(items)
	}
	m.dicts[d.id%dictSlots] = d
	return mk(kDict, d.id)
}

// items are the keys and values of a dict, false where they are not known.
func (m *machine) items(v value) ([]value, bool) {
	d := &m.dicts[v.payload()%dictSlots]
	if v.kind() != kDict || d.id != v.payload() || d.n < 0 {
		return nil, false
	}
	return m.ring.get(d.start, d.n)
}

// extend adds items to a dict whose items are kept.
func (m *machine) extend(v value, items []value) {
	d := &m.dicts[v.payload()%dictSlots]
	if d.id != v.payload() || d.n < 0 {
		return
	}
	old, ok := m.ring.get(d.start, d.n)
	if !ok || len(old)+len(items) > dictItems {
		d.n = -1
		return
	}
	all := append(old, items...)
	d.start, d.n = m.ring.put(all), len(all)
}

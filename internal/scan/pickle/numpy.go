package pickle

import (
	"math/bits"
	"strconv"

	"github.com/assize/assize/internal/scan"
)

// dtype is what matters of a numpy.dtype: how many bytes an element takes, and
// whether elements are objects, which lie as a pickle where other arrays have bytes.
type dtype struct {
	size   int64 // -1 where it is not known
	object bool
}

// dtype makes the result of numpy.dtype(code, align, copy).
func (m *machine) dtype(items []value) (value, error) {
	d := dtype{size: -1}
	if len(items) > 0 {
		if code, ok := m.text(items[0]); ok {
			d = dtypeOf(code)
		}
	}
	if err := m.hold(32); err != nil {
		return 0, err
	}
	m.dtypes = append(m.dtypes, d)
	return mk(kDtype, int64(len(m.dtypes)-1)), nil
}

// dtypeOf reads a code as NumPy writes it: a letter and a size, "f8", "U10", "V24".
func dtypeOf(code string) dtype {
	if code == "" {
		return dtype{size: -1}
	}
	switch code[0] {
	case '<', '>', '|', '=':
		code = code[1:]
	}
	if code == "" {
		return dtype{size: -1}
	}
	n, err := strconv.ParseInt(code[1:], 10, 40)
	switch {
	case code[0] == 'O':
		return dtype{size: 8, object: true}
	case code == "?":
		return dtype{size: 1}
	case err != nil || n < 0:
		return dtype{size: -1}
	case code[0] == 'U':
		return dtype{size: 4 * n}
	}
	for _, c := range "biufcmMSVa" {
		if code[0] == byte(c) {
			return dtype{size: n}
		}
	}
	return dtype{size: -1}
}

// dtypeState runs BUILD of a dtype: (version, byte order, subarray, names, fields, size, alignment, flags).
func (m *machine) dtypeState(to, state value) error {
	items, ok := m.elements(state)
	if !ok || len(items) < 7 {
		m.dtypes[to.payload()].size = -1
		return nil
	}
	d := &m.dtypes[to.payload()]
	if n, ok := items[5].integer(); ok && n >= 0 {
		d.size = n
	}
	flagged := false
	if len(items) > 7 {
		if n, ok := items[7].integer(); ok {
			flagged = n&1 != 0 // NPY_ITEM_HASOBJECT
		} else {
			d.size = -1
		}
	}
	objects := false
	if sub, ok := m.elements(items[2]); ok && len(sub) > 0 && sub[0].kind() == kDtype {
		objects = m.dtypes[sub[0].payload()].object
	}
	if fields, ok := m.items(items[4]); ok {
		for _, f := range fields {
			if parts, ok := m.elements(f); ok && len(parts) > 0 && parts[0].kind() == kDtype {
				objects = objects || m.dtypes[parts[0].payload()].object
			}
		}
	}
	if objects && !flagged && !d.object {
		m.deceives("array", "a dtype that says it holds no objects and has fields that do")
	}
	d.object = d.object || flagged || objects
	return nil
}

// array runs BUILD of joblib's NumpyArrayWrapper: in a joblib file the array lies
// here in the stream, as padding and raw bytes, or as a pickle of its own where
// its elements are objects.
func (m *machine) array(state value) error {
	m.stats.arrays++
	items, ok := m.items(state)
	if !ok {
		return m.broken("array", "an array whose description is not known")
	}
	shape, kind, align := mk(kUnknown, 0), mk(kUnknown, 0), mk(kNone, 0)
	for i := 0; i+1 < len(items); i += 2 {
		switch key, _ := m.text(items[i]); key {
		case "shape":
			shape = items[i+1]
		case "dtype":
			kind = items[i+1]
		case "numpy_array_alignment_bytes":
			align = items[i+1]
		}
	}
	sizes, ok := m.elements(shape)
	if !ok || kind.kind() != kDtype {
		return m.broken("array", "an array whose shape or type is not known")
	}
	if m.frameEnd > m.r.offset() {
		m.deceives("frame", "an array in the middle of a frame")
	}
	m.frameEnd = -1
	d := m.dtypes[kind.payload()]
	result, err := m.global("numpy", "ndarray")
	if err != nil {
		return err
	}
	m.stack[len(m.stack)-1] = mk(kObject, result.payload())
	if d.object {
		return m.inner()
	}
	n := d.size
	if n < 0 {
		return m.broken("array", "an array whose elements have an unknown size")
	}
	for _, s := range sizes {
		k, ok := s.integer()
		hi, lo := bits.Mul64(uint64(n), uint64(max(k, 0)))
		if !ok || k < 0 || hi != 0 || lo > 1<<62 {
			return m.broken("array", "an array of a size that is no size")
		}
		n = int64(lo)
	}
	start := m.r.offset()
	if align.kind() != kNone {
		if err := m.r.fill(1); err != nil {
			return err
		}
		pad := int(m.r.buf[m.r.pos])
		m.r.pos++
		if err := m.r.fill(pad); err != nil {
			return err
		}
		m.r.pos += pad
	}
	if n > m.r.size-m.r.offset() {
		return m.broken("truncated", "an array of %d bytes where %d are left", n, m.r.size-m.r.offset())
	}
	if n > 0 && m.out != nil {
		m.asOpcodes(start, m.r.offset()+n)
	}
	m.account(m.r.offset())
	m.out.Opaque(m.r.offset(), n)
	m.r.seek(m.r.offset() + n)
	m.counted = m.r.offset()
	return nil
}

// inner interprets the pickle of an array of objects, with a stack and a memo of its own.
func (m *machine) inner() error {
	if m.depth >= maxInner {
		return m.broken("array", "more than %d arrays of objects in each other", maxInner)
	}
	m.depth++
	stack, marks, fence, known, proto, seen := m.stack, m.marks, m.fence, m.memo, m.proto, m.putSeen
	m.stack, m.marks, m.fence, m.memo, m.proto, m.putSeen, m.frameEnd = nil, nil, 0, memo{}, 0, 0, -1
	err := m.run()
	m.stack, m.marks, m.fence, m.memo, m.proto, m.putSeen, m.frameEnd = stack, marks, fence, known, proto, seen, -1
	m.depth--
	return err
}

const maxInner = 16

// asOpcodes reads the bytes of an array as plain pickle.load would, which knows of
// no arrays: the opcodes that follow the wrapper. Numbers break such a pickle at
// once; bytes that name something denied before they do are no numbers.
func (m *machine) asOpcodes(from, to int64) {
	c := &collector{spend: m.out.Spend}
	p := newMachine(m.r.ctx, m.r.in, to, m.rules, c)
	p.reset(from)
	p.depth = maxInner
	for range 16 {
		p.stack = append(p.stack, mk(kUnknown, 0))
	}
	_ = p.run() // where it breaks is of no interest
	for _, f := range c.findings {
		if f.Outcome >= scan.Dangerous && f.Capability != "" && p.stats.globals > 0 {
			f.Rule = "pickle/array-opcodes"
			f.Evidence = "an array that is a program to pickle.load: " + f.Evidence
			m.out.Find(f)
		}
	}
}

package pickle

import (
	"encoding/binary"
	"fmt"

	"github.com/assize/assize/internal/scan"
)

// run interprets one pickle from where the reader stands to its STOP. An error is
// a *scan.Problem where the pickle breaks; what ran before has been reported.
func (m *machine) run() error {
	r := &m.r
	for {
		if r.pos == len(r.buf) {
			m.from = r.offset()
			if err := r.fill(1); err != nil {
				return m.truncated(err)
			}
		}
		if len(m.stack) == cap(m.stack) {
			if err := m.room(); err != nil {
				return err
			}
		}
		m.from = r.base + int64(r.pos)
		if m.frameEnd >= 0 && m.from >= m.frameEnd {
			if m.from > m.frameEnd {
				m.deceives("frame", "an opcode reaches over the end of its frame")
			}
			m.frameEnd = -1
		}
		op := r.buf[r.pos]
		r.pos++
		m.stats.ops++
		switch op {
		case 'N':
			m.push(mk(kNone, 0))
		case 0x88, 0x89:
			m.push(mk(kBool, int64(0x89-op)))
		case 'K', 'M', 'J', 'G':
			if err := m.number(op); err != nil {
				return m.truncated(err)
			}
		case 0x8c, 'X', 0x8d, 'U', 'T', 'C', 'B', 0x8e, 0x96:
			if err := m.counted8(op); err != nil {
				return m.truncated(err)
			}
		case 0x94: // MEMOIZE
			if err := m.put(m.memo.count, 2); err != nil {
				return err
			}
		case 'q', 'r', 'h', 'j':
			if err := m.memoOp(op); err != nil {
				return m.truncated(err)
			}
		case '(':
			if err := m.mark(); err != nil {
				return err
			}
		case 0x85, 0x86, 0x87:
			n := int(op - 0x84)
			if err := m.need(n); err != nil {
				return err
			}
			at := len(m.stack) - n
			m.stack = append(m.stack[:at], m.tuple(m.stack[at:]))
		case ')':
			m.push(m.tuple(nil))
		case ']':
			m.push(mk(kList, 0))
		case '}':
			m.push(m.newDict(nil))
		case 0x8f:
			m.push(mk(kSet, 0))
		case 'a', 'e', 's', 'u', 0x90:
			if err := m.mutate(op); err != nil {
				return err
			}
		case 't', 'l', 'd', 0x91:
			if err := m.gather(op); err != nil {
				return err
			}
		case '.':
			return m.stop()
		case 0x80:
			if err := r.fill(1); err != nil {
				return m.truncated(err)
			}
			m.proto = int(r.buf[r.pos])
			r.pos++
			if m.proto > 5 {
				return m.broken("protocol", "protocol %d does not exist", m.proto)
			}
		case 0x95:
			if err := m.frame(); err != nil {
				return m.truncated(err)
			}
		case '0', '1', '2':
			if err := m.drop(op); err != nil {
				return err
			}
		case 'c', 'i', 0x93, 'R', 'o', 0x81, 0x92, 'b', 0x82, 0x83, 0x84, 'P', 'Q', 0x97, 0x98:
			if err := m.act(op); err != nil {
				return m.truncated(err)
			}
		case 'I', 'L', 'F', 'S', 'V', 'p', 'g', 0x8a, 0x8b:
			if err := m.text0(op); err != nil {
				return m.truncated(err)
			}
		default:
			return m.broken("opcode", "0x%02x is no opcode", op)
		}
	}
}

// number runs BININT1, BININT2, BININT and BINFLOAT.
func (m *machine) number(op byte) error {
	r := &m.r
	n := 4
	switch op {
	case 'K':
		n = 1
	case 'M':
		n = 2
	case 'G':
		n = 8
	}
	if err := r.fill(n); err != nil {
		return err
	}
	b := r.buf[r.pos : r.pos+n]
	r.pos += n
	switch op {
	case 'K':
		m.push(mkInt(int64(b[0])))
	case 'M':
		m.push(mkInt(int64(binary.LittleEndian.Uint16(b))))
	case 'J':
		m.push(mkInt(int64(int32(binary.LittleEndian.Uint32(b)))))
	case 'G':
		m.push(mk(kFloat, 0))
	}
	return nil
}

// memoOp runs BINPUT, LONG_BINPUT, BINGET and LONG_BINGET.
func (m *machine) memoOp(op byte) error {
	r := &m.r
	n := 1
	if op == 'r' || op == 'j' {
		n = 4
	}
	if err := r.fill(n); err != nil {
		return err
	}
	key := int64(r.buf[r.pos])
	if n == 4 {
		key = int64(binary.LittleEndian.Uint32(r.buf[r.pos:]))
	}
	r.pos += n
	if op == 'q' || op == 'r' {
		return m.put(key, 1)
	}
	return m.get(key)
}

// put stores the top of the stack in the memo. by is 1 for PUT with a number and 2 for MEMOIZE.
func (m *machine) put(key int64, by byte) error {
	if err := m.need(1); err != nil {
		return err
	}
	v := m.stack[len(m.stack)-1]
	if m.putSeen |= by; m.putSeen == 3 {
		m.deceives("memo", "MEMOIZE and PUT number the same memo")
		m.putSeen |= 4
	}
	if key > 1<<24 && key > 64*m.memo.count {
		m.deceives("memo", fmt.Sprintf("memo number %d after %d values: some unpicklers need memory for all between", key, m.memo.count))
	}
	old, replaced, cost := m.memo.put(key, v)
	if replaced && old != v {
		m.deceives("memo", "a number of the memo is given again to another value")
	}
	if cost > 0 {
		return m.hold(cost)
	}
	return nil
}

func (m *machine) get(key int64) error {
	v, ok := m.memo.get(key)
	if !ok {
		m.deceives("memo", fmt.Sprintf("number %d of the memo is read and was never set", key))
		return m.broken("memo", "number %d of the memo is read and was never set", key)
	}
	m.push(v)
	return nil
}

// frame runs FRAME. CPython's C unpickler only wants the bytes to be there; the
// one in Python holds opcodes and arguments to the frame.
func (m *machine) frame() error {
	r := &m.r
	if err := r.fill(8); err != nil {
		return err
	}
	size := binary.LittleEndian.Uint64(r.buf[r.pos:])
	r.pos += 8
	if m.frameEnd > m.from {
		m.deceives("frame", "a frame inside a frame")
	}
	if size > uint64(r.size-r.offset()) {
		m.deceives("frame", fmt.Sprintf("a frame of %d bytes where %d are left", size, r.size-r.offset()))
		m.frameEnd = -1
		return nil
	}
	m.frameEnd = r.offset() + int64(size)
	return nil
}

// stop ends a pickle.
func (m *machine) stop() error {
	var err error
	if m.result, err = m.pop(); err != nil {
		return err
	}
	if m.frameEnd > m.r.offset() {
		m.deceives("frame", "a frame goes on after the end of its pickle")
	}
	m.frameEnd = -1
	m.account(m.r.offset())
	return nil
}

// drop runs POP, POP_MARK and DUP.
func (m *machine) drop(op byte) error {
	switch {
	case op == '0' && len(m.marks) > 0 && int(m.marks[len(m.marks)-1]) == len(m.stack), op == '1':
		at, err := m.marker()
		if err == nil {
			m.stack = m.stack[:at]
		}
		return err
	case op == '0':
		_, err := m.pop()
		return err
	}
	if err := m.need(1); err != nil {
		return err
	}
	m.push(m.stack[len(m.stack)-1])
	return nil
}

// gather runs TUPLE, LIST, DICT and FROZENSET.
func (m *machine) gather(op byte) error {
	at, err := m.marker()
	if err != nil {
		return err
	}
	items := m.stack[at:]
	var v value
	switch op {
	case 't':
		v = m.tuple(items)
	case 'd':
		if len(items)%2 != 0 {
			return m.broken("stack", "DICT of an odd number of values")
		}
		v = m.newDict(items)
	case 'l':
		m.escapes(items)
		v = mk(kList, 0)
	case 0x91:
		m.escapes(items)
		v = mk(kData, 0)
	}
	m.stack = append(m.stack[:at], v)
	return nil
}

// mutate runs APPEND, APPENDS, SETITEM, SETITEMS and ADDITEMS.
func (m *machine) mutate(op byte) error {
	at := len(m.stack) - 1
	switch op {
	case 's':
		at--
	case 'e', 'u', 0x90:
		var err error
		if at, err = m.marker(); err != nil {
			return err
		}
	}
	if at <= m.fence || at > len(m.stack) {
		return m.broken("stack", "an opcode adds to a container that is not on the stack")
	}
	items, to := m.stack[at:], m.stack[at-1]
	m.stack = m.stack[:at]
	if len(items) == 0 {
		return nil
	}
	if (op == 's' || op == 'u') && len(items)%2 != 0 {
		return m.broken("stack", "SETITEMS of an odd number of values")
	}
	m.escapes(items)
	switch to.kind() {
	case kList, kSet:
		return nil
	case kDict:
		if op == 's' || op == 'u' {
			m.extend(to, items)
			return nil
		}
	case kObject:
		if !m.names[to.payload()].verdict.Container {
			m.callsMethod(op, to)
		}
		return nil
	case kGlobal:
		n := &m.names[to.payload()]
		m.find("patch", scan.Malicious, n.capability(), "changes "+n.full()+", which lives on in the program", "CWE-502", "CWE-915", "AML.T0011.000")
		return nil
	case kUnknown, kBytes, kDtype, kPersist:
		return nil
	}
	return m.broken("type", "an opcode adds to a value that holds no others")
}

package pickle

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
)

// act runs the opcodes that name, call, build or fetch something from outside.
func (m *machine) act(op byte) error {
	var v value
	var err error
	switch op {
	case 'c':
		v, err = m.globalLine()
	case 0x93:
		v, err = m.stackGlobal()
	case 'R':
		v, err = m.reduce()
	case 'i', 'o':
		v, err = m.instance(op)
	case 0x81, 0x92:
		v, err = m.newObject(op)
	case 'b':
		return m.build()
	case 'P', 'Q':
		v, err = m.persist(op)
	case 0x82, 0x83, 0x84:
		v, err = m.extension(op)
	case 0x97:
		m.find("buffer", scan.Dangerous, "", "takes a buffer from outside of the file", "CWE-829")
		v = mk(kBytes, -1)
	case 0x98:
		return m.need(1)
	}
	if err != nil {
		return err
	}
	m.push(v)
	return nil
}

// reduce runs REDUCE.
func (m *machine) reduce() (value, error) {
	if err := m.need(2); err != nil {
		return 0, err
	}
	at := len(m.stack) - 2
	callee, args := m.stack[at], m.stack[at+1]
	m.stack = m.stack[:at]
	switch args.kind() {
	case kTuple, kLong, kObject, kUnknown:
	case kNone, kBool, kInt, kFloat, kDtype:
		return 0, m.broken("type", "REDUCE with arguments that are no tuple")
	default: // the unpickler in C refuses these, the one in Python takes them apart
		m.deceives("arguments", "REDUCE with arguments that are no tuple")
	}
	return m.call(callee, args)
}

// call judges callee(*args) and gives its result.
func (m *machine) call(callee, args value) (value, error) {
	m.stats.calls++
	switch callee.kind() {
	case kGlobal:
	case kObject, kUnknown, kPersist, kDtype:
		m.find("computed-call", scan.Dangerous, scan.Execute, "calls "+m.show(callee)+", a value that is made when the file is loaded", "CWE-502", "CWE-470", "AML.T0011.000")
		return mk(kUnknown, 0), nil
	default:
		return 0, m.broken("type", "calls a value that cannot be called")
	}
	n := &m.names[callee.payload()]
	items, known := m.elements(args)
	switch n.verdict.Kind {
	case rules.Denied, rules.Deceptive:
		m.denied(n, items, known)
		return mk(kUnknown, 0), nil
	case rules.Unknown:
		if n.used&1 == 0 {
			n.used |= 1
			m.find("unknown-call", scan.UnknownCode, scan.Execute, fmt.Sprintf("calls %s(%s), which no vetted list holds", n.full(), m.list(items)), "CWE-502")
		}
		m.passed(n, items)
		return mk(kObject, callee.payload()), nil
	}
	m.passed(n, items)
	if n.verdict.Special != "" {
		return m.special(callee, n, items, known)
	}
	if !n.verdict.Call && n.used&1 == 0 {
		n.used |= 1
		m.find("unknown-call", scan.UnknownCode, scan.Execute, fmt.Sprintf("calls %s(%s), whose objects are vetted and whose constructor is not", n.full(), m.list(items)), "CWE-502")
	}
	return mk(kObject, callee.payload()), nil
}

// denied reports the call of a denied name.
func (m *machine) denied(n *name, items []value, known bool) {
	if n.used&1 != 0 {
		return
	}
	n.used |= 1
	args := "…"
	if known {
		args = m.list(items)
	}
	outcome := scan.Malicious
	if n.verdict.Kind == rules.Deceptive {
		outcome = scan.Dangerous
	}
	m.find("call", outcome, n.capability(), fmt.Sprintf("%s(%s)%s", n.full(), args, because(n.verdict)), append(n.verdict.Cites, "AML.T0011.000")...)
}

// special runs the callables whose arguments decide what they do.
func (m *machine) special(callee value, n *name, items []value, known bool) (value, error) {
	refuse := func(why string) (value, error) {
		m.find("arguments", scan.Dangerous, scan.Execute, fmt.Sprintf("%s(%s): %s", n.full(), m.list(items), why), "CWE-502", "CWE-470", "AML.T0011.000")
		return mk(kUnknown, 0), nil
	}
	if !known {
		return refuse("its arguments are not known")
	}
	switch n.verdict.Special {
	case "getattr":
		return m.getattr(items, refuse)
	case "encode": // how protocols below 3 write bytes
		if len(items) == 2 && items[0].kind() == kStr {
			if enc, ok := m.text(items[1]); ok && latin1(enc) {
				return m.encoded(items[0])
			}
		}
		if len(items) == 1 && items[0].kind() == kStr {
			return mk(kData, 0), nil
		}
		return refuse("an encoding that picklers do not write")
	case "new": // copyreg's three ways to make an instance: the class comes first
		if len(items) == 0 {
			return 0, m.broken("type", "%s without a class", n.full())
		}
		if len(items) > 1 && n.attr == "_reconstructor" && items[1].kind() == kGlobal {
			if b := &m.names[items[1].payload()]; b.verdict.Kind != rules.Vetted || !b.verdict.New && !b.verdict.Call {
				return refuse("a base class that is not vetted")
			}
		}
		return m.newOf(items[0])
	case "factory": // calls its first argument, now or later
		if len(items) > 0 {
			switch f := items[0]; f.kind() {
			case kNone:
			case kGlobal:
				if v := m.names[f.payload()].verdict; v.Kind == rules.Vetted && (v.Special != "" && !v.New || !v.New && !v.Call) {
					return refuse("a factory that is not vetted for calls")
				}
			case kObject, kUnknown:
				return refuse("a factory that is made when the file is loaded")
			}
		}
		return mk(kObject, callee.payload()), nil
	case "apply": // calls callables among its arguments with others
		for _, v := range items {
			if v.kind() == kGlobal {
				if n := m.names[v.payload()].verdict; n.Kind == rules.Vetted && (!n.Call || n.Special != "") {
					return refuse("calls what is not vetted for calls")
				}
			}
		}
		return mk(kObject, callee.payload()), nil
	case "type": // of one value its class, of three a new class
		if len(items) == 1 {
			return mk(kUnknown, 0), nil
		}
		return refuse("makes a class")
	case "dtype":
		return m.dtype(items)
	case "bytes": // a file of its own in bytes
		return m.storage(items, refuse)
	}
	return refuse("it may do anything")
}

func latin1(s string) bool {
	switch strings.ToLower(s) {
	case "latin1", "latin-1", "latin_1", "iso-8859-1", "iso8859-1":
		return true
	}
	return false
}

// getattr resolves an attribute of a name, as picklers below protocol 4 write nested classes.
func (m *machine) getattr(items []value, refuse func(string) (value, error)) (value, error) {
	if len(items) < 2 {
		return 0, m.broken("type", "getattr without a name")
	}
	attr, ok := m.text(items[1])
	if !ok {
		return refuse("the attribute is computed")
	}
	if items[0].kind() != kGlobal {
		if strings.HasPrefix(attr, "__") {
			return refuse("an attribute that leads out of the object")
		}
		m.find("unknown-name", scan.UnknownCode, scan.Execute, "takes "+attr+" of "+m.show(items[0]), "CWE-502")
		return mk(kUnknown, 0), nil
	}
	n := m.names[items[0].payload()]
	if strings.Contains(attr, ".") {
		return refuse("an attribute with dots")
	}
	return m.global(n.module, n.attr+"."+attr)
}

// instance runs OBJ and INST: cls(*args), or an empty instance without arguments.
func (m *machine) instance(op byte) (value, error) {
	at, err := m.marker()
	if err != nil {
		return 0, err
	}
	var cls value
	items := m.stack[at:]
	if op == 'i' {
		if cls, err = m.globalLine(); err != nil {
			return 0, err
		}
	} else {
		if len(items) < 1 {
			return 0, m.broken("stack", "OBJ without a class")
		}
		cls, items = items[0], items[1:]
	}
	args := m.tuple(items)
	none := len(items) == 0
	m.stack = m.stack[:at]
	if none && cls.kind() == kGlobal {
		if n := &m.names[cls.payload()]; n.verdict.Kind == rules.Vetted && n.verdict.New {
			return mk(kObject, cls.payload()), nil
		}
	}
	return m.call(cls, args)
}

// newObject runs NEWOBJ and NEWOBJ_EX: cls.__new__(cls, *args, **kwargs).
func (m *machine) newObject(op byte) (value, error) {
	n := 2
	if op == 0x92 {
		n = 3
	}
	if err := m.need(n); err != nil {
		return 0, err
	}
	at := len(m.stack) - n
	cls, args := m.stack[at], m.stack[at+1]
	m.stack = m.stack[:at]
	if k := args.kind(); k != kTuple && k != kLong {
		m.deceives("arguments", "NEWOBJ with arguments that are no tuple")
	}
	if items, ok := m.elements(args); ok && cls.kind() == kGlobal {
		m.passed(&m.names[cls.payload()], items)
	}
	return m.newOf(cls)
}

// newOf judges an instance of cls that is made without its constructor.
func (m *machine) newOf(cls value) (value, error) {
	switch cls.kind() {
	case kGlobal:
	case kObject, kUnknown:
		m.find("computed-call", scan.Dangerous, scan.Execute, "makes an instance of a class that is computed when the file is loaded", "CWE-502", "CWE-470")
		return mk(kUnknown, 0), nil
	default:
		return 0, m.broken("type", "makes an instance of what is no class")
	}
	n := &m.names[cls.payload()]
	switch {
	case n.verdict.Kind == rules.Denied || n.verdict.Kind == rules.Deceptive:
		m.denied(n, nil, false)
	case n.verdict.Kind == rules.Vetted && !n.verdict.New && n.used&1 == 0:
		n.used |= 1
		m.find("unknown-call", scan.UnknownCode, scan.Execute, "makes an instance of "+n.full()+", which is vetted for calls alone", "CWE-502")
	}
	return mk(kObject, cls.payload()), nil
}

// build runs BUILD: obj.__setstate__(state), or setting its attributes.
func (m *machine) build() error {
	if err := m.need(2); err != nil {
		return err
	}
	state, to := m.stack[len(m.stack)-1], m.stack[len(m.stack)-2]
	m.stack = m.stack[:len(m.stack)-1]
	m.escapes([]value{state})
	switch to.kind() {
	case kObject:
		n := &m.names[to.payload()]
		m.stats.calls++
		if items, ok := m.elements(state); ok {
			m.passed(n, items)
		}
		if items, ok := m.items(state); ok {
			m.passed(n, items)
		}
		m.passed(n, []value{state})
		if n.verdict.Special == "array" && m.depth == 0 {
			return m.array(state)
		}
		return nil
	case kDtype:
		return m.dtypeState(to, state)
	case kGlobal:
		n := &m.names[to.payload()]
		m.find("patch", scan.Malicious, n.capability(), "sets attributes of "+n.full()+", which lives on in the program", "CWE-502", "CWE-915", "AML.T0011.000")
		return nil
	case kUnknown, kPersist, kData:
		return nil
	}
	return m.broken("type", "BUILD of a value that has no state")
}

// callsMethod reports an opcode that calls a method of an object whose class is not vetted as a container.
func (m *machine) callsMethod(op byte, to value) {
	method := "extend"
	switch op {
	case 's', 'u':
		method = "__setitem__"
	case 0x90:
		method = "add"
	}
	n := &m.names[to.payload()]
	if n.verdict.Kind == rules.Vetted {
		m.find("method", scan.Dangerous, scan.Execute, "calls "+method+" of "+m.show(to)+", which is no container", "CWE-502")
	}
}

// persist runs PERSID and BINPERSID.
func (m *machine) persist(op byte) (value, error) {
	var id value
	if op == 'P' {
		if _, err := m.r.line(); err != nil {
			return 0, err
		}
		id = mk(kData, 0)
	} else {
		var err error
		if id, err = m.pop(); err != nil {
			return 0, err
		}
	}
	if m.persistent != nil {
		if v, ok := m.persistent(m, id); ok {
			return v, nil
		}
	}
	m.find("persistent-id", scan.Dangerous, scan.Nested, "asks its loader for the object "+m.show(id)+", which nothing around the pickle explains", "CWE-502", "CWE-829")
	return mk(kPersist, 0), nil
}

// extension runs EXT1, EXT2 and EXT4.
func (m *machine) extension(op byte) (value, error) {
	n := 1 << (op - 0x82)
	if err := m.r.fill(n); err != nil {
		return 0, err
	}
	b := make([]byte, 4)
	copy(b, m.r.buf[m.r.pos:m.r.pos+n])
	m.r.pos += n
	code := int32(binary.LittleEndian.Uint32(b))
	m.find("extension", scan.Dangerous, scan.Import, fmt.Sprintf("extension code %d: what it names stands in the registry of the program that loads the file", code), "CWE-502", "CWE-470")
	if code <= 0 {
		return 0, m.broken("value", "extension code %d", code)
	}
	return mk(kUnknown, 0), nil
}

// encoded is bytes that stand in the file as text in Latin-1.
func (m *machine) encoded(text value) (value, error) {
	b, ok := m.literal(text, maxWhole)
	if !ok {
		return mk(kData, 0), nil
	}
	plain := fromLatin1(b)
	if m.follow != nil && looksLikeFile(plain) {
		if err := m.follow(text.payload(), newBytes(plain), int64(len(plain)), false); err != nil {
			return 0, err
		}
	}
	return mk(kData, text.payload()), nil
}

func fromLatin1(text []byte) []byte {
	plain := make([]byte, 0, len(text))
	for _, r := range string(text) {
		plain = append(plain, byte(r))
	}
	return plain
}

// storage runs torch's way to put a whole file into bytes, which is followed.
func (m *machine) storage(items []value, refuse func(string) (value, error)) (value, error) {
	if len(items) != 1 || m.follow == nil {
		return refuse("not one argument")
	}
	var r io.ReaderAt
	var off, size int64
	switch v := items[0]; v.kind() {
	case kBytes:
		off = v.payload()
		b, err := m.r.at(off, int(min(9, m.r.size-off)))
		if err != nil || len(b) < 9 {
			return refuse("bytes that cannot be read again")
		}
		head, n := header(b)
		r, size = io.NewSectionReader(m.r.in, off+int64(head), int64(n)), int64(n)
	case kData:
		b, ok := m.literal(mk(kStr, v.payload()), maxWhole)
		if !ok || v.payload() == 0 {
			return refuse("bytes that are computed when the file is loaded")
		}
		plain := fromLatin1(b)
		off, r, size = v.payload(), newBytes(plain), int64(len(plain))
	default:
		return refuse("no bytes")
	}
	if err := m.follow(off, r, size, true); err != nil {
		return 0, err
	}
	return mk(kPersist, 0), nil
}

package pickle

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
)

// name is a global that the file names.
type name struct {
	module, attr string
	verdict      rules.Verdict
	used         uint8 // ways of use that are reported: bit 0 called, 1 passed on, 2 escaped
}

func (n *name) full() string { return n.module + "." + n.attr }

func (n *name) capability() string { return n.verdict.Capability }

const maxNames = 1 << 18

// global looks a name up: what GLOBAL, INST, STACK_GLOBAL and getattr of constants do.
func (m *machine) global(module, attr string) (value, error) {
	if m.proto < 3 {
		if mod, at, ok := m.rules.Python2(module, attr); ok { // fix_imports of CPython
			module, attr = mod, at
		}
	}
	key := module + "\x00" + attr
	if i, ok := m.byName[key]; ok {
		return mk(kGlobal, i), nil
	}
	if len(m.names) >= maxNames {
		return 0, m.broken("names", "more than %d different names", maxNames)
	}
	if err := m.out.Hold(int64(2*len(key) + 200)); err != nil {
		return 0, err
	}
	n := name{module: module, attr: attr, verdict: m.rules.Name(module, attr)}
	if m.script && (module == "__torch__" || strings.HasPrefix(module, "__torch__.")) && !strings.HasPrefix(module, "__torch__.torch.classes") {
		n.verdict = rules.Verdict{Kind: rules.Vetted, New: true, Call: true}
	}
	i := int64(len(m.names))
	m.names = append(m.names, n)
	m.byName[key] = i
	if identifier(module) && identifier(attr) {
		m.stats.globals++
	}
	switch n.verdict.Kind {
	case rules.Denied:
		m.find("reference", scan.Dangerous, n.verdict.Capability, "names "+n.full()+because(n.verdict), n.verdict.Cites...)
	case rules.Deceptive:
		m.find("reference", scan.Dangerous, n.verdict.Capability, "names "+n.full()+because(n.verdict), n.verdict.Cites...)
	case rules.Unknown:
		m.find("unknown-name", scan.UnknownCode, scan.Import, "names "+n.full()+", which no vetted list holds", "CWE-502", "CWE-829")
	}
	return mk(kGlobal, i), nil
}

// because says through what a name was recognised.
func because(v rules.Verdict) string {
	if v.Via == "" {
		return ""
	}
	return " (" + v.Via + ")"
}

// identifier tells names that Python could import from noise.
func identifier(s string) bool {
	if s == "" || len(s) > maxName || !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if c != '.' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c < 0x80 {
			return false
		}
	}
	return true
}

// globalLine runs GLOBAL, and the first half of INST.
func (m *machine) globalLine() (value, error) {
	a, err := m.r.line()
	if err != nil {
		return 0, err
	}
	module := string(a)
	b, err := m.r.line()
	if err != nil {
		return 0, err
	}
	if !utf8.ValidString(module) || !utf8.Valid(b) {
		return 0, m.broken("value", "a name that is no UTF-8")
	}
	return m.global(module, string(b))
}

// stackGlobal runs STACK_GLOBAL.
func (m *machine) stackGlobal() (value, error) {
	if err := m.need(2); err != nil {
		return 0, err
	}
	at := len(m.stack) - 2
	pair := [2]value{m.stack[at], m.stack[at+1]}
	m.stack = m.stack[:at]
	if i, ok := m.pairs[pair]; ok {
		return mk(kGlobal, i), nil
	}
	for _, v := range pair {
		switch v.kind() {
		case kStr:
		case kData, kObject, kUnknown, kPersist, kBytes:
			m.find("computed-name", scan.Dangerous, scan.Import, "the module or name of a global is computed when the file is loaded", "CWE-502", "CWE-470", "AML.T0011.000")
			return mk(kUnknown, 0), nil
		default:
			return 0, m.broken("type", "STACK_GLOBAL of values that are no strings")
		}
	}
	module, ok := m.text(pair[0])
	attr, ok2 := m.text(pair[1])
	if !ok || !ok2 {
		return 0, m.broken("value", "a name of more than %d bytes", maxName)
	}
	v, err := m.global(module, attr)
	if err == nil && len(m.pairs) < 1<<12 {
		m.pairs[pair] = v.payload()
	}
	return v, err
}

// escapes reports callables that are vetted only where their arguments are seen,
// when they are handed on as values: whoever gets them may call them.
func (m *machine) escapes(items []value) {
	for _, v := range items {
		if v.kind() == kGlobal {
			if n := &m.names[v.payload()]; n.verdict.Special != "" && !n.verdict.New && n.used&4 == 0 {
				n.used |= 4
				m.find("escape", scan.Dangerous, scan.Execute, "hands "+n.full()+" on as a value, so that its arguments cannot be seen", "CWE-502", "AML.T0011.000")
			}
		}
	}
}

// passed reports denied callables among the arguments of a call.
func (m *machine) passed(to *name, items []value) {
	for _, v := range items {
		if v.kind() == kGlobal {
			if n := &m.names[v.payload()]; (n.verdict.Kind == rules.Denied || n.verdict.Kind == rules.Deceptive) && n.used&2 == 0 {
				n.used |= 2
				m.find("call", scan.Malicious, n.capability(), fmt.Sprintf("%s is handed to %s", n.full(), to.full()), append(n.verdict.Cites, "AML.T0011.000")...)
			}
		}
	}
}

// show writes a value for a finding.
func (m *machine) show(v value) string {
	switch v.kind() {
	case kNone:
		return "None"
	case kBool:
		return []string{"False", "True"}[v.payload()&1]
	case kInt:
		n, _ := v.integer()
		return fmt.Sprint(n)
	case kFloat:
		return "a float"
	case kStr, kBytes:
		b, ok := m.literal(v, 256)
		if !ok {
			return "a long string"
		}
		return fmt.Sprintf("%q", b)
	case kGlobal, kObject:
		s := m.names[v.payload()].full()
		if v.kind() == kObject {
			s += "(…)"
		}
		return s
	case kTuple:
		items, ok := m.elements(v)
		if !ok {
			return "(…)"
		}
		return "(" + m.list(items) + ")"
	case kList:
		return "[…]"
	case kDict:
		return "{…}"
	}
	return "…"
}

func (m *machine) list(items []value) string {
	var s []string
	for i, v := range items {
		if i == 6 {
			s = append(s, "…")
			break
		}
		s = append(s, m.show(v))
	}
	return strings.Join(s, ", ")
}

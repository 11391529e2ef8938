// Package rules says of names that model files use what they can do: vetted ones
// that only build data, denied ones with the capability that they give, and the
// aliases through which both are reached. The lists are data files, digested, and
// a site lays a policy of its own over them.
package rules

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed data/*.txt
var files embed.FS

// Kind is what the lists say of a name.
type Kind int

// The kinds.
const (
	Unknown   Kind = iota // on no list
	Vetted                // builds data and nothing else, used as the verdict says
	Denied                // gives a capability
	Deceptive             // resolves to something else than it says
)

// Verdict is what is known of a name.
type Verdict struct {
	Kind       Kind
	Capability string // of a denied name
	Cites      []string
	Via        string // "is os.system": how it was recognised
	Call       bool   // vetted: may be called with any values
	New        bool   // vetted: instances without constructor, and their state
	Container  bool   // vetted: items may be added to instances
	Special    string // vetted: what it does depends on arguments, by the rule of this name
}

// Set is the lists together. It is not changed after it is made.
type Set struct {
	version string
	digest  string
	vetted  map[string]Verdict           // "module name"
	denied  map[string]map[string]string // module, name or prefix* or *: capability
	alias   map[string]string            // module: module
	core    map[string]bool              // modules that are recognised anywhere in a chain
	telling map[string]string            // names that give themselves away: what they are elsewhere
	python2 map[string]string            // "module name" or "module": what fix_imports makes of it
	known   map[string]bool              // packages whose modules nobody else provides
}

// Load reads the lists that come with the program.
func Load() (*Set, error) {
	s := &Set{
		vetted: map[string]Verdict{}, denied: map[string]map[string]string{}, alias: map[string]string{}, core: map[string]bool{},
		telling: map[string]string{}, python2: map[string]string{}, known: map[string]bool{},
	}
	list, err := fs.Glob(files, "data/*.txt")
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	slices.Sort(list)
	h := sha256.New()
	for _, name := range list {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read rules: %w", err)
		}
		fmt.Fprintf(h, "%s %d\n", name, len(b))
		h.Write(b)
		if err := s.read(name, string(b)); err != nil {
			return nil, err
		}
	}
	s.digest = "sha256:" + hex.EncodeToString(h.Sum(nil))
	return s, nil
}

// Digest is the SHA-256 of all lists and of the policy laid over them.
func (s *Set) Digest() string { return s.digest }

// Version is the date of the lists.
func (s *Set) Version() string { return s.version }

// read reads one list. A line is a keyword and its words; # begins a comment.
//
//	version DATE
//	vet FLAGS MODULE NAME...     flags: call, new, container, or special=RULE, joined by commas
//	deny CAPABILITY MODULE NAME... a name may end in *, * alone is all; a module may end in .*
//	alias MODULE IS
//	core MODULE...
//	telling NAME...              MODULE of the line before, a name that gives itself away
//	python2 MODULE[:NAME] IS[:NAME]
func (s *Set) read(file, text string) error {
	in := bufio.NewScanner(strings.NewReader(text))
	in.Buffer(nil, 1<<20)
	for n := 1; in.Scan(); n++ {
		line, _, _ := strings.Cut(in.Text(), "#")
		w := strings.Fields(line)
		if len(w) == 0 {
			continue
		}
		bad := func(why string) error { return fmt.Errorf("read rules: %s:%d: %s: %q", file, n, why, in.Text()) }
		if len(w) < 2 {
			return bad("too few words")
		}
		switch w[0] {
		case "version":
			s.version = w[1]
		case "vet":
			v, err := flags(w[1])
			if err != nil || len(w) < 4 {
				return bad("not a vetted name")
			}
			for _, name := range w[3:] {
				v := v
				if old, ok := s.vetted[w[2]+" "+name]; ok {
					v = Verdict{Kind: Vetted, Call: v.Call || old.Call, New: v.New || old.New, Container: v.Container || old.Container, Special: max(v.Special, old.Special)}
				}
				s.vetted[w[2]+" "+name] = v
			}
			s.known[top(w[2])] = true
		case "deny":
			if len(w) < 4 {
				return bad("not a denied name")
			}
			if s.denied[w[2]] == nil {
				s.denied[w[2]] = map[string]string{}
			}
			for _, name := range w[3:] {
				s.denied[w[2]][name] = w[1]
			}
			s.known[top(strings.TrimSuffix(w[2], ".*"))] = true
		case "alias":
			if len(w) != 3 {
				return bad("not an alias")
			}
			s.alias[w[1]] = w[2]
		case "core":
			for _, m := range w[1:] {
				s.core[m] = true
			}
		case "telling":
			for _, name := range w[2:] {
				s.telling[name] = w[1]
			}
		case "python2":
			if len(w) != 3 {
				return bad("not a name of Python 2")
			}
			s.python2[strings.ReplaceAll(w[1], ":", " ")] = strings.ReplaceAll(w[2], ":", " ")
		default:
			return bad("unknown keyword")
		}
	}
	return in.Err()
}

func flags(s string) (Verdict, error) {
	v := Verdict{Kind: Vetted}
	for f := range strings.SplitSeq(s, ",") {
		switch {
		case f == "call":
			v.Call = true
		case f == "new":
			v.New = true
		case f == "container":
			v.Container = true
		case strings.HasPrefix(f, "special="):
			v.Special = strings.TrimPrefix(f, "special=")
		default:
			return v, fmt.Errorf("flag %q is unknown", f)
		}
	}
	return v, nil
}

func top(module string) string {
	t, _, _ := strings.Cut(module, ".")
	return t
}

// Python2 is what a name of Python 2 is called in Python 3.
func (s *Set) Python2(module, name string) (m, n string, ok bool) {
	if to, ok := s.python2[module+" "+name]; ok {
		m, n, _ = strings.Cut(to, " ")
		return m, n, true
	}
	to, ok := s.python2[module]
	return to, name, ok
}

// Name says what is known of an attribute, perhaps with dots, of a module.
func (s *Set) Name(module, name string) Verdict {
	if v, ok := s.vetted[module+" "+name]; ok {
		return v
	}
	parts := strings.Split(name, ".")
	if len(parts) == 1 {
		if v, ok := s.deny(module, name, ""); ok {
			return v
		}
	}
	for i, p := range parts {
		if leads(p) {
			return denied("execute", "through "+p+", which leads to everything that the program can reach")
		}
		if i == len(parts)-1 {
			break
		}
		rest := strings.Join(parts[i+1:], ".")
		bare := strings.TrimLeft(p, "_")
		for _, m := range []string{p, bare} {
			if v, ok := s.deny(m, rest, "reaches "+m+"."+rest); ok && (s.core[m] || s.stands(m)) {
				return v
			}
		}
	}
	if v, ok := s.deny(module, name, ""); ok {
		return v
	}
	// The module's own name as the last part of a chain, as in lib.os.
	if i := strings.LastIndexByte(module, '.'); i >= 0 && s.core[strings.TrimLeft(module[i+1:], "_")] {
		if v, ok := s.deny(strings.TrimLeft(module[i+1:], "_"), name, "reaches "+module[i+1:]+"."+name); ok {
			return v
		}
	}
	if len(parts) > 1 && s.known[top(module)] {
		return Verdict{Kind: Deceptive, Capability: "execute", Via: "a chain of attributes that no library writes", Cites: []string{"CWE-502", "CWE-470"}}
	}
	last := parts[len(parts)-1]
	if is, ok := s.telling[last]; ok && s.known[top(module)] {
		return denied(is, "known as "+last+" elsewhere")
	}
	return Verdict{}
}

// leads tells attributes through which any object gives access to all others.
func leads(attr string) bool {
	switch attr {
	case "__globals__", "__builtins__", "__subclasses__", "__loader__", "__spec__", "__getattribute__", "__class__", "__base__", "__bases__", "__mro__", "mro",
		"__dict__", "__code__", "__closure__", "__self__", "__func__", "__wrapped__", "__import__", "__reduce__", "__reduce_ex__", "__init_subclass__",
		"__setattr__", "__delattr__", "__call__", "__get__", "__set__", "__init__", "__getitem__", "f_globals", "f_builtins", "gi_frame", "cr_frame", "tb_frame":
		return true
	}
	return false
}

// stands tells modules that stand on the list of denied ones on the top level.
func (s *Set) stands(m string) bool {
	_, ok := s.denied[m]
	return ok && !strings.Contains(m, ".")
}

func denied(capability, via string) Verdict {
	return Verdict{Kind: Denied, Capability: capability, Via: via, Cites: cites(capability)}
}

// deny looks a name up in the lists of what is denied, through aliases.
func (s *Set) deny(module, name, via string) (Verdict, bool) {
	if to, ok := s.alias[module]; ok {
		module = to
		if via == "" {
			via = "is " + to + "." + name
		}
	}
	first, _, _ := strings.Cut(name, ".")
	for _, m := range s.patterns(module) {
		list := s.denied[m]
		if list == nil {
			continue
		}
		best, capability := -1, ""
		for _, n := range []string{name, first} {
			if c, ok := list[n]; ok {
				return denied(c, via), true
			}
		}
		for pattern, c := range list {
			if p, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasPrefix(name, p) && len(p) > best {
				best, capability = len(p), c
			}
		}
		if best >= 0 {
			return denied(capability, via), true
		}
	}
	return Verdict{}, false
}

// patterns are the module and the patterns of packages around it, the nearest first.
func (s *Set) patterns(module string) []string {
	out := []string{module, module + ".*"}
	for {
		i := strings.LastIndexByte(module, '.')
		if i < 0 {
			return out
		}
		module = module[:i]
		out = append(out, module+".*")
	}
}

// cites are the weaknesses and techniques behind a capability.
func cites(capability string) []string {
	c := []string{"CWE-502"}
	switch capability {
	case "execute":
		c = append(c, "CWE-94")
	case "import":
		c = append(c, "CWE-829")
	case "write":
		c = append(c, "CWE-73")
	case "read":
		c = append(c, "CWE-200")
	case "network":
		c = append(c, "CWE-918")
	case "native-load":
		c = append(c, "CWE-114")
	case "nested-loader":
		c = append(c, "CWE-829")
	case "memory":
		c = append(c, "CWE-119")
	}
	return c
}

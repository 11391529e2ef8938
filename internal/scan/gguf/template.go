package gguf

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/scan"
)

// set makes one of words.
func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// vocabulary is what chat templates need, and nothing that leaves the template.
type vocabulary struct{ statements, filters, tests, functions, methods map[string]bool }

func vetted() vocabulary {
	return vocabulary{
		statements: set(`if elif else endif for endfor set endset macro endmacro call endcall filter endfilter with endwith
			break continue raw endraw generation endgeneration do autoescape endautoescape`),
		filters: set(`abs batch capitalize center count d default dictsort e escape first float groupby indent int items join last length list
			lower map max min reject rejectattr replace reverse round safe select selectattr slice sort split string striptags strip sum title tojson
			trim truncate unique upper urlencode wordcount fromjson from_json`),
		tests: set(`boolean callable defined divisibleby eq equalto even false float ge gt in integer iterable le lower lt mapping ne none
			number odd sameas sequence string true undefined upper None True False not startingwith`),
		functions: set(`range namespace raise_exception strftime_now dict loop caller tojson varargs kwargs`),
		methods: set(`append capitalize count cycle endswith extend find get index isalnum isalpha isdigit islower isspace isupper items join keys
			lower lstrip partition pop removeprefix removesuffix replace rfind rpartition rsplit rstrip split splitlines startswith strip
			strftime title update upper values isoformat copy insert changed length`),
	}
}

// escapes are names through which templates have left their sandbox.
func escapes() map[string]bool {
	return set(`lipsum joiner cycler self request config url_for get_flashed_messages app session g environment attr xmlattr pprint debug
		popen system eval exec compile globals builtins subclasses mro func_globals gi_frame f_globals f_builtins f_back tb_frame cr_frame ag_frame
		im_func im_self func_code gi_code __import__ open`)
}

// template reads a chat template and reports what it does beyond putting text together.
func template(out *scan.Sink, at int64, key, t string) {
	c := &checker{out: out, at: at, key: key, t: t, v: vetted(), escapes: escapes(), macros: map[string]bool{}}
	words, err := lex(t)
	if err != nil {
		out.Incomplete(scan.Problemf("gguf/template", at, "%q: %v", key, err))
	}
	c.words = words
	for i, w := range words {
		if w.kind == statement && w.s == "macro" && i+1 < len(words) {
			c.macros[words[i+1].s] = true
		}
	}
	for i := range words {
		c.word(i)
	}
}

type checker struct {
	out     *scan.Sink
	at      int64
	key, t  string
	v       vocabulary
	escapes map[string]bool
	macros  map[string]bool
	words   []word
}

func (c *checker) find(rule string, o scan.Outcome, capability string, w word, what string, args ...any) {
	near := c.t[max(0, w.at-20):min(len(c.t), w.at+60)]
	c.out.Find(scan.Finding{
		Rule: "gguf/" + rule, Outcome: o, Capability: capability, Offset: c.at, Evidence: fmt.Sprintf("%q: ", c.key) + fmt.Sprintf(what, args...) + ": " + near,
		Cites: []string{"CWE-1336", "CVE-2024-34359"}, Fix: "Do not load it with a runtime that runs its template. Give the runtime a template of your own, or ask for one without this.",
	})
}

// sign tells whether the word at i is that operator or bracket.
func (c *checker) sign(i int, s string) bool {
	return i >= 0 && i < len(c.words) && c.words[i].kind == sign && c.words[i].s == s
}

func (c *checker) word(i int) {
	w := c.words[i]
	switch w.kind {
	case text:
		c.text(i)
	case statement:
		if !c.v.statements[w.s] {
			if w.s == "include" || w.s == "import" || w.s == "from" || w.s == "extends" || w.s == "block" {
				c.find("template-file", scan.Dangerous, scan.Read, w, "the statement %q reads another template", w.s)
			} else {
				c.find("template-word", scan.UnknownCode, "", w, "the statement %q is not known", w.s)
			}
		}
	case name:
		c.name(i)
	case sign:
		if w.s == "[" {
			c.subscript(i)
		}
	}
}

// text judges a string, together with those that are joined to it.
func (c *checker) text(i int) {
	s := c.words[i].s
	for k := i; (c.sign(k+1, "~") || c.sign(k+1, "+") || k+1 < len(c.words) && c.words[k+1].kind == text) && k-i < 200; {
		if k++; c.words[k].kind != text {
			if k++; k >= len(c.words) || c.words[k].kind != text {
				break
			}
		}
		s += c.words[k].s
	}
	c.hidden(c.words[i], s)
}

// hidden judges a name that is written as text.
func (c *checker) hidden(w word, s string) {
	bare := strings.Trim(s, "_")
	switch {
	case strings.Contains(s, "__") && c.escapes[bare], strings.Contains(s, "__globals__"), strings.Contains(s, "__builtins__"), strings.Contains(s, "__subclasses__"), strings.Contains(s, "__import__"):
		c.find("template-escape", scan.Malicious, scan.Execute, w, "text names %q", s)
	case strings.Contains(s, "__"), s == "_", strings.HasPrefix(s, "_") && len(s) < 12 && c.joined(w):
		c.find("template-name", scan.Dangerous, scan.Execute, w, "text that names the inside of objects, or a piece of such a name: %q", s)
	}
}

// joined tells whether a text is put together with something.
func (c *checker) joined(w word) bool {
	for i := range c.words {
		if c.words[i].at == w.at && c.words[i].kind == text {
			return c.sign(i+1, "~") || c.sign(i+1, "+") || c.sign(i-1, "~") || c.sign(i-1, "+")
		}
	}
	return false
}

// name judges a name by where it stands.
func (c *checker) name(i int) {
	w := c.words[i]
	dotted := c.sign(i-1, ".")
	filter := c.sign(i-1, "|") || i > 0 && c.words[i-1].kind == statement && c.words[i-1].s == "filter"
	called := c.sign(i+1, "(")
	switch {
	case strings.Contains(w.s, "__"):
		c.find("template-escape", scan.Malicious, scan.Execute, w, "%q leaves the template", w.s)
	case c.escapes[w.s] && (filter || !dotted || called):
		if (w.s == "config" || w.s == "self" || w.s == "session" || w.s == "app" || w.s == "request" || w.s == "g" || w.s == "open" || w.s == "system" || w.s == "environment" || w.s == "globals") && !called && !c.sign(i+1, ".") {
			return // a variable of the same name
		}
		c.find("template-escape", scan.Dangerous, scan.Execute, w, "%q reaches what is not of the template", w.s)
	case filter:
		if !c.v.filters[w.s] {
			c.find("template-word", scan.UnknownCode, "", w, "the filter %q is not known", w.s)
		} else if w.s == "map" && called && i+4 < len(c.words) && c.words[i+2].s == "attribute" && c.words[i+4].kind != text {
			c.find("template-name", scan.Dangerous, scan.Execute, w, "an attribute whose name is computed")
		}
	case called && dotted:
		if !c.v.methods[w.s] {
			outcome, capability := scan.UnknownCode, ""
			if w.s == "format" || w.s == "format_map" {
				outcome, capability = scan.Dangerous, scan.Execute // fields of a format reach into objects
			}
			c.find("template-word", outcome, capability, w, "the method %q is not known", w.s)
		}
	case called && i > 0 && c.words[i-1].kind == name && (c.words[i-1].s == "is" || c.words[i-1].s == "not"),
		i > 0 && c.words[i-1].kind == name && c.words[i-1].s == "is":
		if !c.v.tests[w.s] {
			c.find("template-word", scan.UnknownCode, "", w, "the test %q is not known", w.s)
		}
	case called && !c.v.functions[w.s] && !c.macros[w.s] && !set("in and or not is if else elif for set recursive ignore")[w.s] && !(i > 0 && c.words[i-1].kind == statement && (c.words[i-1].s == "macro" || c.words[i-1].s == "call")):
		c.find("template-word", scan.UnknownCode, "", w, "the function %q is not known", w.s)
	}
}

// subscript judges x[...]: a name that is put together there cannot be told.
func (c *checker) subscript(open int) {
	before := c.words[max(open-1, 0)]
	if open == 0 || before.kind == boundary || before.kind == statement || before.kind == sign && before.s != ")" && before.s != "]" {
		return // a list
	}
	if before.kind == name && set("in and or not is if else set")[before.s] {
		return
	}
	depth, hasText, hasOp := 0, false, false
	for i := open; i < len(c.words) && c.words[i].kind != boundary; i++ {
		w := c.words[i]
		switch {
		case w.kind == sign && strings.Contains("[({", w.s):
			depth++
		case w.kind == sign && strings.Contains("])}", w.s):
			depth--
		case w.kind == text && depth == 1:
			hasText = true
		case w.kind == sign && depth == 1 && strings.Contains("~+%|*", w.s):
			hasOp = true
		}
		if depth == 0 {
			break
		}
	}
	if hasText && hasOp {
		c.find("template-name", scan.Dangerous, scan.Execute, c.words[open], "an item whose name is put together from pieces")
	}
	if before.kind == sign && before.s == ")" && open > 2 && c.words[open-2].s == "string" && c.sign(open-3, "|") {
		c.find("template-name", scan.Dangerous, scan.Execute, c.words[open], "letters taken out of an object's text")
	}
}

package xmlfile

import (
	"embed"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assize/assize/internal/scan"
)

//go:embed data/*.txt
var lists embed.FS

// builtIn are the functions that PMML 4.4 defines.
const builtIn = `+ - * / min max sum avg median product log10 ln sqrt abs exp pow threshold floor ceil round modulo
isMissing isNotMissing isValid isNotValid equal notEqual lessThan lessOrEqual greaterThan greaterOrEqual and or not isIn isNotIn if
uppercase lowercase stringLength substring trimBlanks concat replace matches formatNumber formatDatetime
dateDaysSinceYear dateSecondsSinceYear dateSecondsSinceMidnight normalCDF normalPDF normalIDF stdNormalCDF stdNormalPDF stdNormalIDF
erf expm1 hypot ln1p rint sin asin sinh cos acos cosh tan atan tanh`

// Of one document, so many functions are remembered.
const maxFunctions = 100_000

// pmml judges the elements of a model: those of the standard alone, with its own functions
// and those that the document defines.
type pmml struct {
	out            *scan.Sink
	vetted, known  map[string]bool
	applied        map[string]int64
	path           []string // the elements that are open
	row, extension int      // how many of those are rows of tables, whose elements have any name, and extensions
}

func newPMML(out *scan.Sink) (*pmml, error) {
	vetted, err := words("data/pmml.txt")
	if err != nil {
		return nil, err
	}
	p := &pmml{out: out, vetted: vetted, known: map[string]bool{}, applied: map[string]int64{}}
	for _, name := range strings.Fields(builtIn) {
		p.known[name] = true
	}
	return p, nil
}

// words reads a list of names.
func words(name string) (map[string]bool, error) {
	b, err := lists.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	all := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "#") {
			for _, word := range strings.Fields(line) {
				all[word] = true
			}
		}
	}
	return all, nil
}

// start judges an element.
func (p *pmml) start(e xml.StartElement, at int64) error {
	name := e.Name.Local
	switch {
	case p.row > 0:
	case !p.vetted[name] && p.extension > 0:
		find(p.out, "extension", scan.UnknownCode, scan.Nested, at, "CWE-829", "an extension holds %q, which no standard says what it does", name)
	case !p.vetted[name]:
		find(p.out, "element", scan.UnknownCode, scan.Nested, at, "CWE-829", "an element %q that PMML does not have", name)
	}
	for _, a := range e.Attr {
		switch {
		case name == "Apply" && a.Name.Local == "function" && !p.known[a.Value]:
			if _, seen := p.applied[a.Value]; !seen {
				if err := p.hold(a.Value); err != nil {
					return err
				}
				p.applied[a.Value] = at
			}
		case name == "DefineFunction" && a.Name.Local == "name":
			if err := p.hold(a.Value); err != nil {
				return err
			}
			p.known[a.Value] = true
		case name == "Extension" && a.Name.Local == "name" && slices.Contains([]string{"script", "code", "class", "java", "python", "javascript", "command", "function"}, strings.ToLower(a.Value)):
			find(p.out, "extension", scan.UnknownCode, scan.Execute, at, "CWE-829", "an extension of the name %q", a.Value)
		}
	}
	p.open(name, 1)
	p.path = append(p.path, name)
	return nil
}

// hold counts the memory for a name.
func (p *pmml) hold(name string) error {
	if len(p.applied)+len(p.known) > maxFunctions || len(name) > 1<<16 {
		return scan.Problemf("xml/functions", 0, "more than %d functions, or a name of %d bytes", maxFunctions, len(name))
	}
	return nil
}

// open counts an element that stands in the last of the path.
func (p *pmml) open(name string, change int) {
	switch {
	case name == "row" && len(p.path) > 0 && p.path[len(p.path)-1] == "InlineTable":
		p.row += change
	case name == "Extension":
		p.extension += change
	}
}

// end closes an element, which has to be the last that was opened.
func (p *pmml) end(e xml.EndElement, at int64) error {
	n := len(p.path) - 1
	if n < 0 || p.path[n] != e.Name.Local {
		return scan.Problemf("xml/broken", at, "the element %q ends where another one is open", e.Name.Local)
	}
	p.path = p.path[:n]
	p.open(e.Name.Local, -1)
	return nil
}

// finish reports functions that neither PMML nor the document defines: programs look for a class of that name.
func (p *pmml) finish() {
	for _, name := range slices.Sorted(maps.Keys(p.applied)) {
		if !p.known[name] {
			find(p.out, "function", scan.UnknownCode, scan.Import, p.applied[name], "CWE-470", "a function %q that neither PMML nor the document defines", name)
		}
	}
}

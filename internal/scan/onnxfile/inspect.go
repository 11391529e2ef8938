package onnxfile

import (
	"fmt"
	"io"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/result"
)

// Note is one thing that a rule says of a model.
type Note struct {
	Rule                       string
	Severity                   result.Severity
	Where, What, Fix, Evidence string
}

// inspector applies every rule to one model.
type inspector struct {
	note      func(Note)
	elsewhere func(where string, t *onnx.Tensor)
	m         *onnx.Model
	file      io.ReaderAt        // that it was skimmed from
	functions map[[2]string]bool // domain and name
	places    []string           // of unknown fields and data beyond a tensor's shape
	payload   string             // what they look like
}

func (i *inspector) add(rule string, severity result.Severity, where, what, fix, evidence string) {
	i.note(Note{rule, severity, where, what, fix, evidence})
}

// Inspect applies every rule to a model that was skimmed from the file. It calls
// note with what it finds and elsewhere with tensors whose data lie in another file.
func Inspect(file io.ReaderAt, s *onnx.Skimmed, note func(Note), elsewhere func(where string, t *onnx.Tensor)) {
	m := s.Model
	i := &inspector{note: note, elsewhere: elsewhere, m: m, file: file, functions: map[[2]string]bool{}}
	for _, fn := range m.Functions {
		i.functions[[2]string{standard(fn.Domain), fn.Name}] = true
	}
	i.functionRules()
	i.opsets()
	if n := len(m.Training); n > 0 {
		i.add("onnx/training-info", result.Low, "", fmt.Sprintf("The file carries %d training graphs, which inference never runs.", n), "Export the model for inference.", "")
	}
	v := &visitor{
		graph: i.graph, node: i.node, tensor: i.tensor, text: i.text, blob: i.blob, entries: i.entries,
		unknown: func(where string, b []byte) { i.unaccounted(where, section(b)) },
	}
	v.model(m)
	if s.Unread > 0 {
		severity := result.Medium
		if i.payload != "" {
			severity = result.High
		}
		i.add("onnx/unread-bytes", severity, i.where(), fmt.Sprintf("%d bytes are in fields that ONNX does not know, or are data that nobody uses%s.", s.Unread, i.payload), "Export the model again, or have its producer explain the bytes.", "")
	}
}

// unaccounted remembers where bytes stand that a reader does not look at. Fields
// that are known and only not decoded come here too; whether any byte is unread is for onnx.Skim to say.
func (i *inspector) unaccounted(where string, r *io.SectionReader) {
	if r.Size() == 0 {
		return
	}
	i.places = append(i.places, where)
	if i.payload == "" {
		i.payload = Containing(r)
	}
}

func (i *inspector) where() string {
	switch n := len(i.places); {
	case n == 0:
		return "fields that are given twice"
	case n > 3:
		return fmt.Sprintf("%s and %d more places", i.places[0], n-1)
	}
	s := i.places[0]
	for _, p := range i.places[1:] {
		s += "; " + p
	}
	return s
}

// graph applies the rules on names within one graph.
func (i *inspector) graph(where string, g *onnx.Graph) {
	defined := map[string]string{}
	define := func(what, name string) {
		if before := defined[name]; before != "" && name != "" {
			i.add("onnx/duplicate-name", result.Medium, where, fmt.Sprintf("The name is given to %s and to %s; loaders differ in which one they take.", before, what), "Export the model again.", name)
		}
		defined[name] = what
	}
	for _, v := range g.Inputs {
		define("an input", v.Name)
	}
	for _, t := range g.Initializers {
		if defined[t.Name] == "an input" { // allowed: the input's default
			delete(defined, t.Name)
		}
		define("an initialiser", t.Name)
	}
	for _, s := range g.SparseInitializers {
		if s.Values != nil {
			define("a sparse initialiser", s.Values.Name)
		}
	}
	for _, n := range g.Nodes {
		for _, out := range n.Outputs {
			define("the output of a node", out)
		}
	}
	i.unused(where, g)
	i.loops(where, g)
}

// unused tells of initialisers that nothing reads.
func (i *inspector) unused(where string, g *onnx.Graph) {
	used := map[string]bool{}
	reads(g, used)
	n, size, first := 0, int64(0), ""
	for _, t := range g.Initializers {
		if used[t.Name] {
			continue
		}
		if n++; n == 1 {
			first = t.Name
		}
		size += t.RawBytes() + t.DataBytes()
	}
	if n > 0 {
		i.add("onnx/unused-initialiser", result.Info, where, fmt.Sprintf("%d tensors of %d bytes are read by no operator: a place where something can be hidden.", n, size), "Export the model with unused tensors left out.", first)
	}
}

// reads collects every name that a graph or one inside it reads.
func reads(g *onnx.Graph, into map[string]bool) {
	if g == nil {
		return
	}
	for _, o := range g.Outputs {
		into[o.Name] = true
	}
	for _, n := range g.Nodes {
		for _, name := range n.Inputs {
			into[name] = true
		}
		for _, a := range n.Attributes {
			reads(a.Graph, into)
			for _, sub := range a.Graphs {
				reads(sub, into)
			}
		}
	}
}

// loops tells of loops whose number of turns the input decides.
func (i *inspector) loops(where string, g *onnx.Graph) {
	constant := map[string]bool{}
	for _, t := range g.Initializers {
		constant[t.Name] = true
	}
	for _, n := range g.Nodes {
		if n.OpType == "Constant" && len(n.Outputs) == 1 {
			constant[n.Outputs[0]] = true
		}
	}
	for k, n := range g.Nodes {
		if n.OpType == "Loop" && standard(n.Domain) == "" && (len(n.Inputs) == 0 || !constant[n.Inputs[0]]) {
			i.add("onnx/unbounded-loop", result.Info, fmt.Sprintf("%s, node %d", where, k), "A loop runs as often as a computed value says, or until a condition fails: an input may make it run for very long.", "Bound the number of turns by a constant.", n.Name)
		}
	}
}

func (i *inspector) entries(where string, entries []onnx.Entry) {
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.Key] {
			i.add("onnx/duplicate-name", result.Medium, where, "A metadata key is given twice; loaders differ in which one they take.", "Export the model again.", e.Key)
		}
		seen[e.Key] = true
	}
}

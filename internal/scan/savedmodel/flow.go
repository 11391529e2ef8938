package savedmodel

import (
	"encoding/binary"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/window"
	"github.com/assize/assize/internal/scan/wire"
)

// attribute stands for an input: the file is named by an attribute.
const attribute = -1

// fileInputs are the inputs of an operation that name files, for those that every ordinary
// model may have: they are judged by where the name comes from and by what runs them.
func fileInputs(op string) []int {
	switch op {
	case "SaveV2", "RestoreV2", "Restore", "RestoreSlice":
		return []int{0}
	case "MergeV2Checkpoints":
		return []int{0, 1}
	case "InitializeTableFromTextFile", "InitializeTableFromTextFileV2":
		return []int{1}
	case "FixedUnigramCandidateSampler":
		return []int{attribute}
	}
	return nil
}

// ending is what savers of TensorFlow add to the name that they are given, and the name where none is.
var ending = regexp.MustCompile(`^(model|\.part|_temp(_[0-9a-f]{1,64})?/part)?$`)

// saves says whether an operation writes a checkpoint.
func saves(op string) bool { return op == "SaveV2" || op == "MergeV2Checkpoints" }

// restores says whether it reads one.
func restores(op string) bool { return strings.HasPrefix(op, "Restore") }

// source is where the name of a file comes from.
type source uint8

// The sources.
const (
	fromSaver    source = 1 << iota // from whoever saves or restores the model
	fromAsset                       // a file of the model
	fromFeed                        // from somebody who runs a part of the graph by hand
	fromCaller                      // an input of a signature or a function
	fromConstant                    // the graph itself
	fromElse                        // computed
)

// flow judges what files a graph names. Graph is a field that holds one; whole says that
// it stands alone, without signatures.
func (w *walker) flow(f wire.Field, whole bool) error {
	m := &model{
		main: &graph{nodes: map[string]*node{}}, functions: map[string][]*graph{}, gradients: map[string][]string{}, sites: map[string][]site{},
		inputs: map[string]bool{}, assets: map[string]bool{}, bound: map[string][]int{},
	}
	defer func() { w.out.Hold(-w.held); w.held = 0 }()
	read := w.metaGraph(m)
	if whole {
		read = w.graphDef(m)
	}
	if err := read(f); err != nil {
		return err
	}
	graphs := []*graph{m.main}
	for _, name := range slices.Sorted(maps.Keys(m.functions)) {
		graphs = append(graphs, m.functions[name]...)
	}
	for _, g := range graphs {
		for _, n := range g.nodes {
			if len(m.functions[n.op]) > 0 {
				n.calls = append(n.calls, n.op)
			}
			for _, name := range n.calls {
				m.sites[name] = append(m.sites[name], site{g, n})
			}
		}
	}
	ran, err := w.reach(m)
	if err != nil {
		return err
	}
	t := &tracer{w: w, m: m, whole: whole, seen: map[step]bool{}}
	for _, g := range graphs {
		for _, name := range g.files {
			n := g.nodes[name]
			if g == m.main && !whole && !ran(n) {
				continue // such as a saver that training left
			}
			for _, i := range fileInputs(n.op) {
				if err := t.judge(g, n, i); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// numbers reads packed numbers.
func (w *walker) numbers(f wire.Field, take func(uint64)) error {
	r := window.New(w.in, f.From, f.To)
	for r.Left() > 0 {
		if err := w.out.Spend(w.ctx, 1); err != nil {
			return err
		}
		const each = 16
		w.held += each
		if err := w.out.Hold(each); err != nil {
			return err
		}
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return err
		}
		take(n)
	}
	return nil
}

// step is a node of a graph that was met on the way back.
type step struct {
	g    *graph
	name string
}

// tracer follows the name of a file back to where it comes from.
type tracer struct {
	w       *walker
	m       *model
	whole   bool // there are no signatures and no saver that is known
	seen    map[step]bool
	todo    []step
	from    source
	texts   []string
	strange string // what computes it
}

// judge looks at input i of an operation, which names a file.
func (t *tracer) judge(g *graph, n *node, i int) error {
	if i == attribute {
		if len(n.text) > 0 && n.text[0] != "" {
			t.find(g, n, scan.Read, fmt.Sprintf("reads the file %q", n.text[0]))
		}
		return nil
	}
	if i >= len(n.inputs) {
		return nil // no loader takes it
	}
	t.from, t.texts, t.strange = 0, nil, ""
	clear(t.seen)
	t.back(g, n.inputs[i])
	for len(t.todo) > 0 {
		if err := t.w.out.Spend(t.w.ctx, 16); err != nil {
			return err
		}
		next := t.todo[len(t.todo)-1]
		t.todo = t.todo[:len(t.todo)-1]
		if err := t.step(next.g, next.name); err != nil {
			return err
		}
	}
	capability, verb := scan.Read, "reads"
	if saves(n.op) {
		capability, verb = scan.Write, "writes"
	}
	fine := t.from == fromAsset
	if saves(n.op) || restores(n.op) {
		given := t.from &^ fromConstant
		fine = (given == fromSaver || t.whole && given == fromFeed) && !slices.ContainsFunc(t.texts, func(s string) bool { return !ending.MatchString(s) })
	}
	switch {
	case fine || t.from == 0: // the latter in a function that nothing calls
	case t.from&fromElse != 0:
		t.find(g, n, capability, fmt.Sprintf("%s a file whose name %s computes", verb, t.strange))
	case t.from&fromCaller != 0:
		t.find(g, n, capability, verb+" a file that a caller of the model names")
	default:
		slices.Sort(t.texts)
		t.find(g, n, capability, fmt.Sprintf("%s a file that the graph names: %.200q", verb, slices.Compact(t.texts)))
	}
	return nil
}

func (t *tracer) find(g *graph, n *node, capability, what string) {
	where := ""
	if g.name != "" {
		where = fmt.Sprintf(" in the function %q", g.name)
	}
	t.w.out.Find(scan.Finding{
		Rule: "savedmodel/file", Outcome: scan.Malicious, Capability: capability, Offset: n.at, Evidence: fmt.Sprintf("%q%s %s", n.op, where, what),
		Cites: []string{"CWE-73", "AML.T0011.000"}, Fix: "Do not load it. Ask for a model that is saved and restored where its user says, and that brings its files with it.",
	})
}

// back puts a tensor of a graph on the list of what is followed.
func (t *tracer) back(g *graph, tensor string) {
	if next := (step{g, base(tensor)}); !t.seen[next] {
		t.seen[next] = true
		t.todo = append(t.todo, next)
	}
}

// step follows a node, or an argument of a function, to what it is made from.
func (t *tracer) step(g *graph, name string) error {
	if i, ok := g.args[name]; ok {
		t.argument(g, i)
		return nil
	}
	if g == t.m.main && name != "" {
		switch {
		case t.m.assets[name]:
			t.from |= fromAsset
			return nil
		case name == t.m.saver[0]:
			t.from |= fromSaver
			return nil
		}
	}
	n := g.nodes[name]
	if n == nil {
		t.compute("a node that is not there")
		return nil
	}
	inputs := n.inputs
	switch n.op {
	case "Const":
		t.from |= fromConstant
		t.texts = append(t.texts, n.text...)
		if len(n.text) == 0 {
			t.texts = append(t.texts, "bytes of another form")
		}
	case "Placeholder", "PlaceholderV2", "PlaceholderWithDefault":
		t.from |= fromFeed
		if t.m.inputs[name] || g != t.m.main {
			t.from |= fromCaller
		}
		if !t.whole {
			inputs = nil // the name that stands there is overruled, or an entry runs it
		}
	case "Identity", "IdentityN", "Pack", "ConcatV2":
	case "StringJoin":
		t.texts = append(t.texts, n.text...)
	case "ShardedFilename", "Reshape", "ExpandDims", "Squeeze":
		inputs = inputs[:min(1, len(inputs))]
	case "Select", "SelectV2":
		inputs = inputs[min(1, len(inputs)):]
	case "ReadVariableOp":
		return t.variable(g, n)
	default:
		t.compute(fmt.Sprintf("%q", n.op))
		return nil
	}
	for _, in := range inputs {
		t.back(g, in)
	}
	return nil
}

// compute says that the name comes from elsewhere; of several the first by the alphabet is told.
func (t *tracer) compute(what string) {
	if t.from |= fromElse; t.strange == "" || what < t.strange {
		t.strange = what
	}
}

// variable follows a variable of the main graph to what is assigned to it.
func (t *tracer) variable(g *graph, n *node) error {
	if len(n.inputs) == 0 || g != t.m.main || g.nodes[base(n.inputs[0])] == nil || g.nodes[base(n.inputs[0])].op != "VarHandleOp" {
		t.compute("a variable")
		return nil
	}
	handle := base(n.inputs[0])
	for _, user := range g.nodes {
		if err := t.w.out.Spend(t.w.ctx, 1); err != nil {
			return err
		}
		if !slices.ContainsFunc(user.inputs, func(in string) bool { return base(in) == handle }) {
			continue
		}
		switch {
		case user.op == "ReadVariableOp" || user.op == "VarIsInitializedOp":
		case user.op == "AssignVariableOp" && len(user.inputs) == 2 && base(user.inputs[1]) != handle:
			t.back(g, user.inputs[1])
		default:
			t.compute("a variable")
		}
	}
	return nil
}

// argument follows argument i of a function to all that call it.
func (t *tracer) argument(g *graph, i int) {
	for _, s := range t.m.sites[g.name] {
		direct := s.n.op == g.name || s.n.op == "PartitionedCall" || s.n.op == "StatefulPartitionedCall"
		if !direct || i >= len(s.n.inputs) {
			t.compute(fmt.Sprintf("%q", s.n.op))
			continue
		}
		t.back(s.in, s.n.inputs[i])
	}
	bound, called := t.m.bound[g.name]
	if !called {
		return
	}
	k := i - (len(g.args) - len(bound))
	switch {
	case k < 0:
		t.from |= fromCaller
	case bound[k] < 0 || bound[k] >= len(t.m.objects):
		t.compute("an object that is not there")
	case t.m.objects[bound[k]].asset:
		t.from |= fromAsset
	case t.m.objects[bound[k]].constant != "":
		t.back(t.m.main, t.m.objects[bound[k]].constant)
	default:
		t.compute("an object")
	}
}

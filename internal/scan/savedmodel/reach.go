package savedmodel

import (
	"fmt"
	"maps"
	"slices"

	"github.com/assize/assize/internal/scan"
)

// reach finds checkpoints that are written or read when the model is loaded or called,
// and not when somebody saves or restores it. Ran says of a node whether any of that runs it.
func (w *walker) reach(m *model) (ran func(*node) bool, err error) {
	var each [3]*runner
	for i := range each {
		each[i] = &runner{w: w, m: m, nodes: map[*node]bool{}, functions: map[string]bool{}}
	}
	called, restored, saved := each[0], each[1], each[2]
	for _, name := range slices.Sorted(maps.Keys(m.bound)) {
		if err := called.function(name, 0); err != nil {
			return nil, err
		}
	}
	for _, name := range m.entries {
		if err := called.node(m.main, base(name)); err != nil {
			return nil, err
		}
	}
	if err := restored.node(m.main, m.saver[2]); err != nil {
		return nil, err
	}
	if err := saved.node(m.main, m.saver[1]); err != nil {
		return nil, err
	}
	called.tell(func(op string) bool { return saves(op) || restores(op) }, "when the model is loaded or called")
	restored.tell(saves, "when the model is restored")
	return func(n *node) bool { return called.nodes[n] || restored.nodes[n] || saved.nodes[n] }, nil
}

// runner collects what runs.
type runner struct {
	w         *walker
	m         *model
	nodes     map[*node]bool
	functions map[string]bool
}

// node runs a node of a graph and all that it waits for, without recursion: graphs may be deep.
func (r *runner) node(g *graph, name string) error {
	stack := []string{name}
	for len(stack) > 0 {
		n := g.nodes[stack[len(stack)-1]]
		stack = stack[:len(stack)-1]
		if n == nil || r.nodes[n] {
			continue
		}
		if err := r.run(n, 0); err != nil {
			return err
		}
		for _, in := range n.waits {
			stack = append(stack, base(in))
		}
	}
	return nil
}

// run runs one node, with the functions that it calls.
func (r *runner) run(n *node, depth int) error {
	if err := r.w.out.Spend(r.w.ctx, 16); err != nil {
		return err
	}
	r.nodes[n] = true
	for _, name := range n.calls {
		if err := r.function(name, depth); err != nil {
			return err
		}
	}
	return nil
}

// function runs all nodes of a function: some of them may not be needed for what it returns.
func (r *runner) function(name string, depth int) error {
	if r.functions[name] {
		return nil
	}
	if depth > 100*maxNesting {
		return scan.Problemf("savedmodel/nesting", 0, "functions call each other deeper than %d", 100*maxNesting)
	}
	r.functions[name] = true
	for _, g := range r.m.functions[name] {
		for _, n := range g.nodes {
			if err := r.run(n, depth+1); err != nil {
				return err
			}
		}
	}
	for _, gradient := range r.m.gradients[name] {
		if err := r.function(gradient, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// tell reports what runs of some operations.
func (r *runner) tell(which func(op string) bool, when string) {
	first := map[string]int64{}
	for n := range r.nodes {
		if at, seen := first[n.op]; which(n.op) && (!seen || n.at < at) {
			first[n.op] = n.at
		}
	}
	for _, op := range slices.Sorted(maps.Keys(first)) {
		capability, verb := scan.Read, "reads"
		if saves(op) {
			capability, verb = scan.Write, "writes"
		}
		r.w.out.Find(scan.Finding{
			Rule: "savedmodel/checkpoint", Outcome: scan.Malicious, Capability: capability, Offset: first[op], Evidence: fmt.Sprintf("%q %s a checkpoint %s", op, verb, when),
			Cites: []string{"CWE-73", "AML.T0011.000"}, Fix: "Do not load it. Ask for a model that is saved and restored where its user says, and that brings its files with it.",
		})
	}
}

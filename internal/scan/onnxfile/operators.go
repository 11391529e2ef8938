package onnxfile

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/result"
)

// standard spells the default operator domain as the empty string.
func standard(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

// newest is the highest version of each operator set that this scan knows.
func newest() map[string]int64 {
	return map[string]int64{"": 26, "ai.onnx.ml": 5}
}

// newestIR is the highest version of the file format that this scan knows.
const newestIR = 13

// node applies the rules on one operator.
func (i *inspector) node(where string, n *onnx.Node) {
	domain := standard(n.Domain)
	call := Escape(n.Domain + "." + n.OpType)
	switch {
	case runsPython(domain, n.OpType):
		i.add("onnx/python-operator", result.High, where, "The operator runs Python code of the file's choice, or code of an extension library.", "Express the step with standard operators, or do it outside the model.", call)
	case domain == "com.microsoft" && n.OpType == "EPContext":
		i.add("onnx/compiled-context", result.High, where, "The operator loads compiled code of a device, from the model or from a file that it names.", "Export the model without a compiled context.", call)
	case i.functions[[2]string{domain, n.OpType}], domain == "", domain == "ai.onnx.ml":
	case domain == "ai.onnx.training" || strings.HasPrefix(domain, "ai.onnx.preview"):
		i.add("onnx/training-operator", result.Low, where, "The operator is of the training or preview set, which inference does not need.", "Export the model for inference.", call)
	case domain == "com.microsoft" || strings.HasPrefix(domain, "com.microsoft.") || strings.HasPrefix(domain, "com.ms."):
		i.add("onnx/runtime-operator", result.Low, where, "The operator exists in ONNX Runtime alone: no standard says what it does, and other readers cannot check it.", "Export the model before the optimisations of one runtime.", call)
	default:
		i.add("onnx/custom-operator", result.High, where, "The operator is of a domain of its own: whoever runs the model must load foreign native code.", "Express the step with standard operators, or define it as a function in the model.", call)
	}
}

// runsPython knows the operators of onnxruntime-extensions and of training builds that call Python.
func runsPython(domain, op string) bool {
	switch domain {
	case "ai.onnx.contrib", "com.microsoft.extensions", "pyop", "pyopmulti":
		return true
	}
	return strings.HasPrefix(op, "PyOp") || strings.HasPrefix(op, "PythonOp") || strings.HasPrefix(op, "PyCustomOp")
}

// functionRules looks at the operators that the model defines itself.
func (i *inspector) functionRules() {
	seen := map[[3]string]bool{}
	for _, f := range i.m.Functions {
		domain := standard(f.Domain)
		name := Escape(f.Domain + "." + f.Name)
		key := [3]string{domain, f.Name, f.Overload}
		if seen[key] {
			i.add("onnx/duplicate-name", result.Medium, "", "A function is defined twice; loaders differ in which one they take.", "Export the model again.", name)
		}
		seen[key] = true
		if domain == "" || domain == "ai.onnx.ml" || domain == "com.microsoft" {
			i.add("onnx/function-shadows-operator", result.High, "", "The model defines a function in a domain of standard operators: what looks like a known operator does what the file says.", "Give the function a domain of its own.", name)
		}
	}
	if cycle := i.recursion(); cycle != "" {
		i.add("onnx/function-recursion", result.High, "", "A function calls itself, directly or through others: loading the model may not end.", "Export the model again.", cycle)
	}
}

// recursion names a function that calls itself, or is empty.
func (i *inspector) recursion() string {
	calls := map[[2]string][][2]string{}
	for _, f := range i.m.Functions {
		key := [2]string{standard(f.Domain), f.Name}
		collectCalls(f.Nodes, func(n *onnx.Node) {
			if to := [2]string{standard(n.Domain), n.OpType}; i.functions[to] {
				calls[key] = append(calls[key], to)
			}
		})
	}
	state := map[[2]string]int{} // 1 under way, 2 done
	var visit func([2]string) bool
	visit = func(f [2]string) bool {
		state[f] = 1
		for _, to := range calls[f] {
			if state[to] == 1 || state[to] == 0 && visit(to) {
				return true
			}
		}
		state[f] = 2
		return false
	}
	for _, f := range i.m.Functions {
		if key := [2]string{standard(f.Domain), f.Name}; state[key] == 0 && visit(key) {
			return key[0] + "." + key[1]
		}
	}
	return ""
}

func collectCalls(nodes []*onnx.Node, each func(*onnx.Node)) {
	for _, n := range nodes {
		each(n)
		for _, a := range n.Attributes {
			for _, g := range append([]*onnx.Graph{a.Graph}, a.Graphs...) {
				if g != nil {
					collectCalls(g.Nodes, each)
				}
			}
		}
	}
}

// opsets looks at the operator sets that the model imports.
func (i *inspector) opsets() {
	seen := map[string]int64{}
	known := newest()
	for _, o := range i.m.Opsets {
		domain := standard(o.Domain)
		// skl2onnx writes some twice with the same version, which means nothing.
		if before, again := seen[domain]; again && before != o.Version {
			i.add("onnx/duplicate-name", result.Medium, "", "An operator set is imported in two versions; loaders differ in which they take.", "Export the model again.", o.Domain)
		}
		seen[domain] = o.Version
		if most, ok := known[domain]; ok && (o.Version > most || o.Version < 1) {
			i.add("onnx/unknown-version", result.Low, "", fmt.Sprintf("Operator set %s has version %d; versions 1 to %d are known.", Quote(o.Domain), o.Version, most), "Export the model for a published version.", "")
		}
	}
	if v := i.m.IRVersion; v > newestIR || v < 1 {
		i.add("onnx/unknown-version", result.Low, "", fmt.Sprintf("The file is of format version %d; versions 1 to %d are known.", v, newestIR), "Export the model for a published version.", "")
	}
}

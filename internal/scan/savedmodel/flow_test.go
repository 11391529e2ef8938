package savedmodel_test

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/scantest"
)

// operation is a node of a graph, with what it takes.
func operation(name, op string, inputs ...string) []byte {
	return message(1, parts(name, op, nil, inputs...))
}

// parts is the content of a node, with attributes.
func parts(name, op string, attributes []byte, inputs ...string) []byte {
	b := append(message(1, []byte(name)), message(2, []byte(op))...)
	for _, in := range inputs {
		b = append(b, message(3, []byte(in))...)
	}
	return append(b, attributes...)
}

// attribute is one of a node; field is that of the value.
func attribute(key string, value []byte) []byte {
	return message(5, message(1, []byte(key)), message(2, value))
}

// constant is a node with a text.
func constant(name, text string) []byte {
	return message(1, parts(name, "Const", attribute("value", message(8, message(8, []byte(text))))))
}

// calls is a node that runs a function.
func calls(name, op, function string, inputs ...string) []byte {
	return message(1, parts(name, op, attribute("f", message(10, message(1, []byte(function)))), inputs...))
}

// function is one of the library, with arguments and nodes, whose fields have the number 3.
func function(name string, args []string, nodes ...[]byte) []byte {
	signature := message(1, []byte(name))
	for _, arg := range args {
		signature = append(signature, message(2, message(1, []byte(arg)))...)
	}
	b := message(1, signature)
	for _, n := range nodes {
		_, _, size := protowire.ConsumeTag(n)
		content, _ := protowire.ConsumeBytes(n[size:])
		b = append(b, message(3, content)...)
	}
	return message(1, b)
}

// saver is a model whose user names the file "in", which "save" and "restore" use.
// Signature is the node that a call runs.
func saver(signature string, nodes ...[]byte) []byte {
	graph := append(operation("in", "Placeholder"), slices.Concat(nodes...)...)
	return meta(signature, graph)
}

func meta(signature string, graph []byte) []byte {
	b := [][]byte{message(1, message(4, []byte("serve"))), message(2, graph), message(3, message(1, []byte("in:0")), message(2, []byte("save:0")), message(3, []byte("restore")))}
	if signature != "" {
		output := message(2, message(1, []byte("y")), message(2, message(1, []byte(signature+":0"))))
		input := message(1, message(1, []byte("x")), message(2, message(1, []byte("x:0"))))
		b = append(b, message(5, message(1, []byte("serving_default")), message(2, input, output)))
	}
	return append([]byte("\x08\x01"), message(2, b...)...)
}

// concrete adds to a model that a program may call a function, which captured objects.
func concrete(b []byte, function string, objects [][]byte, bound ...byte) []byte {
	var graph []byte
	for _, o := range objects {
		graph = append(graph, message(1, o)...)
	}
	graph = append(graph, message(2, message(1, []byte(function)), message(2, message(2, bound)))...)
	_, _, size := protowire.ConsumeTag(b[2:])
	content, _ := protowire.ConsumeBytes(b[2+size:])
	return append([]byte("\x08\x01"), message(2, content, message(7, graph))...)
}

func TestFiles(t *testing.T) {
	save := func(path string) []byte { return operation("save", "SaveV2", path, "c") }
	restore := operation("restore", "RestoreV2", "in", "c")
	writer := message(2, function("f", []string{"path"}, operation("s", "SaveV2", "path", "path")))
	table := message(2, function("f", []string{"x", "path"}, operation("t", "InitializeTableFromTextFileV2", "x", "path")))
	reads := func(path string) []byte { return operation("t", "InitializeTableFromTextFileV2", "h", path) }
	var long []byte
	for i := range 20_000 {
		long = append(long, operation(fmt.Sprint("n", i+1), "Identity", fmt.Sprint("n", i))...)
	}
	joined := func(text string) []byte {
		return saver("", constant("c", text), operation("j", "StringJoin", "in", "c"), save("j"))
	}
	for _, test := range []struct {
		name string
		b    []byte
		want scan.Outcome
		rule string
	}{
		{"saver", saver("y", save("in"), restore, operation("y", "Relu", "x")), scan.Clean, ""},
		{"saver that adds its ending", joined("_temp_0123456789abcdef/part"), scan.Clean, ""},
		{"saver that adds a way out", joined("/../../ran"), scan.Malicious, "savedmodel/file"},
		{"saver that adds a text of another form", saver("", message(1, parts("c", "Const", attribute("value", message(8, message(4, []byte("x")))))), operation("j", "StringJoin", "in", "c"), save("j")), scan.Malicious, "savedmodel/file"},
		{"saver with a way out between", saver("", constant("c", ".part"), message(1, parts("j", "StringJoin", attribute("separator", message(2, []byte("/../"))), "in", "c")), save("j")), scan.Malicious, "savedmodel/file"},
		{"saver with a name of its own", saver("", constant("c", "ran"), save("c")), scan.Malicious, "savedmodel/file"},
		{"saver with a name that is computed", saver("", operation("r", "ReduceJoin", "in"), save("r")), scan.Malicious, "savedmodel/file"},
		{"merging to a name of its own", saver("", constant("c", "ran"), operation("save", "MergeV2Checkpoints", "in", "c")), scan.Malicious, "savedmodel/file"},
		{"saver that training left", saver("y", constant("c", "model"), operation("old", "SaveV2", "c"), operation("y", "Relu", "x")), scan.Clean, ""},
		{"call that saves", saver("save", save("in")), scan.Malicious, "savedmodel/checkpoint"},
		{"call that waits for saving", saver("y", save("in"), operation("y", "Relu", "x", "^save")), scan.Malicious, "savedmodel/checkpoint"},
		{"call that restores", saver("y", restore, operation("y", "Relu", "restore")), scan.Malicious, "savedmodel/checkpoint"},
		{"restoring that saves", saver("", save("in"), operation("restore", "RestoreV2", "in", "^save")), scan.Malicious, "savedmodel/checkpoint"},
		{"saver in a function", saver("", calls("save", "PartitionedCall", "f", "in"), writer), scan.Clean, ""},
		{"saver in a function of its own name", saver("", operation("save", "f", "in"), writer), scan.Clean, ""},
		{"function that is called with another name too", saver("", constant("c", "ran"), calls("save", "PartitionedCall", "f", "in"), calls("z", "PartitionedCall", "f", "c"), writer), scan.Malicious, "savedmodel/file"},
		{"call of a function that saves", saver("y", calls("y", "StatefulPartitionedCall", "f", "x"), writer), scan.Malicious, "savedmodel/checkpoint"},
		{"loop that saves", saver("y", calls("y", "While", "f", "x"), writer), scan.Malicious, "savedmodel/checkpoint"},
		{"function that a program calls", concrete(saver("", writer), "f", nil), scan.Malicious, "savedmodel/file"},
		{"function that nothing calls", saver("", writer), scan.Clean, ""},
		{"function that is its own gradient", saver("y", calls("y", "PartitionedCall", "g", "x"), message(2, function("g", nil), message(2, message(1, []byte("g")), message(2, []byte("f")))), writer), scan.Malicious, "savedmodel/checkpoint"},
		{"file of the model, captured", concrete(saver("", table), "f", [][]byte{message(5, nil)}, 0), scan.Clean, ""},
		{"file of a constant, captured", concrete(saver("", constant("c", "/dev/null"), table), "f", [][]byte{message(9, message(1, []byte("c")))}, 0), scan.Malicious, "savedmodel/file"},
		{"file that a caller names", concrete(saver("", table), "f", nil), scan.Malicious, "savedmodel/file"},
		{"file of an object that is not there", concrete(saver("", table), "f", nil, 7), scan.Malicious, "savedmodel/file"},
		{"call that reads a file", saver("t", constant("c", "/dev/null"), reads("c")), scan.Malicious, "savedmodel/file"},
		{"variable that is assigned a file", saver("t", operation("v", "VarHandleOp"), constant("c", "/dev/null"), operation("a", "AssignVariableOp", "v", "c"), operation("r", "ReadVariableOp", "v"), reads("r")), scan.Malicious, "savedmodel/file"},
		{"a circle", saver("t", operation("a", "Identity", "b"), operation("b", "Identity", "a"), reads("a")), scan.Clean, ""},
		{"long way", saver("save", constant("n0", "ran"), long, save("n20000")), scan.Malicious, "savedmodel/file"},
		{"list of words in a file", saver("y", message(1, parts("y", "FixedUnigramCandidateSampler", attribute("vocab_file", message(2, []byte("/dev/null")))))), scan.Malicious, "savedmodel/file"},
		{"frozen saver", slices.Concat(constant("c", "model"), operation("in", "PlaceholderWithDefault", "c"), operation("save", "SaveV2", "in")), scan.Clean, ""},
		{"frozen saver with a name of its own", slices.Concat(constant("c", "ran"), operation("in", "PlaceholderWithDefault", "c"), operation("save", "SaveV2", "in")), scan.Malicious, "savedmodel/file"},
		{"frozen graph that saves", slices.Concat(constant("c", "ran"), operation("save", "SaveV2", "c")), scan.Malicious, "savedmodel/file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			scantest.Bounded(t, func() {
				all := scantest.Scan(t, scanner(), test.b)
				if got := scantest.File(all); got.Outcome != test.want || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) {
					t.Errorf("%s with %+v, want %s by %q", got.Outcome, got.Findings, test.want, test.rule)
				}
			})
		})
	}
}

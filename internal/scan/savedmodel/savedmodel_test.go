package savedmodel_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/savedmodel"
	"github.com/assize/assize/internal/scan/scantest"
)

func scanner() *scan.Scanner { return &scan.Scanner{Formats: savedmodel.Formats()} }

func stored(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStored reads the files that bench/scanner/savedmodel_cases.py wrote with
// TensorFlow 2.21 and Keras 3.15.1. The hostile operators stand in the function library alone.
func TestStored(t *testing.T) {
	list, err := filepath.Glob("testdata/*.*")
	if err != nil || len(list) != 15 {
		t.Fatalf("%d files, %v", len(list), err)
	}
	for _, path := range list {
		name := filepath.Base(path)
		all := scantest.Scan(t, scanner(), stored(t, name))
		got := scantest.File(all)
		want, rules := scan.Clean, []string(nil)
		switch {
		case strings.HasPrefix(name, "bad-saves"), name == "bad-first-main.pb", name == "bad-first-restored.pb":
			want, rules = scan.Malicious, []string{"savedmodel/checkpoint", "savedmodel/file"}
		case name == "bad-first-signature.pb":
			want, rules = scan.Malicious, []string{"savedmodel/checkpoint"}
		case name == "bad-first-files.pb":
			want, rules = scan.Malicious, []string{"savedmodel/file"}
		case strings.HasPrefix(name, "bad"):
			want, rules = scan.Malicious, []string{"savedmodel/operator"}
		}
		if got.Outcome != want || !slices.Equal(scantest.Rules(all), rules) || got.Coverage.Unread > 0 {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
	}
}

// message is a field that holds bytes.
func message(num int, parts ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, protowire.Number(num), protowire.BytesType), bytes.Join(parts, nil))
}

// model is a SavedModel of one graph with that content.
func model(content ...[]byte) []byte {
	return append([]byte("\x08\x01"), message(2, message(1, message(4, []byte("serve"))), message(2, content...))...)
}

func node(op string) []byte { return message(1, message(1, []byte("n")), message(2, []byte(op))) }

func TestScan(t *testing.T) {
	library := func(op string) []byte {
		return message(2, message(1, message(1, message(1, []byte("f"))), message(3, message(1, []byte("n")), message(2, []byte(op)))))
	}
	config := func(text string) []byte {
		b := model(node("Add"))
		graph := message(2, message(1, message(4, []byte("serve"))), message(7, message(1, message(4, message(1, []byte("_tf_keras_layer")), message(3, []byte(text))))))
		return append(b[:2:2], graph...)
	}
	deep := []byte{}
	for range 300 {
		deep = message(2, deep) // a FullType in a FullType
	}
	unknown := bytes.Repeat(message(900, []byte("x")), 100_000)
	tests := []struct {
		name    string
		b       []byte
		outcome scan.Outcome
		rule    string
	}{
		{"a graph", model(node("AddV2"), node("MatMul")), scan.Clean, ""},
		{"function of the file", model(node("f"), library("Relu")), scan.Clean, ""},
		{"function that is not there", model(node("__inference_call_12")), scan.UnknownCode, "savedmodel/custom-operator"},
		{"frozen graph", append(node("Placeholder"), node("MatMul")...), scan.Clean, ""},
		{"frozen graph that writes", append(node("Placeholder"), node("WriteFile")...), scan.Malicious, "savedmodel/operator"},
		{"a name that frightens", model(message(1, message(1, []byte("PyFunc/os.system")), message(2, []byte("Add")))), scan.Clean, ""},
		{"in the graph", model(node("PyFunc")), scan.Malicious, "savedmodel/operator"},
		{"in the library alone", model(library("EagerPyFunc")), scan.Malicious, "savedmodel/operator"},
		{"with a package before it", model(node("Pkg>WriteFile")), scan.Malicious, "savedmodel/operator"},
		{"custom", model(node("MyOwnOp")), scan.UnknownCode, "savedmodel/custom-operator"},
		{"Keras layer", config(`{"class_name":"Dense","config":{}}`), scan.Clean, ""},
		{"Keras lambda", config(`{"class_name":"Lambda","config":{"function":{"class_name":"__tuple__","items":["4wAA",null,null]},"function_type":"lambda"}}`), scan.Malicious, "keras/lambda-code"},
		{"Keras lambda of older versions", config(`{"class_name":"Lambda","config":{"function":["4wAA",null,null],"function_type":"lambda"}}`), scan.Malicious, "keras/lambda-code"},
		{"100,000 unknown fields", model(node("Add"), unknown), scan.Incomplete, "savedmodel/unknown-field"},
		{"too deep", model(message(1, message(2, []byte("Add")), message(7, deep))), scan.Incomplete, "savedmodel/nesting"},
		{"cut", model(node("Add"), node("Mul"))[:30], scan.Incomplete, "savedmodel/broken"},
		{"cut in the index", stored(t, "ok-variables.index")[100:], scan.Incomplete, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			all := scantest.Scan(t, scanner(), test.b)
			if got := scantest.File(all); got.Outcome != test.outcome || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) {
				t.Errorf("%s with %+v, want %s by %q", got.Outcome, got, test.outcome, test.rule)
			}
		})
	}
}

// TestBroken changes bytes of every file: the scan ends, and a changed index is not clean.
func TestBroken(t *testing.T) {
	b := stored(t, "ok-variables.index")
	for at := range len(b) - 49 {
		changed := bytes.Clone(b)
		changed[at] ^= 1
		if got := scantest.File(scantest.Scan(t, scanner(), changed)); got.Outcome == scan.Clean {
			t.Errorf("a changed bit at %d of the index: %s", at, got.Outcome)
		}
	}
	graph := stored(t, "ok-module.pb")
	for at := 5; at < len(graph); at += 53 {
		changed := bytes.Clone(graph)
		changed[at] ^= 0xff
		scantest.Scan(t, scanner(), changed)
	}
}

// TestShard: the values of variables are known by the index beside them, and nothing else is.
func TestShard(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	index := stored(t, "ok-variables.index")
	values := filepath.Join(dir, "variables.data-00000-of-00001")
	s := scanner()
	s.Budget, s.Now = scan.DefaultBudget(), time.Now
	run := func() (r scan.FileReport) {
		if err := s.Path(t.Context(), values, func(got scan.FileReport) error { r = got; return nil }); err != nil {
			t.Fatal(err)
		}
		return r
	}
	write("variables.index", index)
	write(filepath.Base(values), bytes.Repeat([]byte{7}, 100_000)) // the index says how long they are
	got := run()
	if got.Coverage.Opaque == 0 || got.Outcome != scan.Incomplete {
		t.Errorf("values with bytes behind them: %+v", got)
	}
	write(filepath.Base(values), bytes.Repeat([]byte{7}, int(got.Coverage.Opaque)))
	if got := run(); got.Outcome != scan.Clean || got.Coverage.Unread > 0 || got.Format != "tensorflow-variables" {
		t.Errorf("values: %+v", got)
	}
	os.Remove(filepath.Join(dir, "variables.index"))
	if got := run(); got.Outcome != scan.Incomplete || got.Coverage.Opaque > 0 {
		t.Errorf("values without an index: %+v", got)
	}
}

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	for _, name := range []string{"ok-variables.index", "ok-fingerprint.pb"} {
		f.Add(stored(f, name))
	}
	f.Add(model(node("PyFunc")))
	f.Add(saver("", operation("join", "StringJoin", "in", "c")))
	f.Add(append([]byte("\x0a\x30"), message(5, []byte(`{"class_name":"Lambda"} _tf_keras_layer`))...))
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

package cli_test

import (
	"bytes"
	"os"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// flip FILE changes one byte in the middle of a file.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	b := read(ts, name)
	b[len(b)/2] ^= 1
	write(ts, name, b)
}

// edit FILE OLD NEW replaces text that must be there once or more.
func edit(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	b := read(ts, name)
	if !bytes.Contains(b, []byte(args[1])) {
		ts.Fatalf("%s holds no %q", args[0], args[1])
	}
	write(ts, name, bytes.ReplaceAll(b, []byte(args[1]), []byte(args[2])))
}

var pin = regexp.MustCompile(`(?m)^ *digest: .*\n`)

// unpin TARGET takes the pinned digests out of its manifest.
func unpin(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0] + "/assize.yaml")
	b := read(ts, name)
	if !pin.Match(b) {
		ts.Fatalf("%s pins nothing", name)
	}
	write(ts, name, pin.ReplaceAll(b, nil))
}

func read(ts *testscript.TestScript, name string) []byte {
	b, err := os.ReadFile(name)
	ts.Check(err)
	return b
}

func write(ts *testscript.TestScript, name string, b []byte) {
	ts.Check(os.WriteFile(name, b, 0o644))
}

// fits SCHEMA JSON validates a file against a JSON Schema.
func fits(ts *testscript.TestScript, _ bool, args []string) {
	parse := func(name string) any {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(ts, ts.MkAbs(name))))
		ts.Check(err)
		return v
	}
	c := jsonschema.NewCompiler()
	ts.Check(c.AddResource("urn:schema", parse(args[0])))
	schema, err := c.Compile("urn:schema")
	ts.Check(err)
	ts.Check(schema.Validate(parse(args[1])))
}

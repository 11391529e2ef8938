package keras

import (
	"bytes"
	"context"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/jsondoc"
)

//go:embed data/vetted.txt
var lists embed.FS

// maxNodes bounds the values of one configuration; a network of 10,000 layers has about a million.
const maxNodes = 2_000_000

// names are those that Keras itself provides, by kind and name with their modules.
type names map[[2]string][]string

func vetted() (names, error) {
	b, err := lists.ReadFile("data/vetted.txt")
	if err != nil {
		return nil, fmt.Errorf("read vetted names: %w", err)
	}
	n := names{}
	for line := range strings.Lines(string(b)) {
		if w := strings.Fields(line); len(w) > 2 && w[0] != "#" {
			for _, name := range w[2:] {
				key := [2]string{w[0], name}
				n[key] = append(n[key], w[1])
			}
		}
	}
	return n, nil
}

// config looks through one configuration.
type config struct {
	out   *scan.Sink
	names names
	base  int64 // of the text in the file
}

// ScanConfig reads the JSON of a model's configuration, which stands at byte base of
// its file, and reports what it builds beyond Keras's own classes.
func ScanConfig(ctx context.Context, out *scan.Sink, text io.Reader, base int64) error {
	vet, err := vetted()
	if err != nil {
		return err
	}
	c := &config{out: out, names: vet, base: base}
	held := int64(0)
	hold := func(n int64) error { held += n; return out.Hold(n) }
	defer func() { out.Hold(-held) }()
	spend := func(n int64) error { held += 8 * n; return errors.Join(out.Hold(8*n), out.Spend(ctx, n)) }
	root, twice, err := jsondoc.Parse(text, jsondoc.Limits{Depth: 500, Keep: 1 << 20, Spend: spend, Hold: hold}, maxNodes)
	for _, d := range twice {
		c.find("duplicate-key", scan.Dangerous, "", d.Offset, []string{"CWE-694"}, "the key %q stands twice: readers differ in which one they take", d.Key)
	}
	if err != nil {
		var p *scan.Problem
		if errors.As(err, &p) || ctx.Err() != nil {
			return err
		}
		return scan.Problemf("keras/config", base, "the configuration is no JSON: %v", err)
	}
	c.walk(root)
	return nil
}

const advice = "Do not load it. Ask for a model of Keras's own layers, or read the code that it needs and load it with that."

func (c *config) find(rule string, o scan.Outcome, capability string, at int64, cites []string, evidence string, args ...any) {
	c.out.Find(scan.Finding{Rule: "keras/" + rule, Outcome: o, Capability: capability, Offset: c.base + at, Evidence: fmt.Sprintf(evidence, args...), Cites: cites, Fix: advice})
}

// walk looks at every value of the configuration.
func (c *config) walk(n *jsondoc.Node) {
	switch n.Kind {
	case jsondoc.Object:
		if class := n.Get("class_name"); class != nil && class.Kind == jsondoc.String {
			c.class(n)
		} else if module := n.Get("module"); module.String() != "" && n.Get("config") != nil {
			c.module(module.Text, "", module.Offset)
		}
		if op := n.Get("node_def"); op != nil {
			c.nodeDef(op)
		}
	case jsondoc.String:
		if bytecode(n.Text) {
			c.find("lambda-code", scan.Malicious, scan.Execute, n.Offset, []string{"CWE-502", "AML.T0011.000"}, "bytecode of a Python function as text: %.40q", n.Text)
		}
		if strings.HasPrefix(n.Text, "{") && strings.Contains(n.Text, "class_name") { // configurations inside configurations
			if inner, _, err := jsondoc.Parse(strings.NewReader(n.Text), jsondoc.Limits{Depth: 500, Keep: 1 << 20}, maxNodes); err == nil {
				c.walk(inner)
			}
		}
	}
	for _, item := range n.Items {
		c.walk(item)
	}
}

// bytecode tells a code object of Python, marshalled and in base64, wherever it stands:
// its mark, and five or more numbers of which the first, the count of arguments, is below 256.
func bytecode(text string) bool {
	if len(text) < 32 {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(text[:12])
	return err == nil && b[0]&0x7f == 'c' && b[2] == 0 && b[3] == 0 && b[4] == 0 && b[6] == 0 && b[7] == 0
}

// special are the classes of values that are no objects of their own.
func special() []string {
	return []string{"__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__", "__keras_tensor__", "__complex__", "CompositeTensor", "TensorShape", "Variable"}
}

// class judges an object that is built by name.
func (c *config) class(n *jsondoc.Node) {
	at := n.Get("class_name").Offset
	class, module, registered := n.Get("class_name").Text, n.Get("module").String(), n.Get("registered_name").String()
	cfg := n.Get("config")
	c.one(n, class, module, cfg, at)
	if registered == "" || registered == class {
		return
	}
	pkg, name, packaged := strings.Cut(registered, ">")
	if !packaged {
		pkg, name = "", registered
	}
	if name != class {
		c.find("two-names", scan.Dangerous, "", at, []string{"CWE-436"}, "an object is of class %q by one name and %q by the other", class, registered)
	}
	c.one(n, name, module, cfg, at)
	if packaged && !strings.EqualFold(pkg, "keras") && !strings.EqualFold(pkg, "builtins") {
		c.find("custom-object", scan.UnknownCode, scan.Import, at, []string{"CWE-502"}, "the class %q is of a package of its own", registered)
	}
}

func (c *config) one(n *jsondoc.Node, class, module string, cfg *jsondoc.Node, at int64) {
	code := []string{"CWE-502", "AML.T0011.000"}
	switch {
	case class == "__lambda__":
		c.find("lambda-code", scan.Malicious, scan.Execute, at, append(code, "CVE-2024-3660"), "bytecode of a Python function: %s", brief(cfg))
	case class == "Lambda":
		c.lambda(cfg, at)
	case class == "function":
		c.function(module, cfg, at)
	case class == "TFSMLayer", class == "TorchModuleWrapper", class == "JaxLayer", class == "FlaxLayer":
		if class == "TorchModuleWrapper" {
			code = append(code, "CVE-2025-49655")
		}
		c.find("foreign-layer", scan.Malicious, scan.Nested, at, code, "a layer %s, which loads another model's code: %s", class, brief(cfg))
	case class == "StringLookup", class == "IntegerLookup", class == "TextVectorization", class == "IndexLookup":
		if v := cfg.Get("vocabulary"); v != nil && v.Kind == jsondoc.String {
			c.find("file-vocabulary", scan.Dangerous, scan.Read, v.Offset, []string{"CWE-73", "CVE-2025-12058"}, "the layer %s reads the file %q", class, v.Text)
		}
	case class == "TFOpLambda", class == "SlicingOpLambda", class == "ClassMethod", class == "InstanceMethod", class == "InstanceProperty":
		c.operator(cfg, at)
	case class == "TensorFlowOpLayer": // its node is looked at where it stands
	case slices.Contains(special(), class):
	case class == "__typespec__" || class == "__class__" || class == "__method__":
		c.find("custom-object", scan.UnknownCode, scan.Import, at, code, "a %s of the file's choice: %s", class, brief(n))
	case module == "" || kerasModule(module):
		c.keras(class, module, at)
	default:
		c.module(module, class, at)
	}
}

// lambda judges a layer around a function.
func (c *config) lambda(cfg *jsondoc.Node, at int64) {
	f := cfg.Get("function")
	code := []string{"CWE-502", "AML.T0011.000", "CVE-2024-3660"}
	switch {
	case f == nil:
		c.find("lambda", scan.UnknownCode, scan.Execute, at, code, "a Lambda layer without a function")
	case f.Kind == jsondoc.Array || f.Get("items") != nil || f.Kind == jsondoc.String && cfg.Get("function_type").String() != "function":
		c.find("lambda-code", scan.Malicious, scan.Execute, f.Offset, code, "a Lambda layer with bytecode: %s", brief(f))
	case f.Kind == jsondoc.String:
		module := cfg.Get("module").String()
		if module != "" && !kerasModule(module) {
			c.module(module, f.Text, f.Offset)
		}
		c.find("lambda", scan.UnknownCode, scan.Execute, f.Offset, code, "a Lambda layer around the function %q of module %q", f.Text, module)
	}
	// An object is a function of its own and is judged as one.
}

// function judges a function that is named.
func (c *config) function(module string, cfg *jsondoc.Node, at int64) {
	name := cfg.String()
	if name == "" {
		name = cfg.Get("name").String()
	}
	modules := c.names[[2]string{"function", name}]
	switch {
	case python(name) && !slices.Contains(modules, module): // keras.ops has an abs, builtins has too
		c.find("function", scan.Malicious, scan.Execute, at, []string{"CWE-502", "CVE-2025-1550"}, "the function %q of module %q", name, module)
	case module != "" && module != "builtins" && !kerasModule(module):
		c.module(module, name, at)
	case harmful().MatchString(name):
		c.find("function", scan.Malicious, scan.Network, at, []string{"CWE-502", "CVE-2025-8747"}, "the function %q of module %q loads or fetches files", name, module)
	case len(modules) == 0:
		c.find("custom-object", scan.UnknownCode, scan.Import, at, []string{"CWE-502"}, "the function %q of module %q is none that Keras computes with", name, module)
	}
}

// harmful names Keras functions that load, fetch or write.
func harmful() *regexp.Regexp {
	return regexp.MustCompile(`^(get_file|load_.*|save_.*|deserialize.*|enable_unsafe.*|.*_from_json|.*_from_directory|load|save|export|import_.*|run|exec.*|clone_.*|plot_.*|.*_to_dot)$`)
}

// python names builtins of Python that execute, import or open.
func python(name string) bool {
	switch name {
	case "eval", "exec", "compile", "__import__", "open", "getattr", "setattr", "delattr", "globals", "locals", "vars", "input", "breakpoint", "system", "popen", "execfile":
		return true
	}
	return false
}

// keras judges a class that Keras is said to provide.
func (c *config) keras(class, module string, at int64) {
	modules := c.names[[2]string{"class", class}]
	if len(modules) == 0 {
		c.find("custom-object", scan.UnknownCode, scan.Import, at, []string{"CWE-502"}, "the class %q of module %q is none that Keras builds", class, module)
		return
	}
	if strings.HasPrefix(module, "keras.utils") || strings.HasPrefix(module, "keras.saving") || strings.HasPrefix(module, "keras.config") {
		c.find("custom-object", scan.UnknownCode, scan.Import, at, []string{"CWE-502"}, "the class %q of module %q", class, module)
	}
}

// kerasModule tells whether a module is one of Keras, in any of its homes.
func kerasModule(m string) bool {
	for _, root := range []string{"keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras"} {
		if m == root || strings.HasPrefix(m, root+".") {
			return true
		}
	}
	return false
}

// module judges what is taken from a module outside of Keras, which loading imports.
func (c *config) module(module, name string, at int64) {
	root, _, _ := strings.Cut(module, ".")
	switch root {
	case "keras", "tf_keras":
		return
	case "builtins", "__builtin__", "os", "posix", "nt", "sys", "subprocess", "importlib", "runpy", "pickle", "marshal", "ctypes", "shutil", "socket", "code", "codeop", "pty", "webbrowser",
		"urllib", "http", "ftplib", "smtplib", "requests", "asyncio", "multiprocessing", "threading", "pdb", "timeit", "cProfile", "profile", "trace", "bdb", "types", "functools", "operator", "pip", "pkgutil", "tempfile", "pathlib", "io", "site", "sqlite3", "zipimport", "imp", "distutils", "setuptools", "commands", "platform", "signal", "gc", "inspect", "antigravity", "this":
		if root == "builtins" && !python(name) && name != "" {
			break
		}
		c.find("module", scan.Malicious, scan.Execute, at, []string{"CWE-502", "CVE-2025-1550"}, "%q of module %q", name, module)
		return
	}
	c.find("custom-object", scan.UnknownCode, scan.Import, at, []string{"CWE-502"}, "%q of module %q, which loading imports", name, module)
}

// operator judges an operator of TensorFlow that a layer stands for.
func (c *config) operator(cfg *jsondoc.Node, at int64) {
	name := cfg.Get("function").String()
	if name == "" {
		name = cfg.Get("method_symbol").String()
	}
	low := strings.ToLower(name)
	for _, part := range []string{"io.", "py_func", "numpy_func", "load_op", "load_library", "pyfunc", "write", "read_file", "readfile", "saved_model", "data.", "gfile", "exec", "eval", "system", "import"} {
		if strings.Contains(low, part) {
			c.find("operator", scan.Malicious, scan.Write, at, []string{"CWE-502"}, "a layer that calls tf.%s", name)
			return
		}
	}
	for _, part := range []string{"math.", "nn.", "__operators__.", "linalg.", "signal.", "image.", "strings.", "random.", "keras.", "compat.v1.nn.", "compat.v1.math.", "sparse.", "ragged.", "dtypes.", "experimental.numpy."} {
		if strings.HasPrefix(low, part) {
			return
		}
	}
	if !regexp.MustCompile(`^[a-z_0-9]+$`).MatchString(low) {
		c.find("operator", scan.UnknownCode, scan.Import, at, []string{"CWE-502"}, "a layer that calls tf.%s", name)
	}
}

// nodeDef judges the operator of a layer that holds a node of a graph.
func (c *config) nodeDef(n *jsondoc.Node) {
	text := n.Text
	if n.Kind == jsondoc.Object {
		text = n.Get("op").String()
	}
	for _, op := range []string{"PyFunc", "ReadFile", "WriteFile", "LoadLibrary", "MatchingFiles", "Rpc", "Summary", "Debug"} {
		if strings.Contains(text, op) {
			c.find("operator", scan.Malicious, scan.Execute, n.Offset, []string{"CWE-502"}, "a layer that holds the operator %s", brief(n))
			return
		}
	}
}

// brief is the beginning of a value's text.
func brief(n *jsondoc.Node) string {
	var b bytes.Buffer
	var add func(*jsondoc.Node)
	add = func(n *jsondoc.Node) {
		if n == nil || b.Len() > 120 {
			return
		}
		if n.Text != "" {
			fmt.Fprintf(&b, "%.80q ", n.Text)
		}
		for i, item := range n.Items {
			if i < len(n.Keys) {
				fmt.Fprintf(&b, "%.40s: ", n.Keys[i])
			}
			add(item)
		}
	}
	add(n)
	return strings.TrimSpace(b.String())
}

// The rules that hold for all packages: who may import whom, what a file may
// look like, and that catalogue, probes and planner fit together.
package assize_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/assize/assize"

// source is one Go file of the module.
type source struct {
	name string // relative to the root, with slashes
	pkg  string // its folder without "internal/"
	test bool
	file *ast.File
	fset *token.FileSet
}

// at says where a node stands.
func (s *source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	p.Filename = s.name
	return p.String()
}

// imports splits what a file imports into packages of ours, by their short
// names, and the rest.
func (s *source) imports() (own, others []string) {
	for _, i := range s.file.Imports {
		p := strings.Trim(i.Path.Value, `"`)
		if rest, ok := strings.CutPrefix(p, module+"/"); ok {
			own = append(own, strings.TrimPrefix(rest, "internal/"))
		} else {
			others = append(others, p)
		}
	}
	return own, others
}

// walk calls fn for every file that belongs to the project.
func walk(t *testing.T, fn func(name string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		switch {
		case d.IsDir() && p != "." && (base == ".git" || base == ".assize" || base == ".venv" || base == "__pycache__" || base == "node_modules"):
			return fs.SkipDir
		case d.IsDir() && base == "dossier" && strings.HasPrefix(filepath.ToSlash(p), "examples/"):
			return fs.SkipDir // what a run wrote
		case d.Type().IsRegular() && base != ".git": // a file where the checkout is a worktree
			fn(filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sources parses every Go file of the module.
func sources(t *testing.T) []*source {
	t.Helper()
	var all []*source
	fset := token.NewFileSet()
	walk(t, func(name string) {
		if path.Ext(name) != ".go" || strings.Contains(name, "testdata/") {
			return
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(fset, name, b, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &source{
			name: name, pkg: strings.TrimPrefix(path.Dir(name), "internal/"), test: strings.HasSuffix(name, "_test.go"), file: f, fset: fset,
		})
	})
	if len(all) < 100 {
		t.Fatalf("found only %d Go files: the walk is wrong", len(all))
	}
	return all
}

// allowedImports is the table of who may import whom among our own packages,
// after DESIGN.md, "Packages". What the code needs beyond it carries its reason.
func allowedImports() map[string][]string {
	nouns := []string{"artefact", "result", "domain", "manifest", "catalogue", "plan", "evidence", "dossier"}
	means := []string{"attack", "durable", "stat", "dataset", "onnx", "onnx/grad", "onnx/bound", "onnx/ort", "tree", "tree/exact", "tree/cheapest", "model"}
	join := func(lists ...[]string) []string { return slices.Concat(lists...) }
	only := func(names ...string) []string { return names }
	probe := join(only("measure"), nouns, means)
	report := join(nouns, only("report/wording", "report/page")) // one wording of a decision for every format, one style for pages
	families := only("probes/artefactscan", "probes/availability", "probes/corruptions", "probes/evasion", "probes/faults", "probes/performance", "probes/poisoning", "probes/records", "probes/tabular", "probes/trees")
	stages := only("planner", "worker", "runner", "ledger", "judge", "verify", "replay")
	formats := only("report/terminal", "report/html", "report/instructions", "report/markdown", "report/annexiv", "report/explorer", "report/oscal", "report/sarif")

	readers := only("scan/rules", "scan/bundle", "scan/tflite", "scan/pickle", "scan/plain", "scan/zipfile", "scan/tarfile", "scan/packed", "scan/safetensors", "scan/keras", "scan/hdf5", "scan/gguf", "scan/savedmodel", "scan/onnxfile", "scan/jsonfile", "scan/treefile", "scan/xmlfile", "scan/known")

	table := map[string][]string{
		".":         nil,
		"artefact":  nil,
		"result":    nil,
		"spelling":  nil,
		"domain":    only("spelling"),
		"manifest":  only("artefact", "domain", "spelling"),
		"catalogue": only("artefact", "spelling"), // the digest of its files
		"plan":      only("artefact", "manifest", "catalogue"),
		"evidence":  only("artefact", "result"),
		"dossier":   nouns,

		"durable":   nil,
		"stat":      nil,
		"dataset":   only("artefact", "domain", "manifest", "spelling"),
		"onnx":      only("artefact", "scan/window", "scan/wire"), // to skim files larger than memory
		"onnx/ort":  only("artefact", "onnx"),
		"onnx/grad": only("onnx"),
		// Tests of many packages need the library; they get it in one way.
		"onnx/ort/orttest": only("onnx/ort"),
		// Tests of several packages ask a real server on loopback.
		"remote/remotetest": only("onnx", "onnx/ort", "onnx/ort/orttest"),
		// Carries the questions of a served model; its types cross the pipe and are the model's.
		"remote": only("artefact", "model"),
		"model":  only("artefact", "domain", "manifest", "dataset", "onnx", "onnx/grad", "onnx/bound", "onnx/ort", "tree"),
		// Runs whole assessments of small systems with known answers, and writes their models.
		"qualify": only("artefact", "dossier", "evidence", "result", "onnx", "stat", "engine", "verify", "worker", "scan", "scan/rules", "scan/suite"),
		// Guesses a manifest; the engine then reads it like any other.
		"draft": only("artefact", "domain", "manifest", "dataset", "onnx", "tree"),
		// Puts the library where a release embeds it from.
		"release/embed": only("onnx/ort"),

		"attack":  only("model"), // gradient attacks on rows, for whoever measures
		"measure": only("artefact", "result", "domain", "dataset", "model", "stat"),
		// The harness runs a probe as a worker does and may use what a Case holds.
		"measure/measuretest": only("measure", "artefact", "result", "domain", "dataset", "model", "stat"),
		"probes/suite":        join(only("measure"), families),

		// The planner asks the model package which solutions can be switched, and nothing else.
		"planner": join(nouns, only("measure", "probes/suite", "model")),
		// The child opens the runtime and the data of a case.
		"worker":         join(nouns, only("measure", "probes/suite", "model", "dataset", "onnx/ort", "durable", "worker/sandbox")),
		"worker/sandbox": nil,
		// The runner splits by what a probe says of itself and calls its Join.
		"runner": join(nouns, only("worker", "measure", "probes/suite")),
		"ledger": only("evidence", "durable"),
		"judge":  join(nouns, only("stat")),
		"verify": join(nouns, only("ledger", "judge", "witness")),
		// What others say of a checkpoint; only what gets it reaches the network.
		"witness":       nil,
		"witness/stamp": only("witness"),
		"witness/ask":   only("witness", "witness/stamp"),
		// An authority and a witness on loopback, for tests of several packages.
		"witness/witnesstest": nil,
		// Joins recorded rows again by what a probe says of itself.
		"replay": join(nouns, only("measure")),

		"tree":          only("artefact", "onnx"),
		"tree/exact":    only("tree", "domain"),
		"tree/cheapest": only("tree", "tree/exact", "domain"),

		"checklist":  nouns,             // what decisions and records answer; judges nothing itself
		"coverage":   only("catalogue"), // questions on standards over several tables
		"scan":       nil,               // what every reader of a model format needs
		"scan/rules": nil,
		"scan/suite": join(only("scan"), readers),
		// Reading in bounds, for readers of formats and their tests.
		"scan/window":   nil,
		"scan/extent":   nil,
		"scan/jsondoc":  nil,
		"scan/scantest": only("scan"),
		// Readers of formats.
		"scan/plain":       only("scan"),
		"scan/pickle":      only("scan", "scan/rules"),
		"scan/zipfile":     only("scan", "scan/extent", "scan/tarfile", "scan/window"),
		"scan/tarfile":     only("scan", "scan/window"),
		"scan/packed":      only("scan", "scan/window"),
		"scan/onnxfile":    only("onnx", "result", "scan", "scan/extent", "scan/window", "scan/wire"), // one set of rules with the probe
		"scan/jsonfile":    only("scan", "scan/jsondoc", "scan/keras", "scan/window"),
		"scan/flatbuf":     only("scan", "scan/extent"),
		"scan/treefile":    only("scan", "scan/flatbuf", "scan/window"),
		"scan/xmlfile":     only("scan", "scan/extent", "scan/window"),
		"scan/known":       only("scan"),
		"scan/bundle":      only("scan", "scan/rules"),
		"scan/tflite":      only("scan", "scan/flatbuf", "scan/savedmodel", "scan/zipfile"),
		"scan/wire":        only("scan/window"),
		"scan/savedmodel":  only("scan", "scan/keras", "scan/window", "scan/wire"),
		"scan/gguf":        only("scan", "scan/window"),
		"scan/safetensors": only("scan", "scan/jsondoc", "scan/window"),
		"scan/hdf5":        only("scan", "scan/extent", "scan/window"),
		"scan/keras":       only("scan", "scan/hdf5", "scan/jsondoc", "scan/window"),
		"risk":             join(nouns, only("report/wording")), // says numbers as reports do
		"conformity":       only("manifest", "catalogue"),       // class, route and dates: law alone, nothing measured

		"foreign": only("artefact", "result"), // what others found: digests and the scale of severities

		"report/wording":      nouns,
		"report/listing":      only("report/wording"), // lists of rows in every format
		"report/page":         only("report/wording"), // shows hostile characters as wording does
		"report/terminal":     report,
		"report/html":         report,
		"report/instructions": report,
		"report/markdown":     report,
		"report/annexiv":      report,
		"report/explorer":     report,
		"report/oscal":        report,
		"report/sarif":        join(report, only("scan")),

		"engine": join(nouns, means, only("measure", "probes/suite", "checklist", "foreign", "remote", "witness", "witness/ask", "witness/stamp"), stages, formats), // remote: the parent carries the traffic
		// The command line shows plans and verdicts as they come and names keys, probes and the worker's command.
		"cli":               join(nouns, only("durable", "engine", "draft", "qualify", "measure", "probes/suite", "worker", "ledger", "judge", "verify", "replay", "witness", "witness/stamp", "checklist", "conformity", "risk", "coverage", "report/wording", "report/page", "report/listing", "scan", "scan/rules", "scan/suite"), formats),
		"cmd/assize":        only("cli", "ledger", "worker", "probes/suite"), // the same binary is the worker
		"cmd/assize-verify": only("verify", "ledger", "dossier"),
	}
	for _, f := range families {
		table[f] = probe
	}
	table["probes/artefactscan"] = join(probe, only("scan", "scan/rules", "scan/suite", "scan/onnxfile"))
	return table
}

// thirdParty is what nouns, which others link cheaply, may import from outside.
func thirdParty() map[string][]string {
	return map[string][]string{
		"artefact":  nil,
		"result":    nil,
		"domain":    nil,
		"manifest":  {"github.com/goccy/go-yaml", "github.com/santhosh-tekuri/jsonschema/v6"}, // errors with lines; the published schema is what validates
		"catalogue": {"github.com/goccy/go-yaml"},
		"plan":      nil,
		"evidence":  {"github.com/gowebpki/jcs"}, // RFC 8785
		"dossier":   nil,
	}
}

func TestImports(t *testing.T) {
	table, third := allowedImports(), thirdParty()
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if strings.HasPrefix(s.pkg, "bench") {
			continue // measures any of them
		}
		allowed, listed := table[s.pkg]
		if !listed {
			if !seen[s.pkg] {
				t.Errorf("package %s stands in no line of the table of imports: add it to allowedImports after DESIGN.md", s.pkg)
			}
			seen[s.pkg] = true
			continue
		}
		seen[s.pkg] = true
		own, others := s.imports()
		if s.test {
			continue // see TestTestsImport
		}
		for _, i := range own {
			if !slices.Contains(allowed, i) {
				t.Errorf("%s imports %s, which %s may not", s.name, i, s.pkg)
			}
		}
		outside, noun := third[s.pkg]
		for _, i := range others {
			std := !strings.Contains(strings.Split(i, "/")[0], ".")
			ok := slices.ContainsFunc(outside, func(m string) bool { return i == m || strings.HasPrefix(i, m+"/") })
			if noun && !std && !ok {
				t.Errorf("%s imports %s, which the noun %s may not", s.name, i, s.pkg)
			}
		}
	}
	for pkg := range table {
		if !seen[pkg] {
			t.Errorf("the table of imports speaks of %s, which does not exist", pkg)
		}
	}
}

// TestTestsImport lets a test use more than its package, but what is below the
// shell is tested without it.
func TestTestsImport(t *testing.T) {
	shell := []string{"engine", "cli"}
	for _, s := range sources(t) {
		if !s.test || s.pkg == "." || slices.Contains(shell, s.pkg) || strings.HasPrefix(s.pkg, "cmd/") || strings.HasPrefix(s.pkg, "bench") {
			continue
		}
		own, _ := s.imports()
		for _, i := range own {
			if slices.Contains(shell, i) {
				t.Errorf("%s imports %s: test %s below the shell", s.name, i, s.pkg)
			}
		}
	}
}

// TestProbesReachNoNetwork follows the imports of probes through our own
// packages. onnx/ort is left out: it fetches the runtime before any worker starts, never inside one.
func TestProbesReachNoNetwork(t *testing.T) {
	type file struct {
		name        string
		own, others []string
	}
	files := map[string][]file{}
	var queue []string
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		own, others := s.imports()
		files[s.pkg] = append(files[s.pkg], file{s.name, own, others})
		if strings.HasPrefix(s.pkg, "probes/") && !slices.Contains(queue, s.pkg) {
			queue = append(queue, s.pkg)
		}
	}
	if len(queue) < 5 {
		t.Fatalf("found only the probes %q", queue)
	}
	for i := 0; i < len(queue); i++ {
		for _, f := range files[queue[i]] {
			for _, o := range f.others {
				if o == "os/exec" || o == "net" || strings.HasPrefix(o, "net/") || o == "plugin" {
					t.Errorf("%s imports %s and is part of a probe", f.name, o)
				}
			}
			for _, o := range f.own {
				if o != "onnx/ort" && !slices.Contains(queue, o) {
					queue = append(queue, o)
				}
			}
		}
	}
}

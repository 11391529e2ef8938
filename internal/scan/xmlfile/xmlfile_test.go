package xmlfile_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/scantest"
	"github.com/assize/assize/internal/scan/xmlfile"
)

func scanner() *scan.Scanner { return &scan.Scanner{Formats: []scan.Format{xmlfile.Format{}}} }

const pmml = `<?xml version="1.0" encoding="UTF-8"?><PMML version="4.4"><Header description="os.system &amp; eval"/><TreeModel><Apply function="+"/></TreeModel></PMML>`

// inside is a model with that content.
func inside(content string) string {
	return `<?xml version="1.0"?><PMML version="4.4" xmlns:data="http://jpmml.org/jpmml-model/InlineTable">` + content + `</PMML>`
}

func TestScan(t *testing.T) {
	bomb := `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]><PMML>&b;</PMML>`
	for _, test := range []struct {
		name, text string
		outcome    scan.Outcome
		rule       string
	}{
		{"PMML", pmml, scan.Clean, ""},
		{"OpenVINO", `<?xml version="1.0"?><net name="m" version="11"><layers><layer id="0" type="Parameter" version="opset1"/></layers></net>`, scan.Clean, ""},
		{"entity bomb", bomb, scan.Dangerous, "xml/entity"},
		{"external entity", `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><PMML>&e;</PMML>`, scan.Dangerous, "xml/entity"},
		{"external definition", `<!DOCTYPE PMML SYSTEM "http://127.0.0.1/x.dtd"><PMML/>`, scan.Dangerous, "xml/entity"},
		{"undeclared entity", `<?xml version="1.0"?><PMML>&e;</PMML>`, scan.Dangerous, "xml/entity"},
		{"style sheet", `<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><PMML/>`, scan.Dangerous, "xml/instruction"},
		{"function of a class", strings.Replace(pmml, `"+"`, `"com.example.Run"`, 1), scan.UnknownCode, "xml/function"},
		{"function that nobody defines", strings.Replace(pmml, `"+"`, `"run"`, 1), scan.UnknownCode, "xml/function"},
		{"function of the document", inside(`<TransformationDictionary><DefineFunction name="run" optype="continuous"><Apply function="ln1p"/></DefineFunction></TransformationDictionary><TreeModel><Apply function="run"/></TreeModel>`), scan.Clean, ""},
		{"function that is defined later", inside(`<TreeModel><Apply function="run"/></TreeModel><TransformationDictionary><DefineFunction name="run"/></TransformationDictionary>`), scan.Clean, ""},
		{"element that PMML does not have", inside(`<Script>run()</Script>`), scan.UnknownCode, "xml/element"},
		{"extension with values", inside(`<Header><Extension name="user" value="os.system" extender="R"/><Extension name="repr">Pipeline(eval)</Extension></Header>`), scan.Clean, ""},
		{"extension with an element of its own", inside(`<Header><Extension><run what="x"/></Extension></Header>`), scan.UnknownCode, "xml/extension"},
		{"extension that is a script", inside(`<Header><Extension name="Script">run()</Extension></Header>`), scan.UnknownCode, "xml/extension"},
		{"rows of a table", inside(`<InlineTable><row><input>1</input><data:output>2</data:output></row></InlineTable>`), scan.Clean, ""},
		{"rows of no table", inside(`<TreeModel><row><input>1</input></row></TreeModel>`), scan.UnknownCode, "xml/element"},
		{"behind rows of a table", inside(`<InlineTable><row><input>1</input></row></InlineTable><input/>`), scan.UnknownCode, "xml/element"},
		{"element that ends another", inside(`<InlineTable><row></TreeModel></row></InlineTable>`), scan.Incomplete, "xml/broken"},
		{"own layer", `<?xml version="1.0"?><net><layer type="Run" version="extension"/></net>`, scan.UnknownCode, "xml/custom-layer"},
		{"cut", pmml[:90], scan.Incomplete, ""},
		{"deep", `<?xml version="1.0"?>` + strings.Repeat("<a>", 100_000), scan.Incomplete, "xml/nesting"},
		{"one long value", `<?xml version="1.0"?><a>` + strings.Repeat("x", 40<<20), scan.Incomplete, "xml/token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			scantest.Bounded(t, func() {
				all := scantest.Scan(t, scanner(), []byte(test.text))
				if got := scantest.File(all); got.Outcome != test.outcome || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) {
					t.Errorf("%s with %+v, want %s by %q", got.Outcome, got.Findings, test.outcome, test.rule)
				}
			})
		})
	}
}

const net = `<?xml version="1.0"?><net name="m" version="11"><layers><layer id="0" type="Const" version="opset1"><data element_type="f32" shape="2" offset="0" size="8"/></layer><layer id="1" type="Const" version="opset1"><data element_type="f32" shape="2" offset="64" size="8"/></layer><layer id="2" type="ReLU" version="opset1"><data offset="x"/></layer></layers></net>`

// TestWeights: the constants of a network lie in the file beside it, and what it does not speak of is unread.
func TestWeights(t *testing.T) {
	for _, test := range []struct {
		name, net string
		weights   []byte
		xml, bin  scan.Outcome
	}{
		{"weights", net, make([]byte, 72), scan.Clean, scan.Clean},
		{"bytes between", net, append(append(make([]byte, 32), "something else"...), make([]byte, 26)...), scan.Clean, scan.Incomplete},
		{"bytes behind", net, append(make([]byte, 72), "something else"...), scan.Clean, scan.Incomplete},
		{"too few", net, make([]byte, 71), scan.Dangerous, scan.Clean},
		{"negative", strings.Replace(net, `offset="64"`, `offset="-64"`, 1), make([]byte, 8), scan.Dangerous, scan.Clean},
		{"past all numbers", strings.Replace(net, `offset="64"`, `offset="9223372036854775800"`, 1), make([]byte, 8), scan.Dangerous, scan.Clean},
		{"another layer", strings.Replace(net, "ReLU", "Run", 1), make([]byte, 72), scan.UnknownCode, scan.Clean},
		{"no network", "<PMML></PMML>", make([]byte, 72), scan.Clean, scan.Incomplete},
	} {
		dir := t.TempDir()
		for name, b := range map[string][]byte{"m.xml": []byte(test.net), "m.bin": test.weights} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string]scan.Outcome{}
		s := &scan.Scanner{Formats: []scan.Format{xmlfile.Format{}, xmlfile.Weights{}}, Budget: scan.DefaultBudget(), Now: time.Now}
		if err := s.Path(t.Context(), dir, func(r scan.FileReport) error { got[filepath.Base(r.Path)] = r.Outcome; return nil }); err != nil {
			t.Fatal(err)
		}
		if got["m.xml"] != test.xml || got["m.bin"] != test.bin {
			t.Errorf("%s: %v, want %s and %s", test.name, got, test.xml, test.bin)
		}
	}
}

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	f.Add([]byte(pmml))
	f.Add([]byte(net))
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

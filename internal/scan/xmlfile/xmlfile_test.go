package xmlfile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/scantest"
	"github.com/assize/assize/internal/scan/xmlfile"
)

func scanner() *scan.Scanner { return &scan.Scanner{Formats: []scan.Format{xmlfile.Format{}}} }

const pmml = `<?xml version="1.0" encoding="UTF-8"?><PMML version="4.4"><Header description="os.system &amp; eval"/><TreeModel><Apply function="+"/></TreeModel></PMML>`

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

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	f.Add([]byte(pmml))
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

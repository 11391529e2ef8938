package foreign_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assize/assize/internal/foreign"
	"github.com/assize/assize/internal/result"
)

const sarifFile = `{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{
 "tool":{"driver":{"name":"gosec","semanticVersion":"2.21.4","rules":[
  {"id":"G304","shortDescription":{"text":"Path from outside"},"defaultConfiguration":{"level":"error"}},
  {"id":"G401","properties":{"security-severity":"5.5"}}]}},
 "invocations":[{"executionSuccessful":true,"endTimeUtc":"2026-11-20T10:00:00Z"}],
 "results":[
  {"ruleId":"G304","ruleIndex":0,"message":{"text":"os.Open of a name from outside"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"serve/load.go"},"region":{"startLine":41}}},{"physicalLocation":{"artifactLocation":{"uri":"other.go"}}}]},
  {"ruleId":"G401","level":"note","message":{"text":"weak hash"},"locations":[{"logicalLocations":[{"fullyQualifiedName":"serve.Sum"}]}]},
  {"rule":{"index":0},"level":"warning","message":{"text":"again"},"suppressions":[{"kind":"inSource","justification":"reads a fixed folder"}]},
  {"ruleId":"X","kind":"pass","message":{"text":"fine"}},
  {"ruleId":"Y","message":{},"suppressions":[{"kind":"external","status":"rejected"}]},
  {"ruleIndex":99,"message":{"text":"no such rule"}}]}]}`

const vexFile = `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,
 "metadata":{"timestamp":"2026-11-01T00:00:00Z","tools":{"components":[{"type":"application","name":"grype","version":"0.90.0"}]},"component":{"bom-ref":"app","type":"application","name":"credit","version":"1.0.0"}},
 "components":[{"bom-ref":"ort","type":"library","name":"onnxruntime","version":"1.27.0","components":[{"bom-ref":"pb","type":"library","name":"protobuf","version":"3.21"}]}],
 "vulnerabilities":[
  {"id":"CVE-2026-1","description":"Overflow in a parser","ratings":[{"severity":"low"},{"severity":"critical"}],"analysis":{"state":"exploitable"},"affects":[{"ref":"pb"},{"ref":"app"}]},
  {"id":"CVE-2026-2","ratings":[{"score":5.1,"method":"CVSSv31"}],"analysis":{"state":"not_affected","justification":"code_not_reachable","detail":"the operator is not in the model"},"affects":[{"ref":"ort"}]},
  {"id":"CVE-2026-3","analysis":{"state":"in_triage"},"affects":[{"ref":"unknown-ref"}]}]}`

func parse(t *testing.T, name, text string) *foreign.Report {
	t.Helper()
	r, err := foreign.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSARIF(t *testing.T) {
	r := parse(t, "a.sarif", sarifFile)
	got := r.Findings
	want := []foreign.Finding{
		{Rule: "G304", Severity: result.High, Stated: "error", State: foreign.Open, Where: "serve/load.go:41", What: "os.Open of a name from outside"},
		{Rule: "G401", Severity: result.Medium, Stated: "note, security severity 5.5", State: foreign.Open, Where: "serve.Sum", What: "weak hash"},
		{Rule: "G304", Severity: result.Medium, Stated: "warning", State: foreign.Closed, Why: "suppressed: reads a fixed folder", Where: "not placed", What: "again"},
		{Rule: "X", Severity: result.Info, Stated: "warning", State: foreign.Informed, Where: "not placed", What: "fine"},
		{Rule: "Y", Severity: result.Medium, Stated: "warning", State: foreign.Open, Where: "not placed", What: "not said"},
		{Rule: "not named", Severity: result.Medium, Stated: "warning", State: foreign.Open, Where: "not placed", What: "no such rule"},
	}
	if diff := cmp.Diff(got, want, cmpopts.IgnoreFields(foreign.Finding{}, "Origin")); diff != "" {
		t.Errorf("findings differ, got -, want +:\n%s", diff)
	}
	o := got[0].Origin
	if o.Tool != "gosec 2.21.4" || o.Format != "SARIF 2.1.0" || o.Made != "2026-11-20T10:00:00Z" || o.File != "a.sarif" || !strings.HasPrefix(string(o.Digest), "sha256:") {
		t.Errorf("got origin %+v", o)
	}
	if diff := cmp.Diff(r.OpenBySeverity(), map[result.Severity]int{result.High: 1, result.Medium: 3}); diff != "" {
		t.Errorf("counts differ, got -, want +:\n%s", diff)
	}
}

func TestVEX(t *testing.T) {
	got := parse(t, "a.vex.json", vexFile).Findings
	want := []foreign.Finding{
		{Rule: "CVE-2026-1", Severity: result.High, Stated: "critical", State: foreign.Open, Where: "protobuf 3.21, credit 1.0.0", What: "Overflow in a parser"},
		{Rule: "CVE-2026-2", Severity: result.Medium, Stated: "CVSSv31 5.1", State: foreign.Closed, Why: "not affected: code not reachable: the operator is not in the model", Where: "onnxruntime 1.27.0", What: "the operator is not in the model"},
		{Rule: "CVE-2026-3", Severity: result.Medium, Stated: "not stated", State: foreign.Open, Where: "unknown-ref", What: "not said"},
	}
	if diff := cmp.Diff(got, want, cmpopts.IgnoreFields(foreign.Finding{}, "Origin")); diff != "" {
		t.Errorf("findings differ, got -, want +:\n%s", diff)
	}
	if o := got[0].Origin; o.Tool != "grype 0.90.0" || o.Format != "CycloneDX 1.6 VEX" || o.Made != "2026-11-01T00:00:00Z" {
		t.Errorf("got origin %+v", o)
	}
	old := strings.Replace(vexFile, `{"components":[{"type":"application","name":"grype","version":"0.90.0"}]}`, `[{"vendor":"a","name":"trivy","version":"0.50"}]`, 1)
	if got := parse(t, "a", old).Findings[0].Origin.Tool; got != "trivy 0.50" {
		t.Errorf("got tool %q of the older form, want %q", got, "trivy 0.50")
	}
}

func TestRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "no JSON object",
		"[]":                                "no JSON object",
		"{}":                                "neither SARIF 2.1.0 nor CycloneDX",
		`{"version":"2.0.0","runs":[]}`:     "neither SARIF",
		`{"version":"2.1.0","runs":{}}`:     "it is no SARIF",
		`{"bomFormat":"CycloneDX"}`:         "states nothing",
		sarifFile + "x":                     "no JSON object",
		strings.Repeat(`{"runs":[`, 20_000): "no JSON object",
	} {
		if _, err := foreign.Parse("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: got %v, want %q", text, err, want)
		}
	}
	if _, err := foreign.Parse("f", make([]byte, foreign.MaxBytes+1)); err == nil || !strings.Contains(err.Error(), "larger than 32 MiB") {
		t.Errorf("got %v for a file over the limit", err)
	}
}

func TestLimits(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"results":[`)
	for i := range foreign.MaxFindings + 7 {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `{"ruleId":"r%d","message":{"text":"m"}}`, i)
	}
	b.WriteString(`]}]}`)
	r := parse(t, "many", b.String())
	if len(r.Findings) != foreign.MaxFindings || r.Dropped != 7 {
		t.Errorf("got %d findings and %d dropped, want %d and 7", len(r.Findings), r.Dropped, foreign.MaxFindings)
	}
	long := parse(t, "long", `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"results":[{"message":{"text":"`+strings.Repeat("é", 3000)+`"}}]}]}`)
	if got := long.Findings[0].What; len(got) > foreign.MaxText || !strings.HasSuffix(got, "é…") {
		t.Errorf("a long text is cut to %d bytes ending in %q", len(got), got[len(got)-6:])
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.sarif")
	if err := os.WriteFile(path, []byte(sarifFile), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := foreign.Read(path)
	if err != nil || len(r.Findings) != 6 {
		t.Errorf("got %v, %v, want 6 findings", r, err)
	}
	if _, err := foreign.Read(dir); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a folder: got %v", err)
	}
	if _, err := foreign.Read(filepath.Join(dir, "gone")); err == nil {
		t.Error("an absent file was read")
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err == nil {
		if _, err := foreign.Read(pipe); err == nil || !strings.Contains(err.Error(), "no regular file") {
			t.Errorf("a pipe: got %v", err)
		}
	}
}

// Whatever the bytes are, reading ends with a report within the limits or with an error.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sarifFile))
	f.Add([]byte(vexFile))
	f.Add([]byte(`{"version":"2.1.0","runs":[null,{"results":[null]}]}`))
	f.Add([]byte(`{"bomFormat":"CycloneDX","vulnerabilities":[{"affects":[{}],"ratings":[{"score":-1e308,"method":"CVSSv2"}]}]}`))
	f.Add(bytes.Repeat([]byte(`{"components":[`), 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := foreign.Parse("fuzz", b)
		if err != nil {
			return
		}
		if len(r.Findings) > foreign.MaxFindings {
			t.Errorf("got %d findings", len(r.Findings))
		}
		for _, one := range r.Findings {
			if one.Rule == "" || one.Where == "" || one.What == "" || one.State == "" || one.Severity == "" || one.Origin.Tool == "" || len(one.What) > foreign.MaxText {
				t.Errorf("got an incomplete finding %+v", one)
			}
		}
	})
}

package manifest_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/manifest"
)

var update = flag.Bool("update", false, "write testdata/bad.golden anew")

// logEdit adds an operating log to base, changed in one place.
func logEdit(from, to string) []string {
	log := `records:
  - name: operations
    path: a.jsonl
    owner: me
    date: 2026-01-01
    log:
      {time: at, event: what, subject: case, required_events: [start], max_gap: 24h, retention: 184d,
       escalations: [{when: refer, then: look, within: 48h}], mandatory_checks: [{before: send, check: look, within: 7d}]}
`
	return []string{"declared:", strings.Replace(log, from, to, 1) + "declared:"}
}

// served adds an endpoint to base.
func served(fields string, beside ...string) []string {
	return []string{"artefacts:\n", "artefacts:\n  - {name: live, kind: endpoint, endpoint: {" + strings.TrimSuffix(fields, "}") + "}" + strings.Join(beside, "") + "}\n"}
}

// badEdits are changes to base, each of which makes it wrong.
var badEdits = []struct {
	name  string
	pairs []string
}{
	// Names and types of fields.
	{"unknown field at the top", []string{"artefacts:", "artifacts:"}},
	{"unknown field below", []string{"kind: model", "knid: model"}},
	{"unknown field like no other", []string{"version: 1.4.0", "version: 1.4.0\n  colour: blue"}},
	{"two unknown fields", []string{"claims:", "claim:", "threat_model:", "threatmodel:"}},
	{"missing field", []string{"  name: credit-scoring\n", ""}},
	{"missing in a list", []string{"path: model.onnx, ", ""}},
	{"missing at the top", []string{"assize: 1\n", ""}},
	{"other version", []string{"assize: 1", "assize: 2"}},
	{"version as text", []string{"assize: 1", "assize: '1'"}},
	{"number for text", []string{"version: 1.4.0", "version: 1.40"}},
	{"boolean for text", []string{"name: credit-scoring", "name: true"}},
	{"text for number", []string{"cutoff: 0.22", "cutoff: '0.22'"}},
	{"text for boolean", []string{"switchable: true", "switchable: yes"}},
	{"text for a list", []string{"from: [train]", "from: train"}},
	{"text for a group", []string{"classification: {annex_iii: \"5(b)\"}", "classification: high-risk"}},
	{"list for a group", []string{"evasion: {norm: linf, epsilon: 0.05}", "evasion: [linf]"}},
	{"nothing", []string{"claims: [parity, malformed-input]", "claims:"}},
	{"fraction for a whole number", []string{"digits: 2", "digits: 2.5"}},
	{"field twice", []string{"  version: 1.4.0", "  version: 1.4.0\n  version: 1.5.0"}},
	{"numeric class", []string{"classes: [paid, default]", "classes: [0, 1]"}},
	// Served models.
	{"endpoint without an address", served("")},
	{"endpoint with a path", served("url: 'http://h:1', protocol: json, request: '[$rows]'}", ", path: x.onnx")},
	{"file with an endpoint", []string{"kind: model, ", "kind: model, endpoint: {url: 'http://h:1', protocol: json, request: '[$rows]'}, "}},
	{"endpoint of another protocol", served("url: 'http://h:1', protocol: oip-http, model: m}")},
	{"endpoint without a model", served("url: 'http://h:1', protocol: oip-rest}")},
	{"endpoint with fields of another protocol", served("url: 'http://h:1', protocol: oip-grpc, model: m, response: x}")},
	{"endpoint with a password", served("url: 'https://me:SECRET@h:1', protocol: oip-rest, model: m}")},
	{"endpoint that is no address", served("url: 'me:SECRET@h:1', protocol: oip-rest, model: m}")},
	{"endpoint with a query", served("url: 'https://h:1/?key=SECRET', protocol: oip-rest, model: m}")},
	{"endpoint without a mark", served("url: 'http://h:1', protocol: json, request: '{}'}")},
	{"endpoint with two marks", served("url: 'http://h:1', protocol: json, request: '[$rows, $record]'}")},
	{"endpoint with a request that is no JSON", served("url: 'http://h:1', protocol: json, request: '{rows: $rows}'}")},
	{"endpoint with a credential in clear", served("url: 'https://h:1', protocol: oip-rest, model: m, headers: {Authorization: Bearer SECRET}}")},
	{"endpoint with a numeric credential in clear", served("url: 'https://h:1', protocol: oip-rest, model: m, headers: {X-Key: 31415926}}")},
	{"endpoint with a header of the protocol", served("url: 'https://h:1', protocol: oip-rest, model: m, headers: {Host: env:HOST}}")},
	{"endpoint with a price alone", served("url: 'https://h:1', protocol: oip-rest, model: m, price_per_1000: 1}")},
	{"endpoint with an authority outside", served("url: 'https://h:1', protocol: oip-rest, model: m, ca: ../ca.pem}")},
	{"two endpoints", served("url: 'http://h:1', protocol: oip-rest, model: m}}\n  - {name: other, kind: endpoint, endpoint: {url: 'http://h:2', protocol: oip-rest, model: m}")},
	{"endpoint of data", served("url: 'http://h:1', protocol: oip-rest, model: m}", ", of: train")},
	{"endpoint on data", served("url: 'http://h:1', protocol: oip-rest, model: m}", ", on: train")},
	// Values.
	{"enumeration, near", []string{"kind: dataset", "kind: datset"}},
	{"enumeration, far", []string{"layout: columns", "layout: tabular"}},
	{"enumeration, no text", []string{"rule: cutoff", "rule: 1"}},
	{"empty text", []string{"name: credit-scoring", "name: ''"}},
	{"long text", []string{"name: credit-scoring", "name: " + strings.Repeat("x", 4001)}},
	{"claim of no shape", []string{"malformed-input]", "Malformed Input]"}},
	{"claim twice", []string{"claims: [parity, malformed-input]", "claims:\n  - parity\n  - malformed-input\n  - parity"}},
	{"name of no shape", []string{"{name: model,", "{name: 'the model',"}},
	{"digest of no shape", []string{"path: model.onnx,", "path: model.onnx, digest: 'sha256:ABC',"}},
	{"metric of no shape", []string{"  accuracy:", "  Balanced-Accuracy:"}},
	{"goals empty", []string{"goals: [extraction]", "goals: []"}},
	{"no artefacts", []string{"path: model.onnx, from: [train]}", "path: model.onnx, from: [train]}\n  - {}"}},
	{"epsilon negative", []string{"epsilon: 0.05", "epsilon: -0.05"}},
	{"queries zero", []string{"epsilon: 0.05}", "epsilon: 0.05, queries_per_row: 0}"}},
	{"digits too many", []string{"digits: 2", "digits: 16"}},
	{"count too large", []string{"count: 2", "count: 1000000000000"}},
	{"day that does not exist", []string{"date: 2026-11-03", "date: 2026-02-30"}},
	{"date turned round", []string{"date: 2026-11-03", "date: 03.11.2026"}},
	{"band of three", []string{"refer_band: [0.18, 0.22]", "refer_band: [0.18, 0.20, 0.22]"}},
	{"band of one", []string{"refer_band: [0.18, 0.22]", "refer_band: [0.18]"}},
	{"level without bound", []string{"{at_least: 0.68}", "{}"}},
	{"level reversed", []string{"{at_least: 0.68}", "{at_least: 0.68, at_most: 0.5}"}},
	{"two classifications", []string{"{annex_iii: \"5(b)\"}", "{annex_iii: \"5(b)\", none: small}"}},
	{"no classification", []string{"{annex_iii: \"5(b)\"}", "{}"}},
	{"third party alone", []string{"{annex_iii: \"5(b)\"}", "{annex_iii: \"5(b)\", third_party: true}"}},
	{"not a number", []string{"cutoff: 0.22", "cutoff: .nan"}},
	{"infinite", []string{"max: 99", "max: .inf"}},
	{"too large", []string{"max: 99", "max: 1e999"}},
	{"hexadecimal", []string{"max: 99", "max: 0x63"}},
	{"octal of old", []string{"max: 99", "max: 0143"}},
	{"underscores", []string{"max: 99", "max: 1_000"}},
	// What fields say of one another.
	{"two artefacts of a name", []string{"{name: train, kind", "{name: model, kind"}},
	{"from nobody", []string{"from: [train]", "from: [trian]"}},
	{"from itself", []string{"from: [train]", "from: [model]"}},
	{"circle", []string{"path: train.csv,", "path: train.csv, from: [served],"}},
	{"of nobody", []string{"    of: model", "    of: classifier"}},
	{"of a data set", []string{"    of: model", "    of: train"}},
	{"on a model", []string{"    on: train", "    on: model"}},
	{"recorded outputs of nothing", []string{"    of: model\n", ""}},
	{"of without recorded outputs", []string{"path: train.csv,", "path: train.csv, of: model,"}},
	{"scaling of two lengths", []string{"layout: columns}", "layout: columns, scaling: {mean: [1, 2], std: [1]}}"}},
	{"scaling by nothing", []string{"layout: columns}", "layout: columns, scaling: {mean: [1], std: [0]}}"}},
	{"cutoff missing", []string{"  cutoff: 0.22\n", ""}},
	{"cutoff too large", []string{"  cutoff: 0.22", "  cutoff: 22"}},
	{"band reversed", []string{"[0.18, 0.22]", "[0.22, 0.18]"}},
	{"band beside the cutoff", []string{"[0.18, 0.22]", "[0.3, 0.4]"}},
	{"band outside probabilities", []string{"[0.18, 0.22]", "[-0.1, 0.22]"}},
	{"positive is no class", []string{"positive: default", "positive: defualt"}},
	{"favourable is no outcome", []string{"favourable: [accept]", "favourable: [grant]"}},
	{"outcomes of one name", []string{"favourable: [accept]", "outcomes: {below: yes, above: yes}"}},
	{"cutoff without its rule", []string{"rule: cutoff", "rule: argmax"}},
	{"per-class without cutoffs", []string{"rule: cutoff\n  positive: default\n  cutoff: 0.22\n  refer_band: [0.18, 0.22]\n  favourable: [accept]", "rule: per-class"}},
	{"per-class with a class too many", []string{"rule: cutoff\n  positive: default\n  cutoff: 0.22\n  refer_band: [0.18, 0.22]\n  favourable: [accept]", "rule: per-class\n  cutoffs: {paid: 0.5, defaulted: 1.5}"}},
	{"none of probabilities", []string{"rule: cutoff\n  positive: default\n  cutoff: 0.22\n  refer_band: [0.18, 0.22]\n  favourable: [accept]", "rule: none"}},
	{"none with a cut-off", []string{"kind: probabilities, classes: [paid, default]", "kind: score", "rule: cutoff", "rule: none"}},
	{"none with classes", []string{"kind: probabilities,", "kind: score,", "rule: cutoff\n  positive: default\n  cutoff: 0.22\n  refer_band: [0.18, 0.22]\n  favourable: [accept]", "rule: none\n  favourable: [paid]"}},
	{"argmax of one number", []string{"kind: probabilities, classes: [paid, default]", "kind: score", "rule: cutoff\n  positive: default\n  cutoff: 0.22\n  refer_band: [0.18, 0.22]\n  favourable: [accept]", "rule: argmax"}},
	{"cutoff of a label", []string{"kind: probabilities, classes", "kind: label, classes"}},
	{"rounding without digits", []string{"digits: 2, ", ""}},
	{"limit without a number", []string{"type: output-rounding, digits: 2", "type: query-limit"}},
	{"limit of nothing", []string{"type: output-rounding, digits: 2", "type: query-limit, queries: 0"}},
	{"band without a margin", []string{"type: output-rounding, digits: 2", "type: reject-band"}},
	{"noise without draws", []string{"type: output-rounding, digits: 2", "type: input-noise, sigma: 0.1"}},
	{"noise of nothing", []string{"type: output-rounding, digits: 2", "type: input-noise, sigma: 0, draws: 10"}},
	{"sigma without noise", []string{"type: output-rounding, digits: 2", "type: decision-only, sigma: 0.1"}},
	{"margin without a band", []string{"type: output-rounding, digits: 2", "type: decision-only, margin: 0.1"}},
	{"digits without rounding", []string{"type: output-rounding", "type: input-validation"}},
	{"misspelt type", []string{"type: output-rounding", "type: output-roundng"}},
	{"record without owner", []string{"owner: Data Office, ", ""}},
	{"record that switches", []string{"type: record,", "type: record, switchable: true,"}},
	{"valid until before date", []string{"date: 2026-10-12", "date: 2026-10-12, valid_until: 2025-10-12"}},
	{"validity of nothing", []string{"switchable: true", "valid_until: 2027-01-01"}},
	{"two solutions of a name", []string{"{name: review,", "{name: two-digits,"}},
	{"record named as an artefact", []string{"{name: review,", "{name: train,"}},
	{"records of a name", []string{"declared:", "records:\n  - {name: review, path: a.pdf, owner: me, date: 2026-01-01}\ndeclared:"}},
	{"duration of no shape", logEdit("max_gap: 24h", "max_gap: 1 day")},
	{"duration of five digits and more", logEdit("max_gap: 24h", "max_gap: 100000s")},
	{"log without events", logEdit("required_events: [start], ", "")},
	{"log in another format", logEdit("time: at", "time: at, format: json")},
	{"checks without a subject", logEdit("subject: case, ", "")},
	{"event that answers itself", logEdit("then: look", "then: refer")},
	{"check that answers itself", logEdit("check: look", "check: send")},
	{"in service after the log", logEdit("time: at", "time: at, since: 2026-01-02")},
	{"chain in one field", logEdit("time: at", "time: at, integrity: {previous: hash, hash: hash}")},
	// Paths.
	{"path upwards", []string{"path: model.onnx", "path: ../model.onnx"}},
	{"path upwards in the middle", []string{"path: model.onnx", "path: a/../../model.onnx"}},
	{"path absolute", []string{"path: train.csv", "path: /etc/passwd"}},
	{"path with backslash", []string{"path: train.csv", `path: data\train.csv`}},
	{"path of the folder", []string{"path: train.csv", "path: ."}},
	{"record outside", []string{"record: review.pdf", "record: ../review.pdf"}},
	// Features.
	{"feature without range", []string{"min: 18, max: 99, ", ""}},
	{"feature of no type", []string{"type: integer", "type: int"}},
	{"cost below nothing", []string{"mutable: no", "mutable: no, cost: -1"}},
	// YAML.
	{"anchor", []string{"classes: [paid, default]", "classes: &c [paid, default]"}},
	{"alias", []string{"positive: default", "positive: *c"}},
	{"merge", []string{"  rule: cutoff", "  <<: {rule: cutoff}"}},
	{"tag", []string{"cutoff: 0.22", "cutoff: !!str 0.22"}},
	{"directive", []string{"assize: 1\n", "%YAML 1.1\n---\nassize: 1\n"}},
	{"complex key", []string{"assize: 1\n", "? assize\n: 1\n"}},
	{"two documents", []string{"domain:\n", "---\ndomain:\n"}},
	{"bracket left open", []string{"[paid, default]}", "[paid, default}"}},
	{"quote left open", []string{"name: credit-scoring", "name: \"credit-scoring"}},
	{"tab", []string{"  name: credit-scoring", "\tname: credit-scoring"}},
	{"colon in text", []string{"name: credit-scoring", "name: credit: scoring"}},
	{"indentation", []string{"  version: 1.4.0", "   version: 1.4.0"}},
	{"control character", []string{"credit-scoring", "credit\x00scoring"}},
	{"not UTF-8", []string{"credit-scoring", "cr\xe9dit"}},
	{"nested", []string{"name: credit-scoring", "name: " + strings.Repeat("[", 40) + strings.Repeat("]", 40)}},
	{"nested dashes", []string{"claims: [parity, malformed-input]", "claims:\n" + strings.Repeat("- ", 40) + "x"}},
	{"nested by indentation", []string{"claims: [parity, malformed-input]", nested(40)}},
	{"six problems", []string{"kind: model", "kind: a", "kind: dataset", "kind: b", "layout: columns", "layout: c", "rule: cutoff", "rule: d", "type: integer", "type: e", "norm: linf", "norm: f"}},
}

func nested(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// badFiles are whole files that are no manifest.
var badFiles = []struct{ name, src string }{
	{"empty", ""},
	{"blank", "\n  \n"},
	{"comments", "# nothing\n"},
	{"markers", "---\n"},
	{"text", "hello"},
	{"list", "- a\n"},
	{"JSON of something else", `{"name": "x"}`},
	{"large", strings.Repeat("# 345678\n", 120_000)},
	{"many values", "a: [" + strings.Repeat("1,", 200_001) + "]"},
	{"many fields", strings.Repeat("a: 1\n", 8_001)},
	{"UTF-16", "\xff\xfea\x00:\x00"},
	{"documents", strings.Repeat("---\na: 1\n", 20_000)},
	{"after the end", "a: 1\n...\nb: 1\n"},
	{"laughter", "a: &a [lol, lol]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"},
}

// TestBadManifests compares the error of every bad manifest with
// testdata/bad.golden, which people have read; -update writes it anew.
func TestBadManifests(t *testing.T) {
	var got strings.Builder
	bad := func(name string, src []byte) {
		t.Helper()
		m, err := manifest.Parse(src, "assize.yaml")
		var e *manifest.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v and manifest %v, want *manifest.Error", name, err, m)
			return
		}
		for _, p := range e.Problems {
			if strings.Contains(p.Text+p.Hint, "\n") || p.Text == "" || p.Hint == "" {
				t.Errorf("%s: not one line with a hint: %+v", name, p)
			}
		}
		fmt.Fprintf(&got, "-- %s\n%v\n\n", name, err)
	}
	for _, c := range badEdits {
		bad(c.name, edit(t, c.pairs...))
	}
	for _, c := range badFiles {
		bad("file: "+c.name, []byte(c.src))
	}
	const golden = "testdata/bad.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("errors (-want +got):\n%s", d)
	}
}

// TestLinesAreRight puts an unknown field behind what can lead a parser to
// count lines wrongly.
func TestLinesAreRight(t *testing.T) {
	for name, before := range map[string]string{
		"literal":         "  provider: |\n    a\n\n    b\n\n",
		"folded":          "  provider: >-\n    a\n    b\n",
		"plain":           "  provider: a\n    b\n    c\n",
		"double quotes":   "  provider: \"a\n    b\n\n    c\"\n",
		"escaped break":   "  provider: \"a\\\n    b\"\n",
		"single quotes":   "  provider: 'a\n    b'\n",
		"flow":            "  roles: {\n    a: b,\n\n    c: d\n  }\n",
		"comments":        "  # one\n\n  # two\n  provider: a # three\n  # four\n",
		"list":            "  environment:\n    third_party:\n      - a\n\n      - b\n",
		"blank":           "\n \n\n",
		"carriage return": "  provider: |\r\n    a\r\n    b\r\n\r\n",
		"trailing spaces": "  provider: a   \n  intended_purpose:   \n    b   \n",
		"wide characters": "  provider: ü\u2028é 漢字 🎲\n",
	} {
		t.Run(name, func(t *testing.T) {
			src := edit(t, "  version: 1.4.0\n", "  version: 1.4.0\n"+before+"  colour: blue\n")
			_, err := manifest.Parse(src, "assize.yaml")
			var e *manifest.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v, want *manifest.Error", err)
			}
			got, want := e.Problems[0], manifest.Problem{
				Line: 5 + strings.Count(before, "\n"), Text: `unknown field "colour" in target`,
				Hint: "the fields here are classification, environment, intended_purpose, life_cycle, name, provider, roles, version",
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("problem (-want +got):\n%s", d)
			}
		})
	}
}

package annexiv_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	parse "golang.org/x/net/html"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/report/annexiv"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

func example(t *testing.T) *dossier.Dossier {
	t.Helper()
	b, err := os.ReadFile("../html/testdata/dossier.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := dossier.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// full is a dossier that has every fact that one can hold.
func full(t *testing.T) *dossier.Dossier {
	d := example(t)
	d.Solutions = append(d.Solutions, manifest.Solution{Name: "desk", Type: "human-review", Function: "respond", Goals: []string{"evasion"}})
	train := d.Artefacts[0]
	d.Observations = append(d.Observations, evidence.Observation{ID: "o-9", Item: d.Plan.Items[5].ID, Probe: "poisoning/labels", Inputs: []artefact.Digest{train.Digest},
		Result: result.Result{State: result.Measured, Metrics: map[string]result.Metric{"suspect_rows": result.Exactly(3, 100, "rows")}}})
	return d
}

func build(t *testing.T, d *dossier.Dossier) *annexiv.Document {
	t.Helper()
	doc, err := annexiv.Build(d)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Whatever a dossier can hold is never a placeholder, and where the dossier has it, it is filled.
func TestNoPlaceholderForWhatIsKnown(t *testing.T) {
	known := 0
	for _, p := range build(t, full(t)).Points {
		for _, part := range p.Parts {
			if !part.Known {
				if part.State != annexiv.Placeholder || part.Owner == "" || len(part.Text) < 30 {
					t.Errorf("%s %q: a part of the provider's does not say who writes what", p.Number, part.Title)
				}
				continue
			}
			known++
			if part.State != annexiv.Filled || len(part.Blocks) == 0 {
				t.Errorf("%s %q: the dossier has it, and the part is %s", p.Number, part.Title, part.State)
			}
		}
	}
	if known < 30 {
		t.Errorf("got %d parts that a dossier can hold, want at least 30", known)
	}
	for _, p := range build(t, &dossier.Dossier{}).Points {
		for _, part := range p.Parts {
			if part.Known && (part.State == annexiv.Placeholder || part.State == annexiv.Missing && part.Text == "") {
				t.Errorf("%s %q: an empty dossier makes it %s with %q", p.Number, part.Title, part.State, part.Text)
			}
		}
	}
}

// Each of the facts of a dossier, taken away, makes its part say what is missing.
func TestMissing(t *testing.T) {
	for _, c := range []struct {
		point, title string
		take         func(*dossier.Dossier)
	}{
		{"1(a)", "Intended purpose", func(d *dossier.Dossier) { d.Target.IntendedPurpose = " " }},
		{"1(b)", "Infrastructure and components of others, as declared", func(d *dossier.Dossier) { d.Target.Environment = nil }},
		{"1(e)", "Hardware it is to run on, as declared", func(d *dossier.Dossier) { d.Target.Environment.Hardware = "" }},
		{"2(b)", "Quality it is designed to reach", func(d *dossier.Dossier) { d.Decisions = nil }},
		{"2(d)", "Data sets, by digest", func(d *dossier.Dossier) { d.Artefacts = d.Artefacts[2:] }},
		{"2(e)", "Who oversees, as declared", func(d *dossier.Dossier) { d.Target.Roles = nil }},
		{"2(f)", "Learning and changes, as declared", func(d *dossier.Dossier) { d.Target.LifeCycle = nil }},
		{"2(g)", "Robustness", func(d *dossier.Dossier) { d.Observations = d.Observations[:2] }},
		{"2(h)", "Measures in the system and their measured effect", func(d *dossier.Dossier) { d.Solutions = nil }},
	} {
		d := full(t)
		c.take(d)
		found := false
		for _, p := range build(t, d).Points {
			for _, part := range p.Parts {
				if p.Number == c.point && part.Title == c.title {
					found = true
					if part.State != annexiv.Missing || part.Text == "" {
						t.Errorf("%s %q: got %s, want missing", c.point, c.title, part.State)
					}
				}
			}
		}
		if !found {
			t.Errorf("there is no part %s %q", c.point, c.title)
		}
	}
}

// All points of the annex are there, in order, and every summary adds up.
func TestPoints(t *testing.T) {
	doc := build(t, example(t))
	var got []string
	parts := 0
	for _, p := range doc.Points {
		got = append(got, p.Number)
		parts += len(p.Parts)
	}
	want := strings.Fields("1(a) 1(b) 1(c) 1(d) 1(e) 1(f) 1(g) 1(h) 2(a) 2(b) 2(c) 2(d) 2(e) 2(f) 2(g) 2(h) 3 4 5 6 7 8 9")
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("points differ, got -, want +:\n%s", diff)
	}
	if doc.Filled+doc.Missing+doc.Open != parts {
		t.Errorf("%d + %d + %d parts are not %d", doc.Filled, doc.Missing, doc.Open, parts)
	}
}

// The numbers of the dossier come through: a metric, an effect, a digest, an expired record, a role.
func TestMeasured(t *testing.T) {
	var b bytes.Buffer
	d := example(t)
	if err := annexiv.Markdown(&b, d); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(b.String(), wording.Thin, " ")
	for _, want := range []string{
		"robust accuracy | 38\\.8 %", "+9.4 pp \\[+4.1 pp, +14.9 pp\\]", string(d.Artefacts[0].Digest), "EXPIRED on the day of the assessment", "oversight lead (Credit Operations",
		"at least 45 %", d.Log.Key, "assize 0.1.0", "AI Act Art. 15(4)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the document lacks %q", want)
		}
	}
}

// Text of the target makes no markup, and rows of a table have as many cells as its head.
func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := annexiv.Markdown(&b, example(t)); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\u202e\x1b") || strings.Contains(b.String(), "https://evil") {
		t.Error("the document holds characters that hide text, or an address")
	}
	if at := regexp.MustCompile(`[^\\][<\[]`).FindStringIndex(b.String()); at != nil {
		t.Errorf("text of the target makes markup: %.60q", b.String()[at[0]:])
	}
	cells := 0
	bar := regexp.MustCompile(`(^|[^\\])\|`)
	for line := range strings.SplitSeq(b.String(), "\n") {
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		n := len(bar.FindAllString(line, -1))
		if cells != 0 && n != cells {
			t.Errorf("a row has %d cells, its head %d: %.80s", n, cells, line)
		}
		cells = n
	}
}

// The page loads nothing, and every placeholder is on it.
func TestHTML(t *testing.T) {
	var b bytes.Buffer
	d := example(t)
	if err := annexiv.HTML(&b, d); err != nil {
		t.Fatal(err)
	}
	root, err := parse.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	var walk func(*parse.Node)
	walk = func(n *parse.Node) {
		for _, a := range n.Attr {
			if a.Key == "src" || a.Key == "style" || strings.HasPrefix(a.Key, "on") || a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			}
			if a.Key == "class" && a.Val == "open" {
				open++
			}
		}
		if n.Data == "script" || n.Data == "img" || n.Data == "link" {
			t.Errorf("the page holds <%s>", n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	if want := build(t, d).Open; open != want {
		t.Errorf("got %d placeholders on the page, want %d", open, want)
	}
}

// The package has the parts that ECMA-376 asks for, each well-formed; every style that is used is defined.
func TestDOCX(t *testing.T) {
	d := example(t)
	var b, again bytes.Buffer
	if err := errors.Join(annexiv.DOCX(&b, d), annexiv.DOCX(&again, d)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("two writings differ")
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts[f.Name] = string(text)
		dec := xml.NewDecoder(bytes.NewReader(text))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
	}
	if z.File[0].Name != "[Content_Types].xml" {
		t.Errorf("the first part is %q", z.File[0].Name)
	}
	for _, m := range regexp.MustCompile(`PartName="/([^"]+)"`).FindAllStringSubmatch(parts["[Content_Types].xml"], -1) {
		if parts[m[1]] == "" {
			t.Errorf("the part %q is named and not there", m[1])
		}
	}
	used := map[string]int{}
	for _, m := range regexp.MustCompile(`<w:(?:pStyle|tblStyle) w:val="([^"]+)"`).FindAllStringSubmatch(parts["word/document.xml"]+parts["word/footer1.xml"], -1) {
		used[m[1]]++
		if !strings.Contains(parts["word/styles.xml"], `w:styleId="`+m[1]+`"`) {
			t.Errorf("the style %q is used and not defined", m[1])
		}
	}
	doc := build(t, d)
	if used["Placeholder"] != doc.Open || used["Missing"] != doc.Missing || used["Heading1"] != len(doc.Points) {
		t.Errorf("got %d placeholders, %d missing, %d points, want %d, %d, %d", used["Placeholder"], used["Missing"], used["Heading1"], doc.Open, doc.Missing, len(doc.Points))
	}
	if strings.ContainsAny(parts["word/document.xml"], "\u202e\x1b") {
		t.Error("the document holds characters that hide or turn text")
	}
}

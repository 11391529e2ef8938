package explorer_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"testing"

	parse "golang.org/x/net/html"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/report/explorer"
)

func tables(t *testing.T) *catalogue.Tables {
	t.Helper()
	c, err := catalogue.Open(catalogue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := explorer.Write(&b, tables(t)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// elements parses a page and gives its elements by name, with their attributes.
func elements(t *testing.T, b []byte) []*parse.Node {
	t.Helper()
	root, err := parse.Parse(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var all []*parse.Node
	for n := range root.Descendants() {
		if n.Type == parse.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attr(n *parse.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *parse.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == parse.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// The page loads nothing, leads nowhere outside, and the policy names its style and script.
func TestSelfContained(t *testing.T) {
	page := write(t)
	if len(page) > 1_500_000 {
		t.Errorf("the page has %d bytes, want at most 1.5 MB", len(page))
	}
	ids := map[string]int{}
	var links []string
	var style, script, policy string
	for _, n := range elements(t, page) {
		switch n.Data {
		case "img", "link", "iframe", "object", "form", "base", "svg":
			t.Errorf("the page holds <%s>", n.Data)
		case "style":
			style = text(n)
		case "script":
			script = text(n)
		case "meta":
			if attr(n, "http-equiv") != "" {
				policy = attr(n, "content")
			}
		}
		for _, a := range n.Attr {
			if a.Key == "src" || a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has an attribute %s", n.Data, a.Key)
			}
			if a.Key == "href" {
				links = append(links, a.Val)
			}
			if a.Key == "id" {
				ids[a.Val]++
			}
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d elements have the id %q", n, id)
		}
	}
	for _, l := range links {
		if target, ok := strings.CutPrefix(l, "#"); !ok || ids[target] == 0 {
			t.Errorf("the link %q leads nowhere within the page", l)
		}
	}
	sum := func(s string) string {
		d := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(d[:]) + "'"
	}
	want := "default-src 'none'; style-src " + sum(style) + "; script-src " + sum(script) + "; base-uri 'none'; form-action 'none'"
	if policy != want {
		t.Errorf("got policy %q, want %q", policy, want)
	}
	for _, bad := range []string{"http:", "fetch(", "import(", "innerHTML", "eval("} {
		if strings.Contains(script, bad) {
			t.Errorf("the script holds %q", bad)
		}
	}
}

// Every cell of the catalogue that is judged now is one row, every mark links to the
// first of its rows, and rows have as many cells as their head.
func TestMarks(t *testing.T) {
	c := tables(t)
	cells, err := c.Cells()
	if err != nil {
		t.Fatal(err)
	}
	rows, marks, linked := 0, map[string]int{}, 0
	for _, n := range elements(t, write(t)) {
		switch {
		case n.Data == "tr" && strings.HasPrefix(attr(n, "id"), "c"):
			rows++
			for child := range n.ChildNodes() {
				if child.Data == "td" && slices.Contains([]string{"x", "?", "–"}, text(child)) {
					marks[text(child)]++
				}
			}
		case n.Data == "a" && strings.HasPrefix(attr(n, "href"), "#c") && attr(n, "data-n") != "":
			k, err := strconv.Atoi(attr(n, "data-n"))
			if err != nil {
				t.Fatal(err)
			}
			linked += k
			if len(attr(n, "aria-label")) < 10 {
				t.Errorf("the mark %q has no label", attr(n, "href"))
			}
		}
	}
	want := map[string]int{}
	for _, c := range cells {
		switch c.Mark {
		case "":
			want["–"]++
		default:
			want[c.Mark]++
		}
	}
	if rows != len(cells) || linked != len(cells) {
		t.Errorf("got %d rows of marks and links to %d, want %d", rows, linked, len(cells))
	}
	for m, n := range want {
		if marks[m] < n {
			t.Errorf("got %d marks %q, want %d", marks[m], m, n)
		}
	}
}

// Tables are whole without the script: what it adds is hidden, heads have scopes and rows their cells.
func TestWithoutScript(t *testing.T) {
	head, hidden := 0, 0
	for _, n := range elements(t, write(t)) {
		switch n.Data {
		case "th":
			if attr(n, "scope") == "" {
				t.Error("a heading cell has no scope")
			}
		case "thead":
			head = 0
			for c := range n.Descendants() {
				if c.Type == parse.ElementNode && c.Data == "th" {
					head++
				}
			}
		case "tr":
			cells := 0
			for c := range n.ChildNodes() {
				if c.Data == "td" || c.Data == "th" {
					cells++
				}
			}
			if cells != head {
				t.Fatalf("a row has %d cells, its head %d: %.60q", cells, head, text(n))
			}
		case "div":
			for _, a := range n.Attr {
				if a.Key == "hidden" {
					hidden++
				}
			}
		case "button":
			if attr(n, "id") != "f-clear" {
				t.Error("a button stands outside the tools")
			}
		}
	}
	if hidden != 2 {
		t.Errorf("got %d hidden parts, want the tools and the note beside a mark", hidden)
	}
}

// A mark counts as measurable where one and the same judge says x and tells a
// method, a metric or a threshold; what a judge does not find covered has no kind.
func TestMeasures(t *testing.T) {
	c := tables(t)
	cells, err := c.Cells()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, k := range cells {
		if k.Mark == "x" && slices.Contains(catalogue.Measurable(), k.Kind) {
			want[k.Standard+" "+k.By+" "+k.Subject] = true
		}
	}
	got := 0
	for _, n := range elements(t, write(t)) {
		if n.Data == "a" && slices.Contains(strings.Fields(attr(n, "class")), "measures") {
			got++
		}
	}
	if got != len(want) || got == 0 {
		t.Errorf("got %d marks that measure, want %d", got, len(want))
	}
}

// Judged and computed gaps stand apart, and where judges differ it shows.
func TestContents(t *testing.T) {
	page := string(write(t))
	c := tables(t)
	gaps, err := c.Gaps()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(page, `<section id="judged"`)
	judged, rest, ok := strings.Cut(rest, `<section id="computed"`)
	computed, _, _ := strings.Cut(rest, "</section>")
	if !ok {
		t.Fatal("the page has no section of computed gaps behind the judged ones")
	}
	for _, g := range gaps {
		if !strings.Contains(judged, ">"+g.ID+"</th>") || strings.Contains(computed, g.ID) {
			t.Errorf("the gap %s does not stand among the judged ones alone", g.ID)
		}
	}
	if n := strings.Count(page, `class="differ`); n == 0 || !strings.Contains(page, "x ≠ ") {
		t.Errorf("got %d marks on which judges differ", n)
	}
}

func TestStable(t *testing.T) {
	if !bytes.Equal(write(t), write(t)) {
		t.Error("two writings differ")
	}
}

package html_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	parse "golang.org/x/net/html"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/html"
)

var update = flag.Bool("update", false, "write the golden files")

func write(t *testing.T, d *dossier.Dossier) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("%s differs (run with -update if that is meant), got -, want +:\n%s", name, diff)
	}
}

// The other reports are tested on the same dossier, which is kept as a file for them.
func TestGolden(t *testing.T) {
	d := filled()
	b, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "dossier.json", b)
	again, err := dossier.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.html", write(t, again))
	if diff := cmp.Diff(string(write(t, d)), string(write(t, again))); diff != "" {
		t.Errorf("the report of the dossier read back differs:\n%s", diff)
	}
}

// A page must hold nothing that loads, runs or leads anywhere.
func TestSelfContained(t *testing.T) {
	root, err := parse.Parse(bytes.NewReader(write(t, filled())))
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{}
	for name := range strings.FieldsSeq("html head meta title style body a header p h1 h2 h3 h4 h5 span dl div dt dd br strong em code nav ol ul li main section table thead tbody tr th td article svg desc path rect circle text figure figcaption details summary pre footer") {
		allowed[name] = true
	}
	ids, links := map[string]int{}, []string{}
	walk(root, func(n *parse.Node) {
		if n.Type != parse.ElementNode {
			return
		}
		if !allowed[n.Data] {
			t.Errorf("the page holds an element <%s>", n.Data)
		}
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				ids[a.Val]++
			case "href":
				links = append(links, a.Val)
			case "src", "style", "srcset", "action", "xlink:href", "ping", "background":
				t.Errorf("<%s> has an attribute %s", n.Data, a.Key)
			}
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has a handler %s", n.Data, a.Key)
			}
			if a.Key != "aria-label" && strings.Contains(a.Val, "evil") {
				t.Errorf("<%s %s> holds text of the target: %q", n.Data, a.Key, a.Val)
			}
		}
	})
	for id, n := range ids {
		if n != 1 {
			t.Errorf("%d elements have the id %q", n, id)
		}
	}
	if len(links) < 20 {
		t.Errorf("got %d links, want at least 20", len(links))
	}
	for _, link := range links {
		if target, ok := strings.CutPrefix(link, "#"); !ok || ids[target] == 0 {
			t.Errorf("link %q leads nowhere within the page", link)
		}
	}
}

// The policy names the style by its digest: a style that was changed on its way would be ignored.
func TestPolicyFitsStyle(t *testing.T) {
	root, err := parse.Parse(bytes.NewReader(write(t, filled())))
	if err != nil {
		t.Fatal(err)
	}
	var style, policy string
	walk(root, func(n *parse.Node) {
		switch n.Data {
		case "style":
			style = n.FirstChild.Data
		case "meta":
			if n.Attr[0].Val == "Content-Security-Policy" {
				policy = n.Attr[1].Val
			}
		}
	})
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	if policy != want {
		t.Errorf("got policy %q, want %q", policy, want)
	}
}

// Outside text nodes and labels nothing may name another place, and no
// character may hide or turn text.
func TestHostileText(t *testing.T) {
	page := string(write(t, filled()))
	for _, r := range []string{"\u202e", "\u2066", "\x1b", "\x07", "<script", "<img"} {
		if strings.Contains(page, r) {
			t.Errorf("the page holds %q", r)
		}
	}
	if !strings.Contains(page, `\u202egnp.exe\u2066 \u001b[31mred\u0007`) {
		t.Error("hostile characters are not shown as escapes")
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Error("markup of the target is not shown as text")
	}
}

// Tables must be readable by those who hear them, and every picture has a title and a description.
func TestAccessible(t *testing.T) {
	root, err := parse.Parse(bytes.NewReader(write(t, filled())))
	if err != nil {
		t.Fatal(err)
	}
	drawn, level := 0, 1
	walk(root, func(n *parse.Node) {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		switch {
		case n.Type != parse.ElementNode:
		case n.Data == "th" && attr["scope"] == "":
			t.Error("a heading cell has no scope")
		case n.Data == "svg" && attr["aria-hidden"] == "":
			drawn++
			var inside []string
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				if c.FirstChild != nil {
					inside = append(inside, c.Data)
				}
			}
			if len(inside) < 2 || inside[0] != "title" || inside[1] != "desc" || attr["role"] != "img" {
				t.Errorf("picture %s has no title and description", attr["class"])
			}
		case len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6':
			now := int(n.Data[1] - '0')
			if now > level+1 {
				t.Errorf("heading h%d follows h%d", now, level)
			}
			level = now
		}
	})
	if drawn < 15 {
		t.Errorf("got %d pictures, want at least 15", drawn)
	}
}

func walk(n *parse.Node, visit func(*parse.Node)) {
	visit(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

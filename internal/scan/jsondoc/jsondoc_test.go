package jsondoc_test

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan/jsondoc"
)

func limits() jsondoc.Limits { return jsondoc.Limits{Depth: 64, Keep: 1 << 20} }

// plain is a node as encoding/json would give it, the last of equal keys winning.
func plain(n *jsondoc.Node) any {
	switch n.Kind {
	case jsondoc.Null:
		return nil
	case jsondoc.Bool:
		return n.Text == "true"
	case jsondoc.Number:
		return json.Number(n.Text)
	case jsondoc.String:
		return n.Text
	case jsondoc.Array:
		list := []any{}
		for _, i := range n.Items {
			list = append(list, plain(i))
		}
		return list
	}
	m := map[string]any{}
	for i, k := range n.Keys {
		m[k] = plain(n.Items[i])
	}
	return m
}

// agree compares the tree with what encoding/json reads.
func agree(t *testing.T, text string) {
	t.Helper()
	var want any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	wantErr := d.Decode(&want)
	if wantErr == nil {
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			wantErr = errors.New("more behind the value")
		}
	}
	for name, in := range map[string]io.Reader{"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text))} {
		root, _, err := jsondoc.Parse(in, limits(), 1000)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%s, %.200q: error %v, want %v", name, text, err, wantErr)
		}
		if err == nil {
			if got := plain(root); !reflect.DeepEqual(got, want) { // cmp takes ages on deep lists
				t.Errorf("%s: %.200q gives %.200v, want %.200v", name, text, got, want)
			}
		}
	}
}

func texts() []string {
	return []string{
		`{}`, `[]`, ` [1, -2.5e+3,0,"a",null,true,false] `, `{"a":{"b":[{}]},"c":"\u00e9\n\ud83d\ude00\ud800x\/"}`, `"x"`, `12`, `{"a":1,"a":2}`,
		"", "[", `{"a"}`, `{"a":}`, `[1,]`, `{,}`, `[1 2]`, `01`, `1.`, `.5`, `1e`, `-`, `tru`, `"a`, "\"\n\"", `"\x"`, `"\u12g4"`, `{} {}`, `{"a":1}}`, `[}`, `{]`, `"\ud800\u0041"`, `"\ud800\n"`, `"\ud800\ud800\udc00"`,
	}
}

func TestAgree(t *testing.T) {
	for _, text := range texts() {
		agree(t, text)
	}
	long := `["` + strings.Repeat("ab\\n", 40_000) + `", ` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + "]"
	agree(t, long)
}

func TestDuplicates(t *testing.T) {
	root, twice, err := jsondoc.Parse(strings.NewReader(`{"a": 1, "b": {"a": 2}, "\u0061": 3}`), limits(), 10)
	if err != nil || root.Get("a").Text != "3" || root.Get("c") != nil || root.Get("a").String() != "" {
		t.Errorf("root %+v, error %v", root, err)
	}
	if diff := cmp.Diff(twice, []jsondoc.Duplicate{{Key: "a", Offset: 24}}); diff != "" {
		t.Errorf("keys that stand twice (-got +want):\n%s", diff)
	}
}

// TestLimits stops at depth, nodes, work and memory, and keeps the head of long strings.
func TestLimits(t *testing.T) {
	stop := errors.New("enough")
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	spend := limits()
	spend.Spend = func(int64) error { return stop }
	hold := limits()
	hold.Hold = func(n int64) error {
		if n > 0 {
			return stop
		}
		return nil
	}
	for name, test := range map[string]struct {
		text string
		lim  jsondoc.Limits
		want string
	}{
		"depth":  {deep, limits(), "deeper than 64"},
		"nodes":  {"[" + strings.Repeat("0,", 200) + "0]", limits(), "more than 100 values"},
		"spend":  {"[1]", spend, "enough"},
		"hold":   {`{"a":1}`, hold, "enough"},
		"digits": {strings.Repeat("1", 5000), limits(), "4096 digits"},
	} {
		if _, _, err := jsondoc.Parse(strings.NewReader(test.text), test.lim, 100); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
	lim := limits()
	lim.Keep = 4
	root, _, err := jsondoc.Parse(strings.NewReader(`"abcdefgh"`), lim, 1)
	if err != nil || root.Text != "abcd" || !root.Cut {
		t.Errorf("long string: %+v, %v", root, err)
	}
	s := jsondoc.NewScanner(strings.NewReader("{}  x"), limits())
	for range 2 {
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if at, err := s.Rest(); at != 4 || err != nil {
		t.Errorf("rest at %d, %v; want 4", at, err)
	}
}

// TestPythonNumbers takes what Python's writer makes of what is not finite.
func TestPythonNumbers(t *testing.T) {
	if root, _, err := jsondoc.Parse(strings.NewReader(`[NaN, Infinity, -Infinity]`), limits(), 10); err != nil || len(root.Items) != 3 {
		t.Errorf("got %+v, %v", root, err)
	}
}

// FuzzAgree: what encoding/json reads is read, and the same; the rest is refused.
func FuzzAgree(f *testing.F) {
	for _, text := range texts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, _, err := jsondoc.Parse(strings.NewReader(text), limits(), 1000)
		if err != nil || !utf8.ValidString(text) || strings.Contains(text, "NaN") || strings.Contains(text, "Infinity") {
			return
		}
		var want any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("%q is read; encoding/json says %v", text, err)
		}
		if got := plain(root); !reflect.DeepEqual(got, want) {
			t.Errorf("%q gives %v, want %v", text, got, want)
		}
	})
}

package planner_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/assize/assize/internal/planner"
)

// TestTheDocumentOfConditions compiles what docs/catalogue.md gives as examples
// and wants every fact in it that a condition can read.
func TestTheDocumentOfConditions(t *testing.T) {
	b, err := os.ReadFile("../../docs/catalogue.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	examples := regexp.MustCompile(`(?m)^ *applies: ([^#\n]+)`).FindAllStringSubmatch(text, -1)
	if len(examples) < 5 {
		t.Fatalf("found only the examples %q", examples)
	}
	for _, e := range examples {
		tg, c := conditional(t, strings.TrimSpace(e[1]))
		if _, err := planner.Make(tg, c, nil); err != nil {
			t.Errorf("%s: %v", e[1], err)
		}
	}
	tg, c := conditional(t, "nothing")
	_, err = planner.Make(tg, c, nil)
	if err == nil {
		t.Fatal("got no error")
	}
	_, hint, _ := strings.Cut(err.Error(), "it can read ")
	names := strings.Split(hint, ", ")
	if len(names) < 15 {
		t.Fatalf("found only the names %q", names)
	}
	for _, name := range names {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("it does not tell of %s", name)
		}
	}
}

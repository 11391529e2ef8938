package page_test

import (
	"strings"
	"testing"

	"github.com/assize/assize/internal/report/page"
)

// The digests are those of `printf %s TEXT | openssl dgst -sha256 -binary | base64`.
func TestPolicy(t *testing.T) {
	got := page.Policy("", "abc")
	want := "default-src 'none'; style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; script-src 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='; base-uri 'none'; form-action 'none'"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := page.Policy("x"); strings.Contains(got, "script-src") {
		t.Errorf("a page without a script names one: %q", got)
	}
}

// A page's own rules come last, so that they win, and nothing in the style reaches out.
func TestStyle(t *testing.T) {
	got := page.Style("p { color: red; }")
	if !strings.HasSuffix(got, "\np { color: red; }") {
		t.Errorf("the own rules do not come last: %q", got[len(got)-40:])
	}
	for _, out := range []string{"url(", "@import", "http"} {
		if strings.Contains(got, out) {
			t.Errorf("the style holds %q", out)
		}
	}
}

func TestVisible(t *testing.T) {
	if got, want := string(page.Visible([]byte("a\u202eb\nc\x1bd"))), "a\\u202eb\nc\\u001bd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

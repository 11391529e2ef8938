package catalogue_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
)

func signature(t testing.TB) (*catalogue.Signature, string) {
	t.Helper()
	s := catalogue.NewSignature(artefact.DigestBytes([]byte("tables")), "assize/x+00+AA")
	s.Signature = []byte{1, 2, 3}
	return s, string(must(s.Encode())(t))
}

func TestReadSignature(t *testing.T) {
	want, text := signature(t)
	got := must(catalogue.ReadSignature(strings.NewReader(text)))(t)
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("signature (-got +want):\n%s", diff)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "hint: "},
		{"cut off", text[:len(text)/2], "hint: "},
		{"bytes after", text + " ", "one form"},
		{"second object", text + text, "hint: "},
		{"other order", strings.Replace(text, `"format": 1,`, ``, 1), "format 0"},
		{"unknown field", strings.Replace(text, `"format": 1,`, `"format": 1, "by": "me",`, 1), "one form"},
		{"doubled field", strings.Replace(text, `"format": 1,`, `"format": 1, "format": 1,`, 1), "one form"},
		{"newer format", strings.Replace(text, `"format": 1`, `"format": 2`, 1), "format 2, this program reads 1"},
		{"no base64", strings.Replace(text, `"AQID"`, `"?"`, 1), "hint: "},
		{"long", strings.Repeat(" ", 5000) + text, "more than 4096 bytes"},
	} {
		if s, err := catalogue.ReadSignature(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %+v, %v, want %q", tt.name, s, err, tt.want)
		}
	}
}

func FuzzReadSignature(f *testing.F) {
	_, text := signature(f)
	f.Add([]byte(text))
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := catalogue.ReadSignature(bytes.NewReader(b))
		if err != nil {
			return
		}
		if again := must(s.Encode())(t); !bytes.Equal(again, b) {
			t.Errorf("read %q, and it is written %q", b, again)
		}
	})
}

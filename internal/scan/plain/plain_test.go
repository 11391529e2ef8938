package plain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/plain"
)

func TestText(t *testing.T) {
	long := strings.Repeat("ä text of two bytes a letter, ", 20_000)
	for _, c := range []struct {
		name, content string
		want          scan.Outcome
	}{
		{"text", "os.system is a function\n", scan.Clean},
		{"long", long, scan.Clean},
		{"cut", long + "\xc3", scan.Incomplete},
		{"binary", "text\x00more", scan.Incomplete},
		{"escape", "\x1b[31mred", scan.Incomplete},
		{"binary at the end", long + "\x00", scan.Incomplete},
	} {
		s := scan.Scanner{Formats: []scan.Format{plain.Text{}}, Budget: scan.DefaultBudget(), Now: time.Now}
		err := s.Reader(t.Context(), "f", strings.NewReader(c.content), int64(len(c.content)), func(r scan.FileReport) error {
			if r.Outcome != c.want {
				t.Errorf("%s: got %s, want %s: %+v", c.name, r.Outcome, c.want, r.Findings)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

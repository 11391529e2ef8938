package instructions_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/instructions"
)

func write(t *testing.T, change func(*dossier.Dossier)) string {
	t.Helper()
	d, err := dossier.Read("../html/testdata")
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(d)
	}
	var b bytes.Buffer
	if err := instructions.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), "\u202f", " ")
}

func section(t *testing.T, text, title string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n## "+title+"\n")
	if !ok {
		t.Fatalf("no section %q in\n%s", title, text)
	}
	body, _, _ := strings.Cut(rest, "\n## ")
	return body
}

// TestLevels holds where each measured level stands, with its interval, and
// that runs without the deployed solutions are circumstances, not levels.
func TestLevels(t *testing.T) {
	text := write(t, nil)
	for title, want := range map[string][]string{
		"Accuracy":                     {"| balanced accuracy | 69.3 % | \\[64.0 %, 74.7 %\\] | 250 |", "at least 65 %: inconclusive (set by the provider)"},
		"Robustness and cybersecurity": {"| robust accuracy | 38.8 % | \\[34.9 %, 42.8 %\\] | 600 |", "at least 45 %: fail (set by the provider)", "| crashes | 0 | counted | 61 |"},
		"Circumstances that change these levels": {"Without range-check: stands, evasion/hopskipjump, is 66.5 % rather than 75.9 %, a difference of −9.4 pp between −14.9 pp and −4.1 pp on 200 rows.",
			"epsilon 1, norm linf", "To be added by the provider"},
		"Not tested": {"the worker was ended after 600 s"},
	} {
		got := section(t, text, title)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s lacks %q:\n%s", title, w, got)
			}
		}
	}
	if got := section(t, text, "Robustness and cybersecurity"); strings.Contains(got, "34.1 %") || strings.Contains(got, "| refused |") || strings.Contains(got, "balanced") {
		t.Errorf("a run without the solutions, a count that nothing reads, or accuracy stands among the levels:\n%s", got)
	}
	if got := section(t, text, "Accuracy"); strings.Contains(got, "robust accuracy") {
		t.Errorf("robust accuracy stands under accuracy:\n%s", got)
	}
	if strings.Contains(text, "<script>") {
		t.Error("text of the target was not escaped")
	}
}

func TestNothingMeasured(t *testing.T) {
	text := write(t, func(d *dossier.Dossier) { d.Observations, d.Interrupted = nil, true })
	for _, title := range []string{"Accuracy", "Robustness and cybersecurity"} {
		if got := section(t, text, title); !strings.Contains(got, "Nothing of it was measured.") {
			t.Errorf("%s: %s", title, got)
		}
	}
	if !strings.Contains(text, "interrupted") {
		t.Error("an interrupted run is not said")
	}
}

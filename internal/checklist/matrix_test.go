package checklist_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/checklist"
	"github.com/assize/assize/internal/dossier"
)

// TestMatrix places the recorded dossier's solutions: 6 classes by 5 functions.
func TestMatrix(t *testing.T) {
	known, err := tables(t).Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	m := checklist.MakeMatrix(recorded(t), known, today)
	type place struct {
		Solution string
		Decision dossier.Verdict
		Effects  int
		Expired  bool
	}
	got := map[string][]place{}
	threats := map[string]bool{}
	for _, row := range m.Rows {
		if len(row.Threats) == 0 || len(row.Goals) == 0 || len(row.Cells) != 5 {
			t.Errorf("%s: threats %q, goals %q, %d cells", row.Class, row.Threats, row.Goals, len(row.Cells))
		}
		for _, id := range row.Threats {
			threats[id] = true
		}
		for i, c := range row.Cells {
			if c.Function != checklist.Functions()[i] {
				t.Errorf("%s: cell %d is %s", row.Class, i, c.Function)
			}
			if c.Because == "" || (c.Solutions == nil) != (c.Decision == "") {
				t.Errorf("%s %s: decision %q because %q with %d solutions", row.Class, c.Function, c.Decision, c.Because, len(c.Solutions))
			}
			for _, s := range c.Solutions {
				if s.Known == "" {
					t.Errorf("%s %s %s: nothing said", row.Class, c.Function, s.Solution.Name)
				}
				key := row.Class + "/" + c.Function
				got[key] = append(got[key], place{s.Solution.Name, c.Decision, len(s.Effects), s.Expired})
			}
		}
	}
	want := map[string][]place{
		"data poisoning/detect":                         {{"data-review", dossier.NotAssessed, 0, true}},
		"adversarial examples or model evasion/prevent": {{"range-check", dossier.Fail, 1, false}},
		"adversarial examples or model evasion/control": {{"second-look", dossier.Fail, 0, false}},
		"confidentiality attacks/prevent":               {{"two-digits", dossier.NotApplicable, 0, false}},
		"denial of service/prevent":                     {{"range-check", dossier.Pass, 0, false}},
	}
	// The recorded dossier says nothing of the goal's verdict where it has no such goal.
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("matrix (-got +want):\n%s", diff)
	}
	for _, th := range known.Threats {
		if !threats[th.ID] && th.ID != "unnoticed-failure" { // which is no attack: Art. 12 and 14 answer it, not 15(5)
			t.Errorf("threat %s is in no class", th.ID)
		}
	}
	evasion := m.Rows[slices.IndexFunc(m.Rows, func(r checklist.MatrixRow) bool { return strings.Contains(r.Class, "evasion") })]
	if known := evasion.Cells[0].Solutions[0].Known; !strings.Contains(known, "difference +0.094 [0.041, 0.149], n 200") {
		t.Errorf("effect is told as %q", known)
	}
}

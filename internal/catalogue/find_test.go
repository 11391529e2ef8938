package catalogue_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/catalogue"
)

func TestStandardsAreFoundHoweverTheyAreTyped(t *testing.T) {
	tables := open(t)
	for query, want := range map[string]string{
		"iso-iec-22989": "iso-iec-22989", "iso 22989": "iso-iec-22989", "ISO/IEC22989:2022": "iso-iec-22989", "22989": "iso-iec-22989", "EN ISO/IEC 22989:2023": "iso-iec-22989",
		"prEN 18282": "pren-18282", "pren18282": "pren-18282", "18282": "pren-18282",
		"DTR/MTS-103910": "etsi-tr-103-910", "dtr mts 103910": "etsi-tr-103-910", "RTS/SAI-005": "etsi-ts-104-050", "GR SAI 001": "etsi-ts-104-050", "DGR/SAI-003": "etsi-tr-104-066",
		"103910": "etsi-tr-103-910", "TR 103 910 V1.1.1": "etsi-tr-103-910", "303 645": "etsi-en-303-645", "en304223": "etsi-en-304-223",
		"5259": "iso-iec-5259", "5259-2": "iso-iec-5259-2", "ISO/IEC CD 5259-2": "iso-iec-5259-2", "ISO/IEC AWI TS 29119-11": "iso-iec-42119-2", "AWI TS 5471": "iso-iec-25058",
		"27001": "iso-iec-27001", "ISO/IEC 27001:2013": "iso-iec-27001", "27001:2013/Cor 1": "iso-iec-27001-cor-1", "ISO/IEC 9001": "iso-9001",
		"A3-11": "pren-18229", "a4-18": "etsi-ts-102-165-1", "TVRA": "etsi-ts-102-165-1", "AI Act": "eu-2024-1689", "CRA": "eu-2024-2847", "eucc": "eucc",
	} {
		got, err := tables.Standard(query)
		if err != nil && want != "" || got.ID != want {
			t.Errorf("%q: got %q, %v, want %q", query, got.ID, err, want)
		}
	}
}

func TestWhatIsNotFoundIsSuggested(t *testing.T) {
	tables := open(t)
	for query, want := range map[string]string{
		"22998": "ISO/IEC 22989", "iso 24029": "ISO/IEC 24029-2", "formal methods": "ISO/IEC 24029-2", "prEN 18229-6": "prEN 18229-1", "EUCX": "EUCC",
	} {
		_, err := tables.Standard(query)
		var missing *catalogue.NotFoundError
		if !errors.As(err, &missing) || !slices.Contains(missing.Suggestions, want) {
			t.Errorf("%q: got %v, want %q suggested", query, err, want)
		}
	}
	for _, query := range []string{"", "   ", "-", strings.Repeat("9", 100000)} {
		if s, err := tables.Standard(query); err == nil {
			t.Errorf("%.20q: got %s", query, s.ID)
		}
	}
}

// TestEveryDesignationFindsItsStandard types every name and number that the
// tables hold.
func TestEveryDesignationFindsItsStandard(t *testing.T) {
	tables := open(t)
	for _, s := range must(tables.Standards())(t) {
		for _, name := range slices.Concat([]string{s.ID, s.Designation, strings.ToUpper(s.Designation)}, s.Also, s.WorkItems) {
			if got, err := tables.Standard(name); err != nil || got.ID != s.ID {
				t.Errorf("%q: got %q, %v, want %q", name, got.ID, err, s.ID)
			}
		}
	}
	for _, e := range must(tables.Entries())(t) {
		if got, err := tables.Standard(e.ID); err != nil || got.ID != e.Standards[0] {
			t.Errorf("%s: got %q, %v", e.ID, got.ID, err)
		}
	}
}

func TestRequirementsByArticle(t *testing.T) {
	tables := open(t)
	for _, tt := range []struct {
		framework, article string
		want               int
		first              string
	}{
		{"ai-act", "15(5)", 7, "AIA-15.5a"}, {"AI Act", "Art. 15(5)", 7, "AIA-15.5a"}, {"", "AIA-15.5c4", 1, "AIA-15.5c4"},
		{"ai-act", "Annex IV", 23, "AIA-IV.1a"}, {"en 304 223", "5.2.2", 6, "5.2.2-1"}, {"en-304-223", "5.2.2-1", 1, "5.2.2-1"},
		{"cra", "", 22, "CRA-I.1"}, {"enisa-2023", "", 8, "T3-01"}, {"", "", 288, "AIA-6.1a"},
	} {
		got, err := tables.FindRequirements(tt.framework, tt.article)
		if err != nil || len(got) != tt.want || got[0].ID != tt.first {
			t.Errorf("%q %q: got %d, %v, want %d from %s", tt.framework, tt.article, len(got), err, tt.want, tt.first)
		}
	}
	_, err := tables.FindRequirements("gdpr", "")
	var missing *catalogue.NotFoundError
	if !errors.As(err, &missing) || len(missing.Suggestions) != 4 {
		t.Errorf("got %v, want the four frameworks", err)
	}
}

func TestThreatsByAnyName(t *testing.T) {
	tables := open(t)
	for query, want := range map[string][]string{
		"evasion": {"evasion"}, "AML.T0015": {"evasion"}, "NISTAML.022": {"evasion"}, "TH1": {"evasion"},
		"Oracle": {"oracle"}, "AML.T0024.000": {"oracle"}, "Poisoning": {"data-poisoning", "model-poisoning"},
		"sponge": {"denial-of-service"}, "T1-02": {"model-disclosure"}, "Model Disclosure": {"model-disclosure"}, "airesourceexhaustion": {"denial-of-service"},
	} {
		found, err := tables.Threat(query)
		if err != nil {
			t.Errorf("%q: %v", query, err)
			continue
		}
		var got []string
		for _, o := range found.Threats {
			got = append(got, o.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"", "no such threat"} {
		if _, err := tables.Threat(query); err == nil {
			t.Errorf("%q: found", query)
		}
	}
}

func TestCrosswalksRunBothWays(t *testing.T) {
	tables := open(t)
	there := must(tables.Crosswalk("enisa-table1", "nist-ai-100-2"))(t)
	back := must(tables.Crosswalk("NIST AI 100-2 E2025", "enisa-table1"))(t)
	if len(there) != 18 || len(back) != 18 {
		t.Fatalf("got %d and %d links, want 18 each", len(there), len(back))
	}
	turned := map[string]string{"broader": "narrower", "narrower": "broader", "equal": "equal", "related": "related"}
	for i := range there {
		if back[i].From != there[i].To || back[i].To != there[i].From || back[i].Relation != turned[there[i].Relation] {
			t.Errorf("got %+v for %+v", back[i], there[i])
		}
	}
	if got := must(tables.Crosswalk("", ""))(t); len(got) != 571 {
		t.Errorf("got %d links, want all 571", len(got))
	}
	if _, err := tables.Crosswalk("nist-csf", ""); err == nil {
		t.Error("an unknown scheme was taken")
	}
}

func FuzzStandard(f *testing.F) {
	tables := open(f)
	for _, s := range []string{"iso 22989", "ISO/IEC 27001:2013/Cor 1:2014", "1 2 3 4", "\xff:2022"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		_, err := tables.Standard(query)
		var missing *catalogue.NotFoundError
		if err != nil && (!errors.As(err, &missing) || len(missing.Suggestions) > 8) {
			t.Errorf("%q: %v", query, err)
		}
	})
}

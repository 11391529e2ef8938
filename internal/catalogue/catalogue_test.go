package catalogue_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/catalogue"
)

func load(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheCatalogueIsWithoutFault(t *testing.T) {
	for _, fault := range load(t).Lint() {
		t.Error(fault)
	}
}

func TestLintFindsWhatIsBroken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		wound func(*catalogue.Catalogue)
		want  string
	}{
		{"goal dropped", func(c *catalogue.Catalogue) { c.Goals = c.Goals[1:] }, `unknown goal "parity"`},
		{"threat dropped", func(c *catalogue.Catalogue) { c.Threats = c.Threats[1:] }, `unknown threat "evasion"`},
		{"orphan threat", func(c *catalogue.Catalogue) { c.Threats = append(c.Threats, catalogue.Threat{ID: "x"}) }, "no goal answers it"},
		{"doubled id", func(c *catalogue.Catalogue) { c.Criteria = append(c.Criteria, c.Criteria[0]) }, "doubled id"},
		{"comparison", func(c *catalogue.Catalogue) { c.Criteria[0].Compare = "is" }, `compare "is"`},
		{"who set it", func(c *catalogue.Catalogue) { c.Criteria[0].SetBy = "me" }, `set_by "me"`},
		{"level missing", func(c *catalogue.Catalogue) { delete(c.Criteria[1].Level, "quick") }, "no level for depth quick"},
		{"no version", func(c *catalogue.Catalogue) { c.Criteria[0].Version = 0 }, `criteria.yaml:12: criterion "declared/agreement": version 0`},
		{"no source", func(c *catalogue.Catalogue) { c.Criteria[0].Source = "" }, "no source"},
		{"certain", func(c *catalogue.Catalogue) { c.Criteria[0].Confidence = 1 }, "confidence 1: from 0.5"},
		{"level of no depth", func(c *catalogue.Catalogue) { c.Criteria[1].Level["deep"] = 1 }, "level deep: 1"},
		{"goal without threat", func(c *catalogue.Catalogue) { c.Goals[0].Threats = nil }, "without a threat"},
		{"solution without goal", func(c *catalogue.Catalogue) { c.Solutions[0].Goals = nil }, "0 goals"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := load(t)
			tt.wound(c)
			got := c.Lint()
			if !slices.ContainsFunc(got, func(f string) bool { return strings.Contains(f, tt.want) }) {
				t.Errorf("got %q, want a fault with %q", got, tt.want)
			}
		})
	}
}

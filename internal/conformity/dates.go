package conformity

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assize/assize/internal/catalogue"
)

// Due is a date of the catalogue that concerns a target.
type Due struct {
	catalogue.Date
	// When is that it applies already or in how many days it does.
	When string `json:"when"`
	// If is the condition under which it concerns the target; empty is always.
	If string `json:"if"`
	// Decides marks the dates from which the requirements of a class apply.
	Decides    bool   `json:"decides"`
	Confidence string `json:"confidence"`
}

// reach says whom a date concerns, by the provision that sets it.
type reach struct {
	classes   []Class
	condition string
}

// reaches says whom the dates of the catalogue concern. A date that is not in
// it is shown to everybody, so that a user's own date is not lost.
func reaches() map[string]reach {
	highRisk := []Class{AnnexIII, AnnexI}
	undecided := []Class{NotHighRisk, Untold}
	all := slices.Concat(highRisk, undecided)
	return map[string]reach{
		"Art. 113(c)(i)":                         {[]Class{AnnexIII, Untold, NotHighRisk}, ""},
		"Art. 113(c)(ii)":                        {[]Class{AnnexI, Untold, NotHighRisk}, ""},
		"Art. 113":                               {all, ""},
		"Art. 113(a)":                            {all, ""},
		"Art. 72(3)":                             {highRisk, ""},
		"Art. 43(3)":                             {[]Class{AnnexI}, ""},
		"Art. 111(2)":                            {highRisk, "it is for public authorities and on the market already"},
		"Art. 111(1)":                            {[]Class{AnnexIII}, "it is a component of a large-scale IT system of Annex X"},
		"CRA Art. 71":                            {all, "it is also a product with digital elements under the CRA"},
		"Art. 113(a); Art. 111(4)":               {all, ""},
		"Art. 111(3); Art. 57(1)":                {nil, ""},
		"Art. 113(b)":                            {nil, ""},
		"OJ L, 2026/1744":                        {nil, ""},
		"2026/1744 Art. 4; Art. 113(d)":          {nil, ""},
		"as reported by a public GitHub project": {highRisk, "harmonised standards are waited for"},
	}
}

// datesFor lists the dates that concern a class, the ones that decide first:
// those from which its requirements apply, then the others by date.
func datesFor(t *catalogue.Tables, class Class, today time.Time) ([]Due, error) {
	dates, err := t.Dates()
	if err != nil {
		return nil, err
	}
	about, err := t.About()
	if err != nil {
		return nil, err
	}
	confidence := ""
	for _, a := range about {
		if a.Name == "dates.csv" {
			confidence = a.Confidence
		}
	}
	known := reaches()
	var first, rest []Due
	for _, d := range dates {
		to, placed := known[d.Reference]
		if placed && !slices.Contains(to.classes, class) {
			continue
		}
		due := Due{Date: d, If: to.condition, Confidence: confidence}
		if due.When, err = when(d.Date, today); err != nil {
			return nil, err
		}
		if !placed {
			due.If = "it concerns the target: the program does not know whom this date reaches"
		}
		if strings.HasPrefix(d.Reference, "Art. 113(c)") {
			if class == NotHighRisk || class == Untold {
				due.If = "it is high-risk after all"
			}
			due.Decides = true
			first = append(first, due)
			continue
		}
		rest = append(rest, due)
	}
	return append(first, rest...), nil
}

// when says how a date stands to today.
func when(date string, today time.Time) (string, error) {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return "", fmt.Errorf("read catalogue: dates.csv: %w", err)
	}
	days := int(at.Sub(today.UTC().Truncate(24*time.Hour)).Hours() / 24)
	switch {
	case days > 1:
		return fmt.Sprintf("in %d days", days), nil
	case days == 1:
		return "tomorrow", nil
	case days == 0:
		return "today", nil
	}
	return "passed", nil
}

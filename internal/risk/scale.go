package risk

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/catalogue"
)

// Answer is what a person rated of one threat. Values are those of the
// catalogue's table of ratings (Choices).
type Answer struct {
	Line      int // of the file
	Threat    string
	Impact    string // on the asset
	Intensity string // how many instances of the attack at once
	Potential string // attack potential that is needed, before measures
	With      string // attack potential that is needed against the measures; "" not rated
	By, Date  string
	Reason    string
}

// Rating is likelihood times impact. Its numbers are the catalogue's.
type Rating struct {
	Likelihood int    `json:"likelihood"`
	Impact     int    `json:"impact"`
	Class      string `json:"class"` // minor, major or critical
	// Confidence is that of the weakest number that it was made with.
	Confidence string `json:"confidence"`
	By         string `json:"by"`
	Date       string `json:"date"`
	Reason     string `json:"reason"`
}

// risk is the product; 0 where nobody rated.
func (r *Rating) risk() int {
	if r == nil {
		return 0
	}
	return r.Likelihood * r.Impact
}

// String says the rating with its numbers and how sure they are.
func (r *Rating) String() string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%s (%d x %d = %d, numbers %s)", r.Class, r.Likelihood, r.Impact, r.risk(), r.Confidence)
}

// The names under which the table of ratings holds the scale of ETSI TS 102 165-1.
const (
	assetImpact = "asset impact"
	intensity   = "attack intensity"
	likelihood  = "attack potential needed to likelihood"
	combined    = "resulting impact = asset impact + intensity, capped at 3"
	classes     = "risk = likelihood x impact"
)

// scale is the rows of the table by name.
type scale map[string][]catalogue.Rating

func readScale(t *catalogue.Tables) (scale, error) {
	all, err := t.Ratings()
	if err != nil {
		return nil, err
	}
	s := scale{}
	for _, r := range all {
		if r.Scheme == "tvra" {
			s[r.Name] = append(s[r.Name], r)
		}
	}
	for _, name := range []string{assetImpact, intensity, likelihood, combined, classes} {
		if s[name] == nil {
			return nil, fmt.Errorf("read catalogue: ratings.csv has no %q", name)
		}
	}
	return s, nil
}

// Choices are the values that a person can give, by column of the answers.
func Choices(t *catalogue.Tables) (map[string][]string, error) {
	s, err := readScale(t)
	if err != nil {
		return nil, err
	}
	values := func(name string) []string {
		var all []string
		for _, r := range s[name] {
			all = append(all, r.Value)
		}
		return all
	}
	return map[string][]string{
		"asset_impact": values(assetImpact), "intensity": values(intensity),
		"potential": values(likelihood), "potential_with_measures": values(likelihood),
	}, nil
}

var inBrackets = regexp.MustCompile(`\((\d+)\)`)

// rate turns an answer into the rating before measures, and with them where the
// person gave one.
func (s scale) rate(a Answer) (before, after *Rating, err error) {
	sure := "stored"
	pick := func(name, value string) catalogue.Rating {
		i := slices.IndexFunc(s[name], func(r catalogue.Rating) bool { return r.Value == value })
		if i < 0 {
			err = fmt.Errorf("rate threat %q: %s has no value %q", a.Threat, name, value)
			return catalogue.Rating{}
		}
		if s[name][i].Confidence != "stored" {
			sure = s[name][i].Confidence
		}
		return s[name][i]
	}
	number := func(text string) int {
		if m := inBrackets.FindStringSubmatch(text); m != nil {
			text = m[1]
		}
		n, bad := strconv.Atoi(text)
		if bad != nil && err == nil {
			err = fmt.Errorf("rate threat %q: the catalogue's result %q is no number", a.Threat, text)
		}
		return n
	}
	impact := number(pick(assetImpact, a.Impact).Result) + number(pick(intensity, a.Intensity).Result)
	for _, r := range s[combined] { // "3 or more" caps
		if least, ok := strings.CutSuffix(r.Value, " or more"); ok && err == nil {
			impact = min(impact, number(least))
		}
		sure = weaker(sure, r.Confidence)
	}
	at := func(potential string) *Rating {
		r := &Rating{Likelihood: number(pick(likelihood, potential).Result), Impact: impact, By: a.By, Date: a.Date, Reason: a.Reason}
		for _, band := range s[classes] {
			low, high, ok := strings.Cut(band.Value, "-")
			if ok && err == nil && number(low) <= r.risk() && r.risk() <= number(high) {
				r.Class, sure = band.Result, weaker(sure, band.Confidence)
			}
		}
		if r.Class == "" && err == nil {
			err = fmt.Errorf("rate threat %q: the catalogue has no class of risk for %d", a.Threat, r.risk())
		}
		r.Confidence = sure
		return r
	}
	before = at(a.Potential)
	if a.With != "" {
		after = at(a.With)
	}
	if err != nil {
		return nil, nil, err
	}
	return before, after, nil
}

func weaker(a, b string) string {
	if b != "stored" {
		return b
	}
	return a
}

package conformity

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
)

// Classification is where the AI Act puts a target, with the reasons.
type Classification struct {
	Class    Class     `json:"class"`
	Purpose  string    `json:"purpose"` // as declared; empty where it is not
	Findings []Finding `json:"findings"`
}

// Classify holds Art. 6 and Annexes I and III of the AI Act against what the
// provider declares. It reads no meaning into the intended purpose: whether
// that is the declared use is left open for a person. The error is a
// *PointError where the declared point of Annex III does not exist.
func Classify(t *catalogue.Tables, target manifest.Target) (*Classification, error) {
	l, err := read(t)
	if err != nil {
		return nil, err
	}
	c := &Classification{Class: ClassOf(target.Classification), Purpose: target.IntendedPurpose}
	add := func(f ...Finding) { c.Findings = append(c.Findings, f...) }
	place := target.Classification
	switch {
	case place == nil:
		add(l.item("AIA-6.2", "class", Open, Nobody, "not declared: nothing says whether the system is high-risk; set target.classification in the manifest"))
	case place.AnnexIII != "":
		uses, err := usesAt(t, place.AnnexIII)
		if err != nil {
			return nil, err
		}
		add(l.rule("CR-13", "class", Yes, Declared, "high-risk by Annex III, as declared: %s", described(uses)))
		if len(uses) > 1 {
			add(l.item("AIA-6.2", "which use", Open, Nobody, "point %s holds %d uses; the manifest does not say which", place.AnnexIII, len(uses)))
		}
		add(l.item("AIA-6.2", "intended purpose", Open, Nobody, "must be true: %s is that use", purpose(target)))
	case place.AnnexI != "":
		add(l.annexI(place)...)
	default:
		add(l.item("AIA-6.2", "class", No, Declared, "not high-risk, as declared, because: %s", place.None))
	}
	if place == nil || place.AnnexIII == "" {
		uses, err := t.Uses()
		if err != nil {
			return nil, err
		}
		add(l.rule("CR-13", "Annex III", Open, Nobody, "must be true to stay out: %s is none of the %d uses in the areas %s", purpose(target), len(uses), strings.Join(areas(uses), ", ")))
	}
	add(l.exception(place)...)
	if place == nil || place.AnnexI == "" {
		add(l.outsideAnnexI()...)
	}
	add(l.rule("CR-22", "cyber risk", No, Table, "plays no part in the class: %s", l.rules["CR-22"].Result))
	return c, l.err
}

// annexI says what Art. 6(1) asks of a product under Annex I.
func (l *law) annexI(place *manifest.Classification) []Finding {
	var f []Finding
	if place.ThirdParty {
		f = append(f, l.rule("CR-12", "class", Yes, Declared, "high-risk by Annex I, as declared: %s, which asks for an assessment by a third party", place.AnnexI))
	} else {
		f = append(f, l.rule("CR-12", "class", No, Declared, "not high-risk by Annex I, as declared: %s, without an assessment by a third party there; both are needed", place.AnnexI))
	}
	return append(f,
		l.item("AIA-6.1a", "act of Annex I", Open, Nobody, "must be true: %s is listed in Annex I, and the system is a product under it or a safety component of one", place.AnnexI),
		l.item("AIA-6.1b", "third party", Open, Nobody, "must be true: that act asks for a third party's assessment of this product: declared %s", map[bool]string{true: "yes", false: "no"}[place.ThirdParty]),
		l.item("AIA-6.1-1c", "third party's risks", Open, Nobody, "%s", l.items["AIA-6.1-1c"].Text),
		l.item("AIA-6.1-1a", "safety component", Open, Nobody, "%s", l.items["AIA-6.1-1a"].Text),
		l.item("AIA-6.1-1b", "safety after all", Open, Nobody, "%s", l.items["AIA-6.1-1b"].Text),
	)
}

// exception says what Art. 6(3) and (4) ask of who relies on the exception, and
// of who should not.
func (l *law) exception(place *manifest.Classification) []Finding {
	if place != nil && place.AnnexI != "" {
		return nil
	}
	profiling := l.item("AIA-6.3p", "profiling", Open, Nobody, "the manifest does not say whether the system profiles natural persons; if it does and its use is in Annex III, no exception holds")
	claim := l.item("AIA-6.3", "exception of Art. 6(3)", No, Declared, "not claimed. To claim it all of this must be true: %s", lower(l.items["AIA-6.3"].Text))
	record := l.rule("CR-14", "exception's documents", No, Follows, "due only where the exception is claimed: %s", l.rules["CR-14"].Result)
	if place == nil || place.None != "" {
		claim.Answer, claim.Basis = Open, Nobody
		claim.Text = "needed only where the use is in Annex III after all; then must be true: " + lower(l.items["AIA-6.3"].Text)
		record.Answer, record.Basis = Open, Nobody
		record.Text = "if the exception is what keeps the system out: " + l.rules["CR-14"].Result
	}
	return []Finding{profiling, claim, record}
}

// outsideAnnexI says what must be true where no act of Annex I is declared.
func (l *law) outsideAnnexI() []Finding {
	return []Finding{
		l.rule("CR-12", "Annex I", Open, Nobody, "no act is declared; must be true to stay out: the system is no product under Annex I and no safety component of one, or no third party has to assess that product"),
		l.item("AIA-6.1-1b", "safety component", Open, Nobody, "%s", l.items["AIA-6.1-1b"].Text),
	}
}

func purpose(t manifest.Target) string {
	if t.IntendedPurpose == "" {
		return "the intended purpose, which is not declared,"
	}
	return fmt.Sprintf("the intended purpose %q", t.IntendedPurpose)
}

// lower takes the capital from the first letter of a sentence.
func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

package conformity

import (
	"fmt"
	"strings"
	"time"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
)

// Route is the conformity assessment that is due, what can give a presumption
// of conformity, what follows, and the dates.
type Route struct {
	Class    Class     `json:"class"`
	Findings []Finding `json:"findings"`
	Dates    []Due     `json:"dates"`
}

// FindRoute says which conformity assessment the AI Act asks for (Art. 43,
// Annexes VI and VII), which presumptions are open (Art. 40 to 42, CRA Art. 12)
// and which dates apply, counted from today. The error is a *PointError where
// the declared point of Annex III does not exist.
func FindRoute(t *catalogue.Tables, target manifest.Target, today time.Time) (*Route, error) {
	l, err := read(t)
	if err != nil {
		return nil, err
	}
	r := &Route{Class: ClassOf(target.Classification)}
	add := func(f ...Finding) { r.Findings = append(r.Findings, f...) }
	cited, projects, err := citations(t)
	if err != nil {
		return nil, err
	}
	switch r.Class {
	case AnnexIII:
		uses, err := usesAt(t, target.Classification.AnnexIII)
		if err != nil {
			return nil, err
		}
		add(l.annexIII(uses, cited)...)
	case AnnexI:
		add(l.rule("CR-04", "procedure", Yes, Follows, "that of %s: %s", target.Classification.AnnexI, l.rules["CR-04"].Result))
		add(Finding{"section of Annex I", Open, "must be true: the act stands in Section A; for acts of Section B the Act leaves the requirements to their own rules", Nobody, "", "AI Act Art. 2(2)", "own-knowledge"})
	case NotHighRisk:
		add(l.item("AIA-6.2", "procedure", No, Follows, "none: Art. 43 speaks of high-risk systems, and this one is declared not to be one; see assize classify for what must be true"))
		if target.Classification.None != "" {
			add(l.rule("CR-14", "exception of Art. 6(3)", Open, Nobody, "if an exception is what keeps it out: %s", l.rules["CR-14"].Result))
		}
	case Untold:
		add(l.item("AIA-6.2", "procedure", Open, Nobody, "unknown until target.classification is declared in the manifest"))
	}
	if r.Class == AnnexIII || r.Class == AnnexI {
		presumed, err := l.presumptions(t, cited, projects)
		if err != nil {
			return nil, err
		}
		add(presumed...)
		add(l.after(r.Class, target)...)
	}
	if r.Dates, err = datesFor(t, r.Class, today); err != nil {
		return nil, err
	}
	return r, l.err
}

// annexIII says what Art. 43(1) and (2) ask for the uses of the declared point.
func (l *law) annexIII(uses []catalogue.HighRisk, cited []string) []Finding {
	var f []Finding
	if strings.HasPrefix(uses[0].Point, "1") {
		if len(cited) == 0 {
			f = append(f, l.rule("CR-02", "procedure", Yes, Follows, "%s, as long as no harmonised standard is cited and no common specification is applied in full: the catalogue knows of none", lower(l.rules["CR-02"].Result)))
		} else {
			f = append(f, l.rule("CR-02", "procedure", Open, Nobody, "%s unless the cited standards (%s) are applied in full", l.rules["CR-02"].Result, strings.Join(cited, ", ")))
		}
		f = append(f, l.rule("CR-01", "choice of procedure", Open, Nobody, "only where such a standard or specification is applied in full: %s", l.rules["CR-01"].Result))
	} else {
		f = append(f, l.rule("CR-03", "procedure", Yes, Follows, "%s; declared: %s", l.rules["CR-03"].Result, described(uses)))
	}
	registered := map[string]bool{}
	for _, u := range uses {
		if !registered[u.Registration] {
			f = append(f, l.table("uses.csv", "registration", Yes, Follows, "%s", u.Registration))
		}
		registered[u.Registration] = true
	}
	return f
}

// presumptions says what would presume conformity, and whether that exists today.
func (l *law) presumptions(t *catalogue.Tables, cited []string, projects int) ([]Finding, error) {
	schemes, err := t.Schemes()
	if err != nil {
		return nil, err
	}
	standards := l.rule("CR-07", "harmonised standards", No, Table, "no reference in the Official Journal is known for any of the %d standards that the catalogue ties to articles of the Act; when one is cited: presumption for the requirements it covers", projects)
	if len(cited) > 0 {
		standards.Answer, standards.Basis = Open, Nobody
		standards.Text = "cited in the Official Journal: " + strings.Join(cited, ", ") + "; nobody said whether they are applied"
	}
	scheme := l.rule("CR-10", "CSA certificate", No, Table, "%s; the catalogue holds no scheme for AI", l.rules["CR-10"].Result)
	for _, s := range schemes {
		if s.ID != "ai" {
			continue
		}
		scheme.Text = fmt.Sprintf("no scheme for AI to be certified under: %s is %s (%s)", strings.ToLower(s.Title[:1])+s.Title[1:], s.State, s.Basis)
		if s.State == "adopted" {
			scheme.Answer, scheme.Basis = Open, Nobody
			scheme.Text = "a scheme for AI is adopted; nobody said whether the system holds a certificate, nor whether the scheme is cited in the Official Journal"
		}
	}
	return []Finding{
		standards,
		l.rule("CR-08", "common specifications", Open, Nobody, "the catalogue holds none; where one exists: %s", l.rules["CR-08"].Result),
		l.rule("CR-09", "data of the setting", Open, Nobody, "%s; must be true: %s", l.rules["CR-09"].Result, l.rules["CR-09"].Condition),
		scheme,
		l.rule("CR-11", "CRA conformity", Open, Nobody, "%s; must be true: %s", l.rules["CR-11"].Result, l.rules["CR-11"].Condition),
		l.rule("CR-05", "beside the CRA", Open, Nobody, "only if the system is also a product with digital elements under the CRA: %s", l.rules["CR-05"].Result),
	}, nil
}

// after says what follows the assessment.
func (l *law) after(class Class, target manifest.Target) []Finding {
	f := []Finding{l.rule("CR-16", "declaration", Yes, Follows, "%s", l.rules["CR-16"].Result)}
	if class == AnnexI {
		f = append(f, l.rule("CR-15", "certificate", Open, Nobody, "where a notified body issues one: %s", l.rules["CR-15"].Result))
	}
	change := l.rule("CR-06", "later changes", Open, Nobody, "%s", l.rules["CR-06"].Result)
	switch life := target.LifeCycle; {
	case life == nil:
		change.Text += "; the manifest says nothing about the life cycle"
	case life.Learning == "continuous" && len(life.PredeterminedChanges) == 0:
		change.Text += "; the system goes on learning and declares no pre-determined change, so each may be substantial"
	case len(life.PredeterminedChanges) > 0:
		change.Text += "; declared beforehand: " + strings.Join(life.PredeterminedChanges, "; ")
	default:
		change.Text += "; declared: learning is " + life.Learning + ", so a new version is the case to look at"
	}
	return append(f, change)
}

// citations lists the standards cited in the Official Journal and counts those
// that the catalogue ties to the AI Act.
func citations(t *catalogue.Tables) (cited []string, projects int, err error) {
	standards, err := t.Standards()
	if err != nil {
		return nil, 0, err
	}
	for _, s := range standards {
		if s.AIAct == "" {
			continue
		}
		projects++
		// The column says "none: not published" where it is known that there is none.
		if s.OJ != "" && !strings.HasPrefix(s.OJ, "none") {
			cited = append(cited, s.Designation)
		}
	}
	return cited, projects, nil
}

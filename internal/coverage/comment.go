package coverage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/catalogue"
)

// Comment is one row of the template on which members comment on drafts (ISO/IEC
// Directives). Who comments, and the line, clause and paragraph of the draft, are
// for the member to fill in: a gap is about what a draft does not say.
type Comment struct {
	Type     string // "ge" general or "te" technical
	Comment  string
	Proposed string
}

// Judged puts a gap that the report judged as a comment. Ok is false where the
// gap was closed since, or is so by design: then there is nothing to ask for.
func Judged(g catalogue.Gap) (c Comment, ok bool) {
	if g.State == "closed" || g.State == "by design" {
		return Comment{}, false
	}
	c = Comment{
		Type:     "ge",
		Comment:  fmt.Sprintf("Judged in ENISA, Cybersecurity of AI and Standardisation (2023), %s (%s): %s State since: %s (%s).", g.Section, g.ID, sentence(g.Text), g.State, strings.TrimSuffix(g.StateNote, ".")),
		Proposed: "Say how the document treats this, or why it is out of its scope.",
	}
	if len(g.Lacks) > 0 {
		c.Proposed = "Add, or refer to, " + join(g.Lacks, "and") + " on: " + strings.Join(g.Topics, ", ") + "."
	}
	if slices.ContainsFunc(g.Lacks, func(k string) bool { return slices.Contains(catalogue.Measurable(), k) }) {
		c.Type = "te"
	}
	return c, true
}

// Computed puts a computed gap as a comment. Article is the subject's in the AI
// Act, at the date that the computation is of, drafts the standards in
// preparation that touch the subject.
func Computed(l catalogue.Lack, article, at string, drafts []string) Comment {
	var had []string
	if len(l.Missing) > 0 {
		had = append(had, "nothing published gives a "+join(l.Missing, "or"))
	}
	if len(l.Claimed) > 0 {
		had = append(had, "only titles that nobody has read give a "+join(l.Claimed, "or"))
	}
	lacking := slices.DeleteFunc(catalogue.Measurable(), func(k string) bool {
		return !slices.Contains(l.Missing, k) && !slices.Contains(l.Claimed, k)
	})
	c := Comment{
		Type:     "te",
		Comment:  fmt.Sprintf("Computed from the kinds of coverage known at %s: for %s (AI Act %s), of %d standards that touch it, %s. Nearest: %s.", at, l.Subject.Title, article, len(l.By), strings.Join(had, "; "), l.Best),
		Proposed: fmt.Sprintf("Add, or refer to, a %s by which the requirement \"%s\" can be shown to be met.", join(lacking, "or"), l.Subject.Title),
	}
	if len(drafts) > 0 {
		c.Proposed += " In preparation and near it: " + strings.Join(drafts, ", ") + "."
	}
	return c
}

func sentence(s string) string { return strings.TrimSuffix(s, ".") + "." }

func join(all []string, last string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " " + last + " " + all[len(all)-1]
}

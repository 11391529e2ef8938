// Package wording holds the words and numbers that every report of a dossier
// shares, so that all of them say the same thing the same way.
package wording

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
)

// What a verdict says and does not say, and what verification shows and does
// not show. Every report carries them.
const (
	VerdictMeans = "A verdict speaks of this version of this system, at this depth, on this data and under this threat model. " +
		"It is not a certification, and it says nothing of attacks that were not tried."
	VerificationShows = "Verification shows that no byte of the dossier changed since it was signed, that the plan, the criteria and the seeds " +
		"were written down before the first measurement, that the entries stand in that order, and that the decisions follow from the recorded measurements."
)

// VerificationLacks says what verification does not show, and what of outside
// stands against that: time stamps, witnesses, replay.
func VerificationLacks(d *dossier.Dossier) string {
	text := "It does not show that the provider did not start over until the result pleased, nor when the run took place. " +
		"Time stamps from outside, witnesses of the log and a replay by another party are for that; "
	var has []string
	for _, s := range d.Log.Stamps {
		has = append(has, fmt.Sprintf("a time stamp of %s by %s", Moment(s.Time), s.Authority))
	}
	for _, w := range d.Log.Witnesses {
		has = append(has, fmt.Sprintf("a cosignature of %s by the witness %s", Moment(w.Time), w.Name))
	}
	if len(has) == 0 {
		return text + "this report has none of them."
	}
	return text + "this report has " + join(has) + ". A replay is for whoever receives it."
}

// Runs says how many runs stand before this one in its log, and what the log cannot tell.
func Runs(d *dossier.Dossier) string {
	text := fmt.Sprintf("%d %s of this target %s before it in the same log", d.Log.EarlierRuns, plural(d.Log.EarlierRuns, "run", "runs"), plural(d.Log.EarlierRuns, "stands", "stand"))
	if d.Log.EarlierRuns == 0 {
		text = "the first run in its log"
	}
	switch {
	case d.Log.OtherLogs > 0:
		text += fmt.Sprintf("; the same key has begun %d %s for a target of this name, so this log was started anew, or another copy of the target has one", d.Log.OtherLogs, plural(d.Log.OtherLogs, "other log", "other logs"))
	case d.Log.EarlierRuns == 0:
		text += ", which cannot tell of one that was put away"
	}
	if d.Resumed > 0 {
		text += fmt.Sprintf("; broken off and resumed %d %s", d.Resumed, plural(d.Resumed, "time", "times"))
	}
	return text
}

// Clean makes text that may be hostile safe to show: line breaks and tabs become
// spaces, and control, format (bidirectional, zero-width), private and invalid
// characters become visible escapes such as \u202e.
func Clean(s string) string {
	if strings.IndexFunc(s, unsafe) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case unsafe(r):
			if r > 0xffff {
				fmt.Fprintf(&b, `\U%08x`, r)
			} else {
				fmt.Fprintf(&b, `\u%04x`, r)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unsafe(r rune) bool {
	return r == unicode.ReplacementChar || unicode.In(r, unicode.C, unicode.Zl, unicode.Zp)
}

// Verdicts lists the verdicts as reports order them, the good one first.
func Verdicts() []dossier.Verdict {
	return []dossier.Verdict{dossier.Pass, dossier.Fail, dossier.Inconclusive, dossier.NotAssessed, dossier.NotApplicable}
}

// Symbol is a verdict's mark. It always stands beside the word.
func Symbol(v dossier.Verdict) string {
	switch v {
	case dossier.Pass:
		return "✓"
	case dossier.Fail:
		return "✗"
	case dossier.Inconclusive:
		return "?"
	case dossier.NotAssessed:
		return "○"
	}
	return "–"
}

// Words are an identifier's words: "not-assessed" and "balanced_accuracy" without hyphens and underscores.
func Words(id string) string { return strings.NewReplacer("_", " ", "-", " ").Replace(id) }

// Metric is a metric's name as people write it.
func Metric(id string) string {
	words := strings.Fields(Words(id))
	for i, w := range words {
		switch w {
		case "auc", "roc", "mcc", "ks", "kl", "f1", "f":
			words[i] = strings.ToUpper(w)
		case "nan":
			words[i] = "NaN"
		case "brier", "gini":
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}

// Sentence begins s with a capital and ends it with a full stop.
func Sentence(s string) string {
	s = strings.TrimSpace(s)
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	// A first word with a digit or such a sign inside is a name, which keeps its form.
	if word, _, _ := strings.Cut(s, " "); !strings.ContainsAny(word, "_/.0123456789") {
		s = string(unicode.ToUpper(first)) + s[size:]
	}
	if last := s[len(s)-1]; last == '.' || last == '!' || last == '?' {
		return s
	}
	return s + "."
}

// SetBy names who set a criterion.
func SetBy(s string) string {
	switch s {
	case "law":
		return "the law"
	case "standard":
		return "a standard"
	case "provider":
		return "the provider"
	case "assessor":
		return "the assessor"
	case catalogue.SetByDefault:
		return "a default of Assize"
	case "":
		return "nobody"
	}
	return s
}

// Whose says of a criterion who set it: "set by the provider", "a default of Assize".
func Whose(setBy string) string {
	if setBy == catalogue.SetByDefault {
		return SetBy(setBy)
	}
	return "set by " + SetBy(setBy)
}

// Headline says in one sentence how the claimed goals came out.
func Headline(d *dossier.Dossier) string {
	if d.Summary.Claimed == 0 {
		return "The manifest claims no goal, so nothing can pass."
	}
	by := map[dossier.Verdict][]string{}
	for _, g := range d.Goals {
		if g.Claimed {
			by[g.Decision] = append(by[g.Decision], Words(g.ID))
		}
	}
	s := fmt.Sprintf("%d of %d claimed goals %s", d.Summary.Passed, d.Summary.Claimed, plural(d.Summary.Passed, "passes", "pass"))
	for _, v := range Verdicts()[1:] {
		if names := by[v]; len(names) > 0 {
			s += "; " + join(names) + " " + became(v, len(names))
		}
	}
	return s + "."
}

func became(v dossier.Verdict, n int) string {
	if v == dossier.Fail {
		return plural(n, "fails", "fail")
	}
	return plural(n, "is ", "are ") + map[dossier.Verdict]string{
		dossier.Inconclusive: "inconclusive", dossier.NotAssessed: "not assessed", dossier.NotApplicable: "not applicable",
	}[v]
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func join(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// Classification says where the provider puts the system in the AI Act.
func Classification(c *manifest.Classification) string {
	switch {
	case c == nil:
		return "not declared"
	case c.AnnexIII != "":
		return "AI Act Annex III, point " + c.AnnexIII
	case c.AnnexI != "" && c.ThirdParty:
		return "AI Act Annex I: " + c.AnnexI + ", with assessment by a third party"
	case c.AnnexI != "":
		return "AI Act Annex I: " + c.AnnexI
	}
	return "not high-risk, because: " + c.None
}

// Expired tells whether a record had run out on the day of an assessment.
func Expired(s manifest.Solution, on time.Time) bool {
	return s.ValidUntil != "" && on.UTC().Truncate(24*time.Hour).After(s.ValidUntil.Time())
}

// Framework names where requirements come from.
func Framework(id string) string {
	switch id {
	case "ai-act":
		return "AI Act, items that bear on cybersecurity"
	case "en-304-223":
		return "ETSI EN 304 223"
	case "enisa-2023":
		return "groups of ENISA’s report of 2023"
	case "cra":
		return "Cyber Resilience Act, Annex I"
	}
	return id
}

package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/judge"
)

// judgeAgain decides from the recorded evidence and compares: what decides
// always, and the sentences beside it where this program wrote them.
func (u *underCheck) judgeAgain(context.Context) (string, error) {
	d := u.dossier
	decisions := judge.Decide(&d.Plan.Plan, d.Observations)
	goals := judge.Goals(&d.Plan.Plan, decisions)
	summary := judge.Summarise(&d.Plan.Plan, decisions, goals)
	words := false
	for i, want := range decisions {
		if i < len(d.Decisions) && equal(want, d.Decisions[i]) {
			continue
		}
		if i >= len(d.Decisions) || u.ownTool() || !equal(plainDecision(want), plainDecision(d.Decisions[i])) {
			return "", fmt.Errorf("criterion %s: the evidence leads to %q, not to what the dossier says", want.Criterion, want.Decision)
		}
		words = true
	}
	same := equal(goals, d.Goals)
	if len(decisions) != len(d.Decisions) || !same && (u.ownTool() || !equal(wordless(goals, plainGoal), wordless(d.Goals, plainGoal))) {
		return "", errors.New("the goals' decisions do not follow from those of the criteria")
	}
	if summary.Passed != d.Summary.Passed || summary.Claimed != d.Summary.Claimed || summary.Exit != d.Summary.Exit || !equal(summary.Counts, d.Summary.Counts) {
		return "", errors.New("the summary does not follow from the decisions")
	}
	for _, c := range summary.Caveats {
		if slices.Contains(d.Summary.Caveats, c) {
			continue
		}
		if u.ownTool() {
			return "", fmt.Errorf("the summary keeps silent about a caveat: %s", c)
		}
		words = true
	}
	detail := fmt.Sprintf("%d decisions follow from the evidence", len(decisions))
	if words || !same {
		detail += u.otherWords()
	}
	return detail, nil
}

// ownTool tells whether the sentences of the dossier must be those of this program.
func (u *underCheck) ownTool() bool { return u.trust.Tool == "" || u.trust.Tool == u.dossier.Tool }

// otherWords says that sentences were not held against the dossier.
func (u *underCheck) otherWords() string {
	return fmt.Sprintf("; sentences or caveats are not those of this program, %s, and were not compared: the dossier is by %s", u.trust.Tool, u.dossier.Tool)
}

// plainDecision leaves out the sentences.
func plainDecision(d dossier.Decision) dossier.Decision {
	d.Because, d.Missing, d.Caveats = "", "", nil
	return d
}

func plainGoal(g dossier.Goal) dossier.Goal {
	g.Because = ""
	return g
}

func plainEffect(e dossier.Effect) dossier.Effect {
	e.Note, e.Method = "", ""
	return e
}

func wordless[T any](all []T, plain func(T) T) []T {
	out := []T{}
	for _, one := range all {
		out = append(out, plain(one))
	}
	return out
}

package draft

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Question is one thing that the files do not tell.
type Question struct {
	Text    string
	Choices []string // empty: any text
	Default string   // what an empty answer means
	answer  func(*Answers, string)
}

// Answer takes a reply in; it refuses one that is no choice.
func (q *Question) Answer(a *Answers, reply string) error {
	reply = strings.TrimSpace(reply)
	if reply == "" {
		reply = q.Default
	}
	if len(q.Choices) > 0 && reply != "" && !slices.Contains(q.Choices, reply) {
		return fmt.Errorf("%q is none of %s", reply, strings.Join(q.Choices, ", "))
	}
	q.answer(a, reply)
	return nil
}

// Questions are the handful that is worth asking.
func (f *Found) Questions() []Question {
	var out []Question
	var models []string
	for _, m := range f.Models {
		if m.Problem == "" {
			models = append(models, m.Path)
		}
	}
	if len(models) > 1 {
		out = append(out, Question{Text: "Which model is the system's?", Choices: models, Default: models[0], answer: func(a *Answers, s string) { a.Model = s }})
	}
	out = append(out, Question{Text: "What is it for, and on whom is it used? (Enter leaves it open)", answer: func(a *Answers, s string) { a.Purpose = s }})
	m := f.best("")
	if m == nil {
		return out
	}
	r := f.assign(m)
	if r.test != nil && len(r.test.header) > 0 && !r.test.LabelSure {
		out = append(out, Question{Text: "Which column of " + r.test.Path + " is the truth?", Choices: r.test.header, Default: r.test.Label, answer: func(a *Answers, s string) { a.Label = s }})
	}
	if r.test == nil {
		return out
	}
	if names := classes(m, r.test); len(names) == 2 {
		out = append(out,
			Question{Text: fmt.Sprintf("From which output on does the system decide for %q?", names[1]), Default: "0.5", answer: func(a *Answers, s string) { a.Cutoff = s }},
			Question{Text: "Which of the two does the person concerned hope for? (Enter: neither)", Choices: names, answer: func(a *Answers, s string) { a.Favourable = s }})
	}
	return out
}

// Settle takes the answers into what was found: the tables are read again where
// another column is the label.
func (f *Found) Settle(ctx context.Context, a *Answers) {
	for i := range f.Tables {
		t := &f.Tables[i]
		if a.Label == "" || !slices.Contains(t.header, a.Label) {
			continue
		}
		t.LabelSure = true
		if t.Label != a.Label {
			t.Label, t.Problem = a.Label, ""
			t.inspect(ctx, filepath.Join(f.Dir, filepath.FromSlash(t.Path)))
		}
	}
}

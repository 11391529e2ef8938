package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/spelling"
)

// maxProblems is how many problems one error shows.
const maxProblems = 5

// Problem is one thing that is wrong with a manifest.
type Problem struct {
	Line   int    // from 1; 0 where it is about the whole file
	Column int    // from 1; 0 where the line says enough
	Text   string // what is wrong
	Hint   string // how to put it right; may be ""
}

// Error is everything that is wrong with a manifest, ordered by line.
type Error struct {
	Name     string // of the file, as the caller gave it
	Problems []Problem
}

// Error gives one line a problem, each with its hint on a line below, for the
// first five problems.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i == maxProblems {
			fmt.Fprintf(&b, "\nread manifest %q: and %d more", e.Name, len(e.Problems)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "read manifest %q: ", e.Name)
		switch {
		case p.Line > 0 && p.Column > 0:
			fmt.Fprintf(&b, "line %d:%d: ", p.Line, p.Column)
		case p.Line > 0:
			fmt.Fprintf(&b, "line %d: ", p.Line)
		}
		b.WriteString(p.Text)
		if p.Hint != "" {
			b.WriteString("\nhint: " + p.Hint)
		}
	}
	return b.String()
}

// report is the error for some problems, nil for none.
func report(name string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.late(), b.late()), cmp.Compare(a.Text, b.Text))
	})
	return &Error{Name: name, Problems: slices.Compact(problems)}
}

// late is 0 for unknown fields, which come first within a line because they
// explain some of what is missing.
func (p Problem) late() int {
	if strings.HasPrefix(p.Text, "unknown field") {
		return 0
	}
	return 1
}

// didYouMean is a hint with the word nearest to got, or else other.
func didYouMean(got string, words []string, other string) string {
	if w := nearest(got, words); w != "" {
		return fmt.Sprintf("did you mean %q?", w)
	}
	return other
}

// nearest is the word that a slip of the fingers turns into got, "" for none.
func nearest(got string, words []string) string {
	return spelling.Nearest(got, words, 1+min(len(got), 9)/4)
}

// clip shortens and quotes a value for a message of one line.
func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

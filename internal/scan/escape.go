package scan

import (
	"strconv"
	"strings"
)

// Escape writes text from a file or a file name so that no terminal, page or
// parser acts on it: control characters, marks that turn the writing direction,
// and bytes that are no UTF-8 become \n, \u202e, \xff; a backslash is doubled.
func Escape(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// Escaped is the report with everything that comes from the file escaped.
func (r FileReport) Escaped() FileReport {
	r.Path, r.Format = Escape(r.Path), Escape(r.Format)
	found := make([]Finding, len(r.Findings))
	for i, f := range r.Findings {
		f.Evidence = Escape(f.Evidence)
		found[i] = f
	}
	r.Findings = found
	return r
}

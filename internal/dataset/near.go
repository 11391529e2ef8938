package dataset

import (
	"fmt"
	"strings"
)

// didYouMean is a hint that names the candidate nearest to name, or lists the
// first few where none is near.
func didYouMean(name string, candidates []string) string {
	best, least := "", len(name)/3+1
	for _, c := range candidates[:min(len(candidates), 1000)] {
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	if best != "" {
		return fmt.Sprintf("\nhint: did you mean %q?", clip(best))
	}
	if len(candidates) == 0 {
		return ""
	}
	return "\nhint: there are " + list(candidates)
}

// list writes the first few names, quoted.
func list(names []string) string {
	const most = 8
	var b strings.Builder
	for i, n := range names[:min(len(names), most)] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", clip(n))
	}
	if len(names) > most {
		fmt.Fprintf(&b, " and %d more", len(names)-most)
	}
	return b.String()
}

// distance is the Levenshtein distance in bytes; long names are cut.
func distance(a, b string) int {
	const most = 64
	a, b = a[:min(len(a), most)], b[:min(len(b), most)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// clip shortens what a file says for an error message.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

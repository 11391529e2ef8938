// Package spelling finds the name that was probably meant by one that is not
// known, for the hint behind an error.
package spelling

import "strings"

// longest bounds what is compared: names come from hostile files, and the time
// grows with the product of both lengths.
const longest = 64

// Nearest is the word at the least distance from got, upper and lower case
// being alike, and at most within; the first of several, "" where none is so
// near, where got itself is among the words or is over 64 letters long.
func Nearest(got string, words []string, within int) string {
	best, low := "", strings.ToLower(got)
	if len([]rune(got)) > longest {
		return ""
	}
	for _, w := range words {
		if w == got {
			return ""
		}
		if d := Distance(low, strings.ToLower(w)); d <= within {
			best, within = w, d-1
		}
	}
	return best
}

// Distance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b, no place touched twice (optimal string
// alignment; Damerau 1964). Of each only the first 64 letters count.
func Distance(a, b string) int {
	s, t := cut(a), cut(b)
	var before, last []int
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(s); i++ {
		before, last = last, row
		row = make([]int, len(t)+1)
		row[0] = i
		for j := 1; j <= len(t); j++ {
			same := 1
			if s[i-1] == t[j-1] {
				same = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(t)]
}

func cut(s string) []rune {
	r := []rune(s[:min(len(s), 4*longest)])
	return r[:min(len(r), longest)]
}

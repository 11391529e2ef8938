package wording

import "strings"

// Markdown makes text that may be hostile show as it is, in a paragraph, an item
// of a list or a cell of a table in Markdown.
//
// Backslashes keep characters from being markup. Addresses that GitHub's dialect
// links without any markup (GFM 0.29, section 6.9) need more: "://" and "www." are
// broken by a backslash, and the sign of a mail address stands in a code span,
// because mail addresses are looked for after backslashes are gone.
func Markdown(s string) string {
	s = Clean(s)
	var b strings.Builder
	for i, r := range s {
		switch {
		case strings.ContainsRune("\\`*_[]<>&|~#$!", r):
			b.WriteString(`\` + string(r))
		case r == ':' && strings.HasPrefix(s[i:], "://"):
			b.WriteString(`\:`)
		case r == '.' && i >= 3 && strings.EqualFold(s[i-3:i], "www"):
			b.WriteString(`\.`)
		case r == '@':
			b.WriteString("`@`")
		case marksList(s, i):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// marksList tells whether the character at i would begin a list, a rule or a
// heading because only spaces or digits stand before it.
func marksList(s string, i int) bool {
	before := strings.TrimLeft(s[:i], " ")
	switch s[i] {
	case '-', '+', '=':
		return before == ""
	case '.', ')':
		return before != "" && strings.Trim(before, "0123456789") == ""
	}
	return false
}

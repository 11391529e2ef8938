package records

import (
	"regexp"
	"strings"
)

// personal finds what looks like personal data in clear.
type personal struct {
	kind    string
	pattern *regexp.Regexp
	right   func(match string) bool // check digits and the like
}

// The boundaries of a match keep it from being part of a longer word or number.
var (
	mailPattern    = regexp.MustCompile(`[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}[A-Za-z]{2,24}\b`)
	ibanPattern    = regexp.MustCompile(`\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b`)
	cardPattern    = regexp.MustCompile(`\b[3-6](?:[ -]?[0-9]){12,18}\b`)
	phonePattern   = regexp.MustCompile(`(?:^|[^A-Za-z0-9+.:-])\+[1-9][0-9 ()./-]{5,20}[0-9]\b`)
	italianPattern = regexp.MustCompile(`\b[A-Z]{6}[0-9]{2}[ABCDEHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]\b`)
	finnishPattern = regexp.MustCompile(`\b[0-3][0-9][01][0-9]{3}[-+A][0-9]{3}[0-9A-FHJ-NPR-Y]\b`)
)

func patterns() [6]personal {
	return [6]personal{
		{"e-mail address", mailPattern, nil},
		{"IBAN", ibanPattern, rightIBAN},
		{"payment card", cardPattern, rightCard},
		{"telephone number", phonePattern, rightPhone},
		{"Italian tax code", italianPattern, rightItalian},
		{"Finnish personal code", finnishPattern, rightFinnish},
	}
}

// find is the matches in a text, kind by kind.
func find(text string, hit func(kind, match string)) {
	digits, at := 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '@':
			at = true
		}
	}
	for _, p := range patterns() {
		if p.right == nil && !at || p.right != nil && digits < 6 {
			continue
		}
		for _, m := range p.pattern.FindAllString(text, -1) {
			if p.right == nil || p.right(m) {
				hit(p.kind, strings.TrimLeft(m, " ,;(\"'"))
			}
		}
	}
}

// rightIBAN checks the check digits (ISO 7064, MOD 97-10: four characters go to the end, letters count from 10).
func rightIBAN(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	rest := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

// rightCard checks the check digit (ISO/IEC 7812-1, Luhn's formula) of 13 to 19 digits that are not all the same.
func rightCard(s string) bool {
	s = strings.NewReplacer(" ", "", "-", "").Replace(s)
	if len(s) > 19 || strings.Count(s, s[:1]) == len(s) {
		return false
	}
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// rightPhone asks for 8 to 15 digits, country code included (ITU-T E.164).
func rightPhone(s string) bool {
	n := 0
	for _, c := range s {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n >= 8 && n <= 15
}

// rightItalian checks the last letter (decree of 23 December 1976: characters in odd places count by a table).
func rightItalian(s string) bool {
	const odd = "BAFHJNPRTVCESULDGIMOQKWZYX" // as letters: B is 1, A is 0, F is 5 …
	sum := 0
	for i := range 15 {
		v := int(s[i] - '0')
		if s[i] >= 'A' {
			v = int(s[i] - 'A')
		}
		if i%2 == 0 {
			v = int(odd[v] - 'A')
		}
		sum += v
	}
	return s[15] == byte('A'+sum%26)
}

// rightFinnish checks the last character: the nine digits modulo 31.
func rightFinnish(s string) bool {
	n := 0
	for _, c := range []byte(s[:6] + s[7:10]) {
		n = n*10 + int(c-'0')
	}
	return s[10] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[n%31]
}

// mask keeps the first two characters of what is shown as evidence.
func mask(s string) string {
	r := []rune(s)
	return string(r[:min(2, len(r))]) + "…"
}

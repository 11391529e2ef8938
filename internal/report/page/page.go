// Package page holds what every page of ours shares: the style of text, tables
// and tags in light, dark and print, and the policy that lets a page load nothing.
package page

import (
	"crypto/sha256"
	_ "embed" // the style
	"encoding/base64"
	"strings"

	"github.com/assize/assize/internal/report/wording"
)

//go:embed base.css
var base string

// Style is the shared style followed by a page's own rules, which may change it.
func Style(own string) string { return base + own }

// Policy is a Content-Security-Policy under which a page loads nothing from
// anywhere and uses the one style and the scripts that are given, by their digests.
func Policy(style string, scripts ...string) string {
	p := "default-src 'none'; style-src " + source(style)
	if len(scripts) > 0 {
		p += "; script-src"
		for _, s := range scripts {
			p += " " + source(s)
		}
	}
	return p + "; base-uri 'none'; form-action 'none'"
}

// source names an inline style or script as Content Security Policy Level 3, 2.3.1, does.
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Visible cleans every line of a finished page. A template holds no character that
// wording.Clean changes, so what is changed came from outside, wherever it stands.
func Visible(b []byte) []byte {
	lines := strings.Split(string(b), "\n")
	for i, line := range lines {
		lines[i] = wording.Clean(line)
	}
	return []byte(strings.Join(lines, "\n"))
}

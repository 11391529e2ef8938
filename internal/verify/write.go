package verify

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Write shows the report to a person. What comes from the dossier is escaped.
func (r *Report) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	if r.Target != "" {
		fmt.Fprintf(b, "%s, run %.8s\n\n", plain(r.Target), plain(r.Run))
	}
	for _, c := range r.Checks {
		mark := "ok    "
		if !c.OK {
			mark = "FAILED"
		}
		fmt.Fprintf(b, "%s  %-24s %s\n", mark, c.Name, plain(strings.ReplaceAll(c.Detail, "\nhint: ", "; ")))
	}
	b.WriteByte('\n')
	if r.OK() {
		b.WriteString("VERIFIED. This shows\n")
		bullets(b, r.Shows)
	} else {
		b.WriteString("NOT VERIFIED: do not rely on this dossier.\n")
	}
	b.WriteString("It does not show\n")
	bullets(b, r.DoesNotShow)
	if r.Key != "" {
		fmt.Fprintf(b, "signed with %s\n", plain(r.Key))
	}
	return b.Flush()
}

func bullets(w io.Writer, lines []string) {
	for _, l := range lines {
		fmt.Fprintf(w, "  - %s\n", plain(l))
	}
}

// plain escapes what a hostile dossier could do to a terminal.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

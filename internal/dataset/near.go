package dataset

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/spelling"
)

// didYouMean is a hint that names the candidate nearest to name, or lists the
// first few where none is near.
func didYouMean(name string, candidates []string) string {
	if best := spelling.Nearest(name, candidates[:min(len(candidates), 1000)], len(name)/3); best != "" {
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

// clip shortens what a file says for an error message.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

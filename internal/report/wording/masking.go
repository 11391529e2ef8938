package wording

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/result"
)

// Masking says in a sentence each which solutions only hide from attacks that do not know of
// them what they seem to stop. Of a solution that several observations speak of the first counts.
func Masking(d *dossier.Dossier) []string {
	var said []string
	var out []string
	for _, o := range d.Observations {
		for _, t := range o.Tables {
			for _, row := range t.Rows {
				if t.ID != result.Masking || len(row) != 6 || slices.Contains(said, row[0]) {
					continue
				}
				if said = append(said, row[0]); strings.HasPrefix(row[5], result.Hides) {
					out = append(out, fmt.Sprintf("%s: %s of rows resist an attack that does not know of it, %s one that does: it %s", row[0], row[2], row[3], row[5]))
				}
			}
		}
	}
	return out
}

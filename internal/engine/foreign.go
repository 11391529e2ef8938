package engine

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/foreign"
)

// readForeign takes in what other tools found, from the records that are SARIF
// or VEX files. A file that cannot be read is refused: a record that says
// nothing must not look like one that found nothing.
func (t *target) readForeign() error {
	t.foreign = []dossier.Foreign{}
	for _, r := range t.manifest.Records {
		if !isForeign(r.Path) {
			continue
		}
		full, err := t.manifest.Locate(r.Path)
		if err != nil {
			return err
		}
		report, err := foreign.Read(full)
		if err != nil {
			return &Refusal{fmt.Errorf("record %q: %w", r.Name, err)}
		}
		f := dossier.Foreign{Record: r.Name, File: r.Path, Findings: []dossier.ForeignFinding{}, Dropped: report.Dropped}
		for _, a := range t.artefacts {
			if a.Kind == artefact.Record && a.Path == r.Path {
				f.Digest = a.Digest
			}
		}
		for _, n := range report.OpenBySeverity() {
			f.Open += n
		}
		for _, found := range report.Findings {
			f.Format, f.Tool, f.Made = found.Origin.Format, found.Origin.Tool, found.Origin.Made
			f.Findings = append(f.Findings, dossier.ForeignFinding{
				Rule: found.Rule, Severity: found.Severity, Stated: found.Stated, State: string(found.State), Why: found.Why, Where: found.Where, What: found.What,
			})
		}
		t.foreign = append(t.foreign, f)
	}
	return nil
}

// isForeign tells findings of other tools from records for people, by the endings that their makers use.
func isForeign(path string) bool {
	for _, ending := range []string{".sarif", ".sarif.json", ".vex.json", ".cdx.json"} {
		if strings.HasSuffix(strings.ToLower(path), ending) {
			return true
		}
	}
	return false
}

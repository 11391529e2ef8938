package engine

import (
	"context"

	"github.com/assize/assize/internal/checklist"
	"github.com/assize/assize/internal/dossier"
)

// answer says what the decisions and the records answer: the classes of attack
// of Art. 15(5) by function of measures, and every item of law and standard on the checklist.
func (p *prepared) answer(ctx context.Context, d *dossier.Dossier) error {
	known, err := p.tables.Catalogue()
	if err != nil {
		return err
	}
	d.Attacks, d.Requirements, d.Counts = []dossier.AttackClass{}, []dossier.Requirement{}, []dossier.RequirementCount{}
	for _, row := range checklist.MakeMatrix(d, known, d.Ended).Rows {
		class := dossier.AttackClass{Class: row.Class}
		for _, c := range row.Cells {
			m := dossier.Measures{Function: c.Function, Solutions: []string{}, Known: []string{}, Decision: c.Decision, Because: c.Because}
			for _, s := range c.Solutions {
				m.Solutions, m.Known = append(m.Solutions, s.Solution.Name), append(m.Known, s.Known)
			}
			class.Functions = append(class.Functions, m)
		}
		d.Attacks = append(d.Attacks, class)
	}
	list, err := checklist.Make(ctx, p.tables, checklist.Given{
		Target: d.Target, Solutions: d.Solutions, Records: p.manifest.Records, Dossier: d, Dir: p.dir, Today: d.Ended,
	})
	if err != nil {
		return err
	}
	for _, i := range list.Items {
		d.Requirements = append(d.Requirements, dossier.Requirement{
			ID: i.ID, Framework: i.Framework, Reference: i.Reference, Text: i.Text,
			State: string(i.State), Verdict: i.Verdict, ByDefault: i.Defaults, By: i.By,
		})
	}
	for _, c := range list.Counts() {
		d.Counts = append(d.Counts, dossier.RequirementCount{
			Framework: c.Framework, Of: c.Of, Decided: c.Decided, Passed: c.Passed, ByDefault: c.ByDefault,
			Answered: c.Answered, Open: c.Open, Testable: c.Testable,
		})
	}
	return nil
}

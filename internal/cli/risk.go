package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/report/listing"
	"github.com/assize/assize/internal/risk"
)

func (a *App) risk() *cobra.Command {
	var answers string
	var cost bool
	c := &cobra.Command{
		Use:   "risk TARGET",
		Short: "Set the threats against a target: what is at stake, what tests it, what remains",
		Long: `Before the tests: for each threat the assets, who could do it, the goals, the
solutions and the probes that speak to it, and the threats that no probe covers.
After them (a dossier lies beside the target): what was measured and what remains.

Likelihood and impact follow ETSI TS 102 165-1 and are a person's judgement: the
columns are blank until somebody fills them in. Export with --format csv, fill
asset_impact, intensity, potential, rated_by, date and reason (and, against the
measures, potential_with_measures), and name the file with --answers, or keep it
as risk.csv in the target's folder. The highest risk then stands first.

--attack-cost lists what attacks needed by the factors of attack potential (CEM)
for an evaluator to rate. Assize gives no rating.`,
		Example: `  assize risk examples/credit                          threats, and what will test them
  assize risk examples/credit --format csv > rated.csv the questions, to be answered
  assize risk examples/credit --attack-cost            what the attacks of the last run needed`,
		Args: exactly(1, "one folder with an assize.yaml, or a dossier"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.subject(c.Context(), c, args[0], true)
			if err != nil {
				return err
			}
			if cost {
				return a.showCost(c, s)
			}
			if answers == "" {
				answers = s.answered(risk.FileName)
			}
			g := risk.Given{Manifest: s.Manifest, Probes: riskProbes(), Dossier: s.Dossier}
			if answers != "" {
				if g.Answers, err = risk.ReadAnswers(answers, s.Tables); err != nil {
					return usageError{err}
				}
			}
			found, err := risk.Assess(s.Tables, g)
			if err != nil {
				return err
			}
			return a.showRisk(c, s, found, g.Answers)
		},
	}
	addListFlags(c)
	c.Flags().StringVar(&answers, "answers", "", "file of ratings (default: risk.csv in the target's folder, if it is there)")
	c.Flags().BoolVar(&cost, "attack-cost", false, "what the attacks of the dossier needed, by the factors of the CEM, for an evaluator to rate")
	return c
}

// riskProbes are the probes of this build as risk needs them.
func riskProbes() []risk.Probe {
	var all []risk.Probe
	for _, p := range engine.Probes() {
		all = append(all, risk.Probe{ID: p.ID, Threats: p.Threats, Goals: p.Goals, Uses: needs(p.Needs), Cites: p.Cites})
	}
	return all
}

func (a *App) showRisk(c *cobra.Command, s *subject, r *risk.Assessment, answers []risk.Answer) error {
	choices, err := risk.Choices(s.Tables)
	if err != nil {
		return err
	}
	after := s.Dossier != nil
	l := &listing.List{
		Name: "risk",
		Columns: []listing.Column{
			{Key: "threat"}, {Key: "harms", Hidden: true}, {Key: "assets", Wide: true}, {Key: "agent", Hidden: after, Wide: true}, {Key: "stages", Hidden: true},
			{Key: "goals", Wide: true}, {Key: "claimed", Hidden: true}, {Key: "solutions", Wide: true}, {Key: "probes", Title: "tested by", Wide: true},
			{Key: "asset_impact", Hidden: true}, {Key: "intensity", Hidden: true}, {Key: "potential", Hidden: true}, {Key: "potential_with_measures", Hidden: true},
			{Key: "rated_by", Hidden: true}, {Key: "date", Hidden: true}, {Key: "reason", Hidden: true},
			{Key: "risk", Wide: true, Hidden: len(answers) == 0}, {Key: "risk_with_measures", Wide: true, Hidden: len(answers) == 0},
			{Key: "to_test", Wide: true, Hidden: after}, {Key: "measured", Wide: true, Hidden: !after}, {Key: "residual", Wide: true, Hidden: !after},
		},
	}
	for _, t := range r.Threats {
		var x risk.Answer
		for _, given := range answers {
			if given.Threat == t.ID {
				x = given
			}
		}
		probes := strings.Join(t.Probes, ", ")
		if probes == "" {
			probes = "no probe of this build"
		}
		l.Rows = append(l.Rows, []string{
			t.ID, strings.Join(t.Harms, ", "), strings.Join(t.TargetAssets, "; "), t.Agent, strings.Join(t.Stages, ", "),
			strings.Join(t.Goals, ", "), strings.Join(t.Claimed, ", "), strings.Join(t.Solutions, ", "), probes,
			x.Impact, x.Intensity, x.Potential, x.With, x.By, x.Date, x.Reason,
			t.Before.String(), t.After.String(), t.ToTest, strings.Join(t.Facts, "; "), t.Residual,
		})
	}
	l.Notes = append(l.Notes, fmt.Sprintf("%d of %d threats are rated by a person; where nobody rated, likelihood and impact stay blank. The probes that fit a target run whatever the rating; the rating says what must be tested, by whatever means, and puts it first.", len(r.Threats)-r.Unrated, len(r.Threats)))
	if len(r.Uncovered) > 0 {
		l.Notes = append(l.Notes, fmt.Sprintf("No probe of this build covers %d of %d threats: %s. They need a record or another tool.", len(r.Uncovered), len(r.Threats), strings.Join(r.Uncovered, ", ")))
	}
	for _, as := range r.Assumptions {
		l.Notes = append(l.Notes, "Assumed: "+as)
	}
	l.Notes = append(l.Notes, s.notes()...)
	l.Notes = append(l.Notes, "This is cyber risk. It has no part in how the AI Act classifies the system; for that see assize classify.")
	for _, column := range []string{"asset_impact", "intensity", "potential"} {
		l.Sources = append(l.Sources, column+" is one of: "+strings.Join(choices[column], ", "))
	}
	l.Sources = append(l.Sources, "Method: ETSI TS 102 165-1. Values of intensity are stored; those of asset impact, of likelihood by attack potential, the cap and the classes of risk are own knowledge, to be checked against the standard.",
		"Threats: ENISA, Cybersecurity of AI and Standardisation (2023), Table 1, own words; agents, goals and probes are own judgement.")
	return a.show(c, l)
}

func (a *App) showCost(c *cobra.Command, s *subject) error {
	if s.Dossier == nil {
		return usageError{errors.New("--attack-cost needs a dossier, and none lies beside the target\nhint: run assize assess first")}
	}
	costs, err := risk.Costs(s.Tables, s.Dossier, riskProbes())
	if err != nil {
		return err
	}
	l := &listing.List{
		Name: "attack_cost",
		Columns: []listing.Column{
			{Key: "attack"}, {Key: "observation", Hidden: true}, {Key: "outcome", Wide: true, Hidden: true}, {Key: "factor"}, {Key: "facts", Title: "observed", Wide: true},
			{Key: "choices", Title: "steps to rate by", Wide: true}, {Key: "rating", Title: "rating (evaluator's)"}, {Key: "confidence", Title: "steps are"},
		},
		Notes:   []string{"No rating is given, and none follows: the numbers of points behind the steps are own knowledge in part, and what a target resists is for an evaluator to say. This is no result of a vulnerability analysis."},
		Sources: []string{"Factors and steps: CEM / ISO/IEC 18045, calculation of attack potential."},
	}
	for _, x := range costs {
		for _, f := range x.Factors {
			l.Rows = append(l.Rows, []string{x.Probe, x.Observation, strings.Join(x.Outcome, "; "), f.Name, strings.Join(f.Facts, "; "), strings.Join(f.Choices, ", "), "", f.Confidence})
		}
		if len(x.Outcome) > 0 {
			l.Notes = append(l.Notes, fmt.Sprintf("%s (%s): %s.", x.Probe, x.Observation, strings.Join(x.Outcome, "; ")))
		}
	}
	return a.show(c, l)
}

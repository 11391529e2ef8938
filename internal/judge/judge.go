// Package judge turns measurements into decisions by criteria. It is pure: the
// same plan and observations give the same decisions anywhere, which is how others check them.
package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// Decide applies every criterion of a plan to what was observed, one decision
// each, in the order of the criteria. A claimed goal that no criterion speaks of is
// decided too: it is not assessed.
func Decide(p *plan.Plan, observations []evidence.Observation) []dossier.Decision {
	caveats := caveats(p, observations)
	decisions := []dossier.Decision{}
	for i := range p.Criteria {
		k := &p.Criteria[i]
		d := decide(p, k, observations)
		if k.Goal != "parity" {
			d.Caveats = append(d.Caveats, caveats...)
		}
		decisions = append(decisions, d)
	}
	for _, goal := range p.Claims {
		if !slices.ContainsFunc(p.Criteria, func(k catalogue.Criterion) bool { return k.Goal == goal }) {
			d := dossier.Decision{Goal: goal, Criterion: "none", SetBy: catalogue.SetByDefault, From: []string{}, Cites: []string{}}
			d.Decision, d.Because = leftOut(p, "", goal, "no criterion speaks of it")
			decisions = append(decisions, d)
		}
	}
	return decisions
}

// caveats are what every decision must carry while it is not shown that the
// model under test is the one that runs.
func caveats(p *plan.Plan, observations []evidence.Observation) []string {
	o := deployed(p, "performance/parity", observations)
	if o == nil || o.State != result.Measured {
		return []string{"not shown that the model under test is the model that runs: no parity check with recorded outputs"}
	}
	m, ok := o.Metrics["disagreements"]
	switch {
	case !o.Valid():
		return []string{"the parity check is not valid: " + failedChecks(o)}
	case !ok || m.N <= 0:
		return []string{"not shown that the model under test is the model that runs: the parity check compared no row"}
	case m.Value != 0:
		return []string{fmt.Sprintf("the model under test decides %g of %d recorded rows otherwise than the deployed system", m.Value, m.N)}
	}
	return nil
}

// deployed is the observation of a probe with on what the deployed system has on.
func deployed(p *plan.Plan, probe string, observations []evidence.Observation) *evidence.Observation {
	for i := range p.Items {
		if it := &p.Items[i]; it.Probe == probe && it.Deployed {
			return observed(it.ID, observations)
		}
	}
	return nil
}

func decide(p *plan.Plan, k *catalogue.Criterion, observations []evidence.Observation) dossier.Decision {
	d := dossier.Decision{
		Goal: k.Goal, Criterion: k.ID, SetBy: k.SetBy, Metric: k.Metric, Compare: k.Compare,
		Level: k.Threshold, From: []string{}, Cites: k.Cites,
	}
	needed := k.Confidence
	if needed == 0 {
		needed = catalogue.DefaultConfidence
	}
	switch {
	case k.NotApplicable != "":
		d.Decision, d.Because = dossier.NotApplicable, k.NotApplicable
		return d
	case k.Threshold == nil:
		d.Decision, d.Because = dossier.NotAssessed, "the criterion has no level"
		return d
	case !(needed >= 0.5 && needed < 1):
		d.Decision, d.Because = dossier.NotAssessed, fmt.Sprintf("the criterion asks for confidence %g, which no interval has", needed)
		return d
	case k.Compare != catalogue.AtLeast && k.Compare != catalogue.AtMost:
		d.Decision, d.Because = dossier.NotAssessed, fmt.Sprintf("the criterion compares by %q, which is unknown", k.Compare)
		return d
	}
	o := deployed(p, k.Probe, observations)
	if o == nil {
		d.Decision, d.Because = leftOut(p, k.Probe, "", k.Probe+" was not run")
		return d
	}
	d.From = append(d.From, o.ID)
	m, ok := o.Metrics[k.Metric]
	switch {
	case o.State == result.NotApplicable:
		d.Decision, d.Because = dossier.NotApplicable, fmt.Sprintf("%s: %s", k.Probe, o.Reason)
		return d
	case o.State != result.Measured:
		d.Decision, d.Because = dossier.NotAssessed, fmt.Sprintf("%s: %s", o.State, o.Reason)
		return d
	case !ok:
		d.Decision, d.Because = dossier.NotAssessed, fmt.Sprintf("%s did not give %s", k.Probe, k.Metric)
		return d
	}
	m = atConfidence(m, needed)
	d.Measured = &m
	compare(&d, k, m)
	switch {
	case !o.Valid():
		d.Decision, d.Because = dossier.Inconclusive, "the measurement failed a check of its own: "+failedChecks(o)
		d.Missing = "a measurement whose checks hold"
	case unfit(m, needed) != "":
		d.Decision, d.Because = dossier.Inconclusive, fmt.Sprintf("%s cannot be decided by: %s", words(k.Metric), unfit(m, needed))
		d.Missing = fmt.Sprintf("a number with its interval at confidence %g, measured on something", needed)
	case k.ConfirmedDomain && p.Guessed:
		d.Decision, d.Because = dossier.Inconclusive, "the domain was guessed from the data and nobody confirmed it"
		d.Missing = "domain.confirmed_by in the manifest"
	}
	return d
}

// atConfidence widens a sound exact interval of a share to a confidence above its
// own, from the counts behind it. Every other interval stays, as it cannot be
// made anew without the rows.
func atConfidence(m result.Metric, needed float64) result.Metric {
	if m.Method != "clopper-pearson" || m.K == nil || m.N <= 0 || !(m.Confidence >= catalogue.DefaultConfidence && m.Confidence < needed) || float64(*m.K)/float64(m.N) != m.Value {
		return m
	}
	in, err := stat.ClopperPearson(*m.K, m.N, needed)
	if err != nil || in.Lower > m.Lower || in.Upper < m.Upper {
		return m
	}
	m.Lower, m.Upper, m.Confidence = in.Lower, in.Upper, needed
	return m
}

// unfit says why a metric cannot decide anything: it rests on nothing, or its
// interval is none, or one at less than the confidence needed. Evidence may come
// from somebody else's program.
func unfit(m result.Metric, needed float64) string {
	// The same slack as measuretest.Accept's: the ends of an interval are computed.
	const slack = 1e-12
	switch {
	case m.N <= 0:
		return "it was measured on nothing"
	case !(m.Lower <= m.Upper && m.Lower-slack <= m.Value && m.Value <= m.Upper+slack):
		return fmt.Sprintf("%s does not lie between %s and %s", number(m.Value), number(m.Lower), number(m.Upper))
	case m.Method == result.Exhaustive && m.Lower != m.Upper:
		return "what was counted has no interval"
	case m.Method != result.Exhaustive && !(m.Confidence >= needed && m.Confidence < 1):
		return fmt.Sprintf("its interval is stated at confidence %g, and %g is needed", m.Confidence, needed)
	}
	return ""
}

// compare sets the interval against the level: it must lie wholly on one side.
func compare(d *dossier.Decision, k *catalogue.Criterion, m result.Metric) {
	level := *k.Threshold
	good, bad, bound, end, asked := m.Lower >= level, m.Upper < level, m.Lower, "lower", "asked"
	if k.Compare == catalogue.AtMost {
		good, bad, bound, end, asked = m.Upper <= level, m.Lower > level, m.Upper, "upper", "allowed"
	}
	name, side := words(k.Metric), strings.ReplaceAll(k.Compare, "_", " ")+" "+amount(level, m)
	interval := fmt.Sprintf("%s to %s", amount(m.Lower, m), amount(m.Upper, m))
	switch {
	case m.Method == result.Exhaustive:
		d.Decision, d.Because = dossier.Fail, fmt.Sprintf("%s: %s counted, %s %s", name, amount(m.Value, m), side, asked)
		if good {
			d.Decision = dossier.Pass
		}
	case good:
		d.Decision, d.Because = dossier.Pass, fmt.Sprintf("the %s bound of %s, %s, supports %s", end, name, amount(bound, m), side)
	case bad:
		d.Decision, d.Because = dossier.Fail, fmt.Sprintf("the whole interval of %s, %s, misses %s", name, interval, side)
	default:
		d.Decision, d.Because = dossier.Inconclusive, fmt.Sprintf("the interval of %s, %s, straddles the level: %s is neither supported nor missed", name, interval, side)
		d.Missing = missingRows(k.Compare, level, m)
	}
}

// missingRows says how many more rows would decide, if the share stays what it is.
func missingRows(compare string, level float64, m result.Metric) string {
	if m.K == nil || m.N == 0 || m.Confidence == 0 {
		return "more rows; the interval narrows with the square root of their number"
	}
	one := (1 + m.Confidence) / 2
	above := float64(*m.K)/float64(m.N) > level
	rowsFor := stat.RowsForLower
	if !above {
		rowsFor = stat.RowsForUpper
	}
	rows, ok, err := rowsFor(*m.K, m.N, level, one)
	switch {
	case err == nil && ok && rows <= m.N: // another method than Clopper-Pearson is wider
		return "more rows; the interval narrows with the square root of their number"
	case err != nil || !ok:
		return "more rows than can be counted: the value is at the level itself"
	}
	outcome := "pass"
	if above != (compare == catalogue.AtLeast) {
		outcome = "fail"
	}
	return fmt.Sprintf("about %d more rows of the kind that it counts, %d so far, after which it would %s if the share stays %s", rows-m.N, m.N, outcome, amount(m.Value, m))
}

// leftOut is the verdict on what was not run, with the plan's reason for that.
func leftOut(p *plan.Plan, probe, goal, otherwise string) (dossier.Verdict, string) {
	for _, l := range p.LeftOut {
		if probe != "" && l.Probe == probe || goal != "" && l.Goal == goal {
			if l.State == string(result.NotApplicable) {
				return dossier.NotApplicable, l.Reason
			}
			return dossier.NotAssessed, l.Reason
		}
	}
	return dossier.NotAssessed, otherwise
}

func failedChecks(o *evidence.Observation) string {
	var names []string
	for _, v := range o.Validity {
		if !v.OK {
			names = append(names, strings.TrimSuffix(strings.TrimSuffix(v.Check+": "+v.Note, "."), ": "))
		}
	}
	return strings.Join(names, "; ")
}

func words(metric string) string { return strings.ReplaceAll(metric, "_", " ") }

// amount is a number in the unit of a metric, shares as percentages.
func amount(v float64, m result.Metric) string {
	if m.Unit == "share" {
		return number(100*v) + "\u202f%" // a narrow space that does not break
	}
	return number(v)
}

// number is a measured number for people: four significant digits.
func number(v float64) string { return fmt.Sprintf("%.4g", v) }

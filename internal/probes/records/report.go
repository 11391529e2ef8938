package records

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/result"
)

// perRule is how many findings of one rule are kept a log; all are counted.
const perRule = 20

// reporter collects findings.
type reporter struct {
	res     *result.Result
	kept    map[[2]string]int // by log and rule
	dropped map[string]int
}

func newReporter() *reporter {
	return &reporter{
		res:  &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}},
		kept: map[[2]string]int{}, dropped: map[string]int{},
	}
}

// finding is one thing found in a log; line 0 is the log as a whole.
type finding struct {
	rule      string
	severity  result.Severity
	line      int
	what, fix string
	evidence  string
	cites     []string
}

func (r *reporter) add(log string, f finding) {
	key := [2]string{log, f.rule}
	if r.kept[key]++; r.kept[key] > perRule {
		r.dropped[f.rule]++
		return
	}
	where := escape(log)
	if f.line > 0 {
		where += ": line " + strconv.Itoa(f.line)
	}
	r.res.Findings = append(r.res.Findings, result.Finding{
		Rule: f.rule, Severity: f.severity, Where: where, What: f.what, Fix: f.fix, Evidence: escape(f.evidence), Cites: f.cites,
	})
}

func (r *reporter) count(name string, value, n int, unit string) {
	r.res.Metrics[name] = result.Exactly(float64(value), n, unit)
}

// finish puts the worst findings first and says which were not listed.
func (r *reporter) finish() *result.Result {
	rank := []result.Severity{result.High, result.Medium, result.Low, result.Info}
	slices.SortStableFunc(r.res.Findings, func(a, b result.Finding) int {
		return slices.Index(rank, a.Severity) - slices.Index(rank, b.Severity)
	})
	rules := make([]string, 0, len(r.dropped))
	for rule := range r.dropped {
		rules = append(rules, rule)
	}
	slices.Sort(rules)
	for _, rule := range rules {
		r.res.Notes = append(r.res.Notes, fmt.Sprintf("%d more findings of %s are counted and not listed", r.dropped[rule], rule))
	}
	return r.res
}

// escape shortens text that a log chose and spells out what does not print.
func escape(s string) string {
	const most = 80
	cut := len(s) > most
	if cut {
		s = s[:most]
	}
	q := strconv.QuoteToASCII(s)
	if q = q[1 : len(q)-1]; cut {
		q += "…"
	}
	return strings.ReplaceAll(q, `\"`, `"`)
}

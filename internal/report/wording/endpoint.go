package wording

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

// Endpoint says how many questions each attack on a served model took, of the system as
// it is deployed, and how the service answered; none where the model is a file.
func Endpoint(d *dossier.Dossier) []string {
	var lines []string
	for i := range d.Observations {
		o := &d.Observations[i]
		deployed := slices.ContainsFunc(d.Plan.Items, func(it plan.Item) bool { return it.ID == o.Item && it.Deployed })
		if o.Traffic == nil || !deployed {
			continue
		}
		for _, text := range []string{questions(o), answers(o)} {
			if text != "" {
				lines = append(lines, o.Probe+": "+text)
			}
		}
	}
	return lines
}

// questions says what a success of an attack took.
func questions(o *evidence.Observation) string {
	median, took := o.Metrics["queries_to_success"]
	within, granted := o.Metrics["success_within_grant"]
	var parts []string
	if took {
		text := fmt.Sprintf("half of the successes took %.3g questions on the row or fewer %s", median.Value, Interval(median))
		if late, ok := o.Metrics["queries_to_success_p90"]; ok {
			text += fmt.Sprintf(", 90 %% took %.3g or fewer %s", late.Value, Interval(late))
		}
		if taught, ok := o.Metrics["training_queries"]; ok {
			text += fmt.Sprintf(", after %s that taught the surrogate once for all", Measured(taught.Value))
		}
		parts = append(parts, text)
	}
	if granted {
		grant, _ := o.Parameters["grant"].(float64)
		parts = append(parts, fmt.Sprintf("%s %s of the %s rows with something to gain fall within the %s that a user is granted", Percent(within.Value), Interval(within), Whole(int64(within.N)), Number(grant)))
	}
	return strings.Join(parts, "; ")
}

// answers says how fast a service answers, and whether it keeps to its limit.
func answers(o *evidence.Observation) string {
	var parts []string
	say := func(name, format string, show func(result.Metric) string) {
		if m, ok := o.Metrics[name]; ok {
			parts = append(parts, fmt.Sprintf(format, show(m)))
		}
	}
	timed := func(m result.Metric) string { return fmt.Sprintf("%.3g ms [%.3g, %.3g]", m.Value, m.Lower, m.Upper) }
	say("latency_median", "half of the calls of one row are answered within %s", timed)
	say("latency_p90", "90 %% within %s", timed)
	say("latency_p99", "99 %% within %s", timed)
	say("throughput", "full batches bring %s rows a second", func(m result.Metric) string { return Whole(int64(m.Value)) })
	say("answered_past_limit", "%s", func(m result.Metric) string {
		if m.Value > 0 {
			return "the limit on questions that the manifest declares was not kept"
		}
		return "the limit on questions that the manifest declares was kept"
	})
	return strings.Join(parts, "; ")
}

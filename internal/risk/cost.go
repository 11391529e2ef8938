package risk

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/report/wording"
)

// Cost is what one attack of an assessment needed, ordered by the factors of
// attack potential (CEM, ISO/IEC 18045). An evaluator rates it: there is no
// rating here, and no level of resistance follows from it.
type Cost struct {
	Observation string   `json:"observation"`
	Probe       string   `json:"probe"`
	Solutions   []string `json:"solutions_on"`
	Outcome     []string `json:"outcome"` // what it achieved, as criteria read it
	Factors     []Factor `json:"factors"`
}

// Factor is one factor with the facts that bear on it.
type Factor struct {
	Name  string   `json:"name"`
	Facts []string `json:"facts"`
	// Choices are the steps that the evaluator rates by, without their points.
	Choices []string `json:"choices"`
	// Confidence is that of the weakest step in the catalogue.
	Confidence string `json:"confidence"`
}

// Costs lists the attacks of a dossier: what was measured by asking the model,
// against threats whose attacker asks the model, on the system as it is deployed. Probes
// are those of this build; one that it no longer has is told by its id alone.
func Costs(t *catalogue.Tables, d *dossier.Dossier, probes []Probe) ([]Cost, error) {
	c, err := t.Catalogue()
	if err != nil {
		return nil, err
	}
	ratings, err := t.Ratings()
	if err != nil {
		return nil, err
	}
	attacker := func(p Probe) bool {
		return slices.ContainsFunc(c.Threats, func(x catalogue.Threat) bool {
			return (x.Knowledge == "queries" || x.Knowledge == "full") && slices.Contains(p.Threats, x.ID)
		})
	}
	var all []Cost
	for i := range d.Observations {
		o := &d.Observations[i]
		at := slices.IndexFunc(probes, func(p Probe) bool { return p.ID == o.Probe })
		if o.State != "measured" || o.Queries == 0 || at < 0 || !attacker(probes[at]) || !deployed(d, o) {
			continue
		}
		cost := Cost{Observation: o.ID, Probe: o.Probe, Solutions: o.SolutionsOn, Outcome: outcome(d, o)}
		for _, name := range factors(ratings) {
			f := Factor{Name: name, Facts: facts(name, d, o, probes[at]), Confidence: "stored"}
			for _, r := range ratings {
				if r.Scheme == "cem" && r.Kind == "factor" && r.Name == name {
					f.Choices = append(f.Choices, r.Value)
					f.Confidence = weaker(f.Confidence, r.Confidence)
				}
			}
			cost.Factors = append(cost.Factors, f)
		}
		all = append(all, cost)
	}
	return all, nil
}

// factors lists the factors of the CEM in the table's order.
func factors(ratings []catalogue.Rating) []string {
	var names []string
	for _, r := range ratings {
		if r.Scheme == "cem" && r.Kind == "factor" && !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}

// deployed says whether an observation was made with on what the deployed
// system has on; an item that the plan does not know counts as such.
func deployed(d *dossier.Dossier, o *evidence.Observation) bool {
	for _, i := range d.Plan.Items {
		if i.ID == o.Item {
			return i.Deployed
		}
	}
	return true
}

func outcome(d *dossier.Dossier, o *evidence.Observation) []string {
	var all []string
	for _, x := range d.Decisions {
		if m := x.Measured; m != nil && slices.Contains(x.From, o.ID) {
			line := fmt.Sprintf("%s %s %s, n %s", wording.Metric(x.Metric), wording.In(m.Unit, m.Value), wording.Interval(*m), wording.Whole(int64(m.N)))
			if !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	if all == nil { // no criterion reads it
		for _, name := range slices.Sorted(maps.Keys(o.Metrics)) {
			if m := o.Metrics[name]; strings.HasSuffix(name, "success") {
				all = append(all, fmt.Sprintf("%s %s %s, n %s", wording.Metric(name), wording.In(m.Unit, m.Value), wording.Interval(m), wording.Whole(int64(m.N))))
			}
		}
	}
	return all
}

// facts are what an observation knows of one factor. What it cannot know is
// said too, because an evaluator has to find it elsewhere.
func facts(factor string, d *dossier.Dossier, o *evidence.Observation, p Probe) []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	needed, found := o.Metrics["queries_to_success"]
	switch factor {
	case "elapsed time":
		say("%s of one core for all %s queries", wording.Seconds(o.Seconds), wording.Whole(o.Queries))
		if found {
			say("%s of one core for the median of queries that a success took", wording.Seconds(o.Seconds/float64(o.Queries)*needed.Value))
		}
		say("not observed: the time to prepare the attack, and how fast the deployed service answers")
	case "specialist expertise":
		say("the attack ran without a person: %s, version %d", o.Probe, o.Version)
		papers := slices.DeleteFunc(slices.Clone(p.Cites), func(c string) bool { // law and threats are no recipe
			return strings.HasPrefix(c, "AI Act") || strings.HasPrefix(c, "ENISA") || strings.HasPrefix(c, "EN ")
		})
		if len(papers) > 0 {
			say("the method is published: %s", strings.Join(papers, "; "))
		}
		say("not observed: what a person had to know to set it up")
	case "knowledge of the target":
		say("it worked with: %s", p.Uses)
		for _, key := range []string{"access", "norm", "epsilon", "unit"} {
			if v, ok := o.Parameters[key]; ok {
				say("%s: %v", key, v)
			}
		}
		say("not observed: how hard the domain and the meaning of the features are to learn")
	case "window of opportunity":
		say("%s queries in all, on %s rows", wording.Whole(o.Queries), wording.Whole(int64(max(o.RowsCount, 0))))
		if q, ok := o.Parameters["queries"]; ok {
			say("allowed: %v queries a row", q)
		}
		if found {
			say("needed where it succeeded: median %s %s, n %s", wording.Measured(needed.Value), wording.Interval(needed), wording.Whole(int64(needed.N)))
			if late, ok := o.Metrics["queries_to_success_p90"]; ok {
				say("nine of ten successes came within %s %s", wording.Measured(late.Value), wording.Interval(late))
			}
		} else {
			say("no count of queries to a success: these were spent, which is not what an attack needs")
		}
	case "equipment":
		for _, e := range d.Environments {
			if e.ID == o.Environment {
				say("%s, %d cores, %s %s", e.Processor, e.Cores, e.OS, e.Arch)
			}
		}
		say("software: %s", d.Tool)
	default:
		say("nothing is observed of it")
	}
	return all
}

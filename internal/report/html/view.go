package html

import (
	"fmt"
	"html/template"
	"maps"
	"slices"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/report/page"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

// view is a dossier as the template wants it.
type view struct {
	*dossier.Dossier
	Policy, Headline             string
	Style                        template.CSS
	Means, Shows, ShowsNot, Runs string
	Asked                        string // of a served model; "" where it is a file
	Endpoint                     []string
	Criteria, CriteriaPassed     int
	Claims, Others               []*goal
	Counts                       []wording.Count
	Changes                      []*change
	Masking                      []string
	Unmeasured                   []solution
	Gaps                         []wording.Gap
	Lineage                      *drawing
	LineageError                 string
	Names                        map[artefact.Digest]string
	Rest                         []*observation
	Items                        []item
	Answered                     []dossier.Requirement // that are not open
	Exhibits                     bool                  // rows of the target's data are shown
}

type goal struct {
	dossier.Goal
	Anchor       string
	Decisions    []decision
	Observations []*observation // shown here
	Elsewhere    []*observation // shown with an earlier goal
	Changes      []*change
}

type decision struct {
	dossier.Decision
	Why, Ask string
	Source   string // where the level comes from
	Version  int
	Unit     string
	Bar      *drawing
	Sources  []*observation
}

type observation struct {
	evidence.Observation
	Anchor   string
	Deployed bool
	Compared bool // made only to compare with another one
	Shares   bool // intervals are drawn beside the numbers
	Numbers  []number
	Pictures []picture
	Examples []exhibit
	Params   []pair
	Read     []string
}

type number struct {
	Name string
	result.Metric
	Judged bool // a criterion reads it
	Bar    *drawing
}

type pair struct{ Name, Value string }

type item struct {
	plan.Item
	Params []pair
}

type change struct {
	dossier.Effect
	Anchor  string
	Bar     *drawing
	Sources []*observation
}

type solution struct {
	manifest.Solution
	Expired bool
	Why     string // why there is no effect
}

// look arranges d for the template.
func look(d *dossier.Dossier, examples []Example) *view {
	style := page.Style(own)
	v := &view{
		Dossier: d, Policy: page.Policy(style), Headline: wording.Headline(d), Style: template.CSS(style),
		Means: wording.VerdictMeans, Shows: wording.VerificationShows, ShowsNot: wording.VerificationLacks(d), Runs: wording.Runs(d), Asked: wording.Asked(d), Endpoint: wording.Endpoint(d),
		Counts: wording.Counts(d.Summary), Gaps: wording.Gaps(d), Names: map[artefact.Digest]string{},
	}
	for _, a := range d.Artefacts {
		v.Names[a.Digest] = a.Name
	}
	for _, r := range d.Requirements {
		if r.State != "open" {
			v.Answered = append(v.Answered, r)
		}
	}
	for _, c := range v.Counts {
		v.Criteria += c.Total
		v.CriteriaPassed += c.By[0]
	}
	number := 0
	all := v.observations(&number)
	for _, o := range all {
		if o.Examples = exhibits(examples, o.ID); len(o.Examples) > 0 && !v.Exhibits {
			v.Exhibits = true
			v.Policy += "; img-src data:"
		}
	}
	v.effects(all, &number)
	shown := map[*observation]bool{}
	for i, g := range d.Goals {
		out := &goal{Goal: g, Anchor: fmt.Sprintf("goal-%d", i+1)}
		out.Decisions = v.decisions(g.ID, all, &number)
		for _, o := range all {
			switch {
			case !v.concerns(o, out):
			case shown[o]:
				out.Elsewhere = append(out.Elsewhere, o)
			default:
				shown[o] = true
				out.Observations = append(out.Observations, o)
			}
		}
		for _, c := range v.Changes {
			if slices.Contains(c.Goals, g.ID) {
				out.Changes = append(out.Changes, c)
			}
		}
		if g.Claimed {
			v.Claims = append(v.Claims, out)
		} else {
			v.Others = append(v.Others, out)
		}
	}
	for _, o := range all {
		if !shown[o] {
			v.Rest = append(v.Rest, o)
		}
	}
	v.Masking = wording.Masking(d)
	for _, s := range wording.Unmeasured(d) {
		v.Unmeasured = append(v.Unmeasured, solution{s, wording.Expired(s, d.Started), wording.WhyUnmeasured(s)})
	}
	if l, err := artefact.Trace(d.Artefacts); err != nil {
		v.LineageError = err.Error()
	} else {
		v.Lineage = drawLineage(l)
	}
	for _, i := range d.Plan.Items {
		v.Items = append(v.Items, item{i, pairs(i.Parameters)})
	}
	return v
}

func (v *view) item(id string) *plan.Item {
	i := slices.IndexFunc(v.Plan.Items, func(i plan.Item) bool { return i.ID == id })
	if i < 0 {
		return nil
	}
	return &v.Plan.Items[i]
}

func (v *view) concerns(o *observation, g *goal) bool {
	if it := v.item(o.Item); it != nil && slices.Contains(it.Goals, g.ID) {
		return true
	}
	return slices.ContainsFunc(g.Decisions, func(d decision) bool { return slices.Contains(d.From, o.ID) })
}

func (v *view) observations(id *int) []*observation {
	var all []*observation
	for i, o := range v.Dossier.Observations {
		out := &observation{Observation: o, Anchor: fmt.Sprintf("observation-%d", i+1), Params: pairs(o.Parameters)}
		if it := v.item(o.Item); it != nil {
			out.Deployed, out.Compared = it.Deployed, !it.Deployed && o.State == result.Measured
		}
		for _, dig := range o.Inputs {
			name := string(dig)
			if n := v.Names[dig]; n != "" {
				name = n
			}
			out.Read = append(out.Read, name)
		}
		for _, name := range slices.Sorted(maps.Keys(o.Metrics)) {
			n := number{Name: name, Metric: o.Metrics[name]}
			n.Judged = slices.ContainsFunc(v.Decisions, func(k dossier.Decision) bool { return k.Metric == name && slices.Contains(k.From, o.ID) })
			n.Bar = drawSpread(next(id), name, n.Metric)
			out.Shares = out.Shares || n.Bar != nil
			out.Numbers = append(out.Numbers, n)
		}
		slices.SortStableFunc(out.Numbers, func(a, b number) int { return order(b.Judged) - order(a.Judged) })
		for _, p := range o.Pictures {
			if drawn, ok := draw(next(id), p); ok {
				out.Pictures = append(out.Pictures, drawn)
			}
		}
		all = append(all, out)
	}
	return all
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

func next(id *int) string {
	*id++
	return fmt.Sprintf("picture-%d", *id)
}

func named(all []*observation, ids []string) []*observation {
	var out []*observation
	for _, o := range all {
		if slices.Contains(ids, o.ID) {
			out = append(out, o)
		}
	}
	return out
}

func (v *view) decisions(goal string, all []*observation, id *int) []decision {
	var out []decision
	for _, k := range v.Dossier.Decisions {
		if k.Goal != goal {
			continue
		}
		d := decision{Decision: k, Sources: named(all, k.From)}
		if i := slices.IndexFunc(v.Plan.Criteria, func(c catalogue.Criterion) bool { return c.ID == k.Criterion }); i >= 0 {
			c := v.Plan.Criteria[i]
			d.Why, d.Source, d.Version = c.Why, c.Source, c.Version
		}
		if k.Measured != nil {
			d.Unit = k.Measured.Unit
			d.Bar = drawAgainst(next(id), *k.Measured, k.Metric, k.Compare, k.Level)
		}
		if k.Metric != "" {
			d.Ask = wording.Metric(k.Metric) + " " + wording.Level(k.Compare, k.Level, d.Unit)
		}
		out = append(out, d)
	}
	return out
}

func (v *view) effects(all []*observation, id *int) {
	for i, e := range v.Effects {
		v.Changes = append(v.Changes, &change{
			Effect: e, Anchor: fmt.Sprintf("effect-%d", i+1), Sources: named(all, e.From), Bar: drawDifference(next(id), e),
		})
	}
}

// pairs puts parameters in order, with values as people write them.
func pairs(m map[string]any) []pair {
	var out []pair
	for _, k := range slices.Sorted(maps.Keys(m)) {
		value := fmt.Sprint(m[k])
		if f, ok := m[k].(float64); ok {
			value = wording.Number(f)
		}
		out = append(out, pair{wording.Words(k), value})
	}
	return out
}

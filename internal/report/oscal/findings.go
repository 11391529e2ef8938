package oscal

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

type observation struct {
	UUID        string     `json:"uuid"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Props       []property `json:"props,omitempty"`
	Methods     []string   `json:"methods"`
	Types       []string   `json:"types"`
	Origins     []origin   `json:"origins"`
	Subjects    []subject  `json:"subjects,omitempty"`
	Evidence    []relevant `json:"relevant-evidence,omitempty"`
	Collected   string     `json:"collected"`
	Expires     string     `json:"expires,omitempty"`
}

type origin struct {
	Actors []actor `json:"actors"`
}

type actor struct {
	Type string `json:"type"`
	UUID string `json:"actor-uuid"`
}

type subject struct {
	UUID  string `json:"subject-uuid"`
	Type  string `json:"type"`
	Title string `json:"title"`
}

type relevant struct {
	HRef        string `json:"href"`
	Description string `json:"description"`
}

type finding struct {
	UUID         string               `json:"uuid"`
	Title        string               `json:"title"`
	Description  string               `json:"description"`
	Props        []property           `json:"props,omitempty"`
	Origins      []origin             `json:"origins"`
	Target       target               `json:"target"`
	Observations []relatedObservation `json:"related-observations,omitempty"`
	Risks        []relatedRisk        `json:"related-risks,omitempty"`
}

type target struct {
	Type   string `json:"type"`
	ID     string `json:"target-id"`
	Title  string `json:"title"`
	Status status `json:"status"`
}

type status struct {
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Remarks string `json:"remarks,omitempty"`
}

type relatedObservation struct {
	UUID string `json:"observation-uuid"`
}

type relatedRisk struct {
	UUID string `json:"risk-uuid"`
}

type risk struct {
	UUID         string               `json:"uuid"`
	Title        string               `json:"title"`
	Description  string               `json:"description"`
	Statement    string               `json:"statement"`
	Props        []property           `json:"props,omitempty"`
	Status       string               `json:"status"`
	Origins      []origin             `json:"origins"`
	Mitigating   []mitigating         `json:"mitigating-factors,omitempty"`
	Observations []relatedObservation `json:"related-observations,omitempty"`
}

type mitigating struct {
	UUID        string `json:"uuid"`
	Description string `json:"description"`
}

func (w *writer) headline() string { return text(wording.Headline(w.d) + " " + wording.VerdictMeans) }

func (w *writer) origins() []origin { return []origin{{[]actor{{"tool", w.tool}}}} }

func (w *writer) observations() []observation {
	var all []observation
	for _, o := range w.d.Observations {
		all = append(all, w.measured(o))
	}
	for _, s := range w.d.Solutions {
		if s.Record != "" {
			all = append(all, w.record(s))
		}
	}
	return all
}

func (w *writer) measured(o evidence.Observation) observation {
	out := observation{
		UUID: w.id("observation", o.ID), Title: text(o.ID + ", " + o.Probe), Methods: []string{"TEST"}, Types: []string{"control-objective"},
		Origins: w.origins(), Collected: moment(o.Ended),
		Description: text(fmt.Sprintf("Probe %s, version %d: %s. %s", o.Probe, o.Version, wording.Words(string(o.State)), wording.Sentence(o.Reason))),
	}
	if o.Ended.IsZero() {
		out.Collected = moment(w.d.Started)
	}
	add := func(name, value, class string) { out.Props = append(out.Props, prop(name, value, class)...) }
	add("state", string(o.State), "")
	add("seed", o.Seed, "")
	for _, s := range o.SolutionsOn {
		add("solution-on", s, "")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Metrics)) {
		m := o.Metrics[name]
		add(name, number(m.Value), "value")
		add(name, number(m.Lower), "lower")
		add(name, number(m.Upper), "upper")
		add(name, strconv.Itoa(m.N), "n")
		add(name, m.Unit, "unit")
		add(name, m.Method, "method")
		if m.Confidence > 0 {
			add(name, number(m.Confidence), "confidence")
		}
	}
	for _, v := range o.Validity {
		state := "does not hold"
		if v.OK {
			state = "holds"
		}
		add("validity", v.Check+" "+state+". "+v.Note, "")
	}
	for _, n := range o.Notes {
		add("note", n, "")
	}
	for _, f := range o.Findings {
		add("finding", f.Rule+", "+string(f.Severity)+", "+f.Where+": "+f.What, string(f.Severity))
	}
	for _, a := range w.d.Artefacts {
		if slices.Contains(o.Inputs, a.Digest) {
			out.Subjects = append(out.Subjects, subject{w.id("artefact", a.Name), "resource", text(a.Name)})
		}
	}
	if o.Digest != "" {
		out.Evidence = []relevant{{"#" + w.id("evidence", o.ID), "The observation as it was logged, by its digest."}}
	}
	return out
}

// record is organisational evidence: declared, dated and owned, examined by nobody here.
func (w *writer) record(s manifest.Solution) observation {
	out := observation{
		UUID: w.id("record", s.Name), Title: text("Record: " + s.Name), Methods: []string{"EXAMINE"}, Types: []string{"mitigation"},
		Origins: w.origins(), Collected: moment(w.d.Started),
		Description: text("Declared by its owner; its file is digested, its contents were not assessed."),
	}
	for _, p := range [][2]string{{"owner", s.Owner}, {"date", string(s.Date)}, {"valid-until", string(s.ValidUntil)}, {"function", s.Function}} {
		out.Props = append(out.Props, prop(p[0], p[1], "")...)
	}
	for _, g := range s.Goals {
		out.Props = append(out.Props, prop("goal", g, "")...)
	}
	if wording.Expired(s, w.d.Started) {
		out.Props = append(out.Props, prop("expired", "true", "")...)
	}
	if s.ValidUntil != "" {
		out.Expires = moment(s.ValidUntil.Time().AddDate(0, 0, 1))
	}
	for _, a := range w.d.Artefacts {
		if a.Path == s.Record {
			out.Subjects = []subject{{w.id("artefact", a.Name), "resource", text(a.Name)}}
		}
	}
	return out
}

// findings has one for each goal and one for each criterion.
func (w *writer) findings() []finding {
	var all []finding
	for _, g := range w.d.Goals {
		f := finding{UUID: w.id("goal", g.ID), Title: text("Goal: " + g.Title), Description: text(wording.Sentence(g.Because)), Origins: w.origins(), Target: target{"objective-id", goalObjective(g.ID), text(g.Title), verdict(g.Decision, "")}}
		f.Props = slices.Concat(prop("verdict", string(g.Decision), ""), prop("claimed", fmt.Sprint(g.Claimed), ""), prop("set-by", g.SetBy, ""))
		for _, k := range w.d.Decisions {
			if k.Goal == g.ID {
				f.relate(w, k)
			}
		}
		all = append(all, f)
	}
	for _, k := range w.d.Decisions {
		f := finding{UUID: w.id("decision", k.Goal, k.Criterion), Title: text("Criterion: " + k.Criterion), Description: text(wording.Sentence(k.Because)), Origins: w.origins(), Target: target{"objective-id", criterionObjective(k.Criterion), text(k.Criterion), verdict(k.Decision, k.Missing)}}
		f.Props = slices.Concat(prop("verdict", string(k.Decision), ""), prop("set-by", k.SetBy, ""), prop("goal", k.Goal, ""), prop("metric", k.Metric, ""), prop("compare", k.Compare, ""))
		if k.Level != nil {
			f.Props = append(f.Props, prop("level", number(*k.Level), "")...)
		}
		if k.Measured != nil {
			f.Props = slices.Concat(f.Props, prop("measured", number(k.Measured.Value), "value"), prop("measured", number(k.Measured.Lower), "lower"), prop("measured", number(k.Measured.Upper), "upper"), prop("measured", strconv.Itoa(k.Measured.N), "n"))
		}
		for _, c := range k.Cites {
			f.Props = append(f.Props, prop("cites", c, "")...)
		}
		for _, c := range k.Caveats {
			f.Props = append(f.Props, prop("caveat", c, "")...)
		}
		f.relate(w, k)
		all = append(all, f)
	}
	return all
}

// relate adds what a decision rests on, and the risk that it makes.
func (f *finding) relate(w *writer, k dossier.Decision) {
	for _, o := range k.From {
		if one := (relatedObservation{w.id("observation", o)}); !slices.Contains(f.Observations, one) {
			f.Observations = append(f.Observations, one)
		}
	}
	if k.Decision == dossier.Fail {
		f.Risks = append(f.Risks, relatedRisk{w.id("risk", k.Goal, k.Criterion)})
	}
}

// verdict is a verdict in OSCAL's words: nothing but pass is satisfied.
func verdict(v dossier.Verdict, missing string) status {
	s := status{State: "not-satisfied", Reason: "other", Remarks: text(wording.Words(string(v)))}
	switch v {
	case dossier.Pass:
		s = status{State: "satisfied", Reason: "pass"}
	case dossier.Fail:
		s.Reason = "fail"
	}
	if missing != "" {
		s.Remarks = text(s.Remarks + ". Missing: " + missing)
	}
	return s
}

// risks has one for each criterion that fails and each finding of a scan that is
// high or medium.
func (w *writer) risks() []risk {
	var all []risk
	for _, k := range w.d.Decisions {
		if k.Decision != dossier.Fail {
			continue
		}
		title := k.Goal
		for _, g := range w.d.Goals {
			if g.ID == k.Goal {
				title = g.Title
			}
		}
		r := risk{UUID: w.id("risk", k.Goal, k.Criterion), Title: text("Not so: " + title), Description: text(wording.Sentence(k.Because)), Status: "open", Origins: w.origins(),
			Statement: text("By criterion " + k.Criterion + ", " + wording.Whose(k.SetBy) + ", the goal does not hold for this version, on this data and under this threat model."),
			Props:     prop("goal", k.Goal, "")}
		for _, o := range k.From {
			r.Observations = append(r.Observations, relatedObservation{w.id("observation", o)})
		}
		for i, e := range w.d.Effects {
			if slices.Contains(e.Goals, k.Goal) {
				r.Mitigating = append(r.Mitigating, mitigating{w.id("effect", k.Criterion, strconv.Itoa(i)), text(fmt.Sprintf("%v, measured with and without by %s: %s %s on %d rows (%s).",
					e.Solutions, e.Probe, wording.Points(e.Difference), wording.Between(wording.Share, e.Lower, e.Upper), e.N, e.Method))})
			}
		}
		all = append(all, r)
	}
	for _, o := range w.d.Observations {
		for i, f := range o.Findings {
			if f.Severity != result.High && f.Severity != result.Medium {
				continue
			}
			all = append(all, risk{UUID: w.id("risk", o.ID, strconv.Itoa(i)), Title: text(f.Rule), Description: text(f.What), Status: "open", Origins: w.origins(),
				Statement: text(f.Where + ": " + f.What + " " + f.Fix), Props: slices.Concat(prop("severity", string(f.Severity), ""), prop("evidence", f.Evidence, "")), Observations: []relatedObservation{{w.id("observation", o.ID)}}})
		}
	}
	return all
}

// resources are the files that the dossier binds, by digest.
func (w *writer) resources() backMatter {
	d := w.d
	b := backMatter{Resources: []resource{{UUID: w.id("plan"), Title: "Plan, logged before the first measurement", Props: prop("digest", string(d.Plan.Digest), ""), RLinks: []rlink{{HRef: "dossier.json"}}}}}
	if d.Manifest != "" {
		b.Resources = append(b.Resources, resource{UUID: w.id("manifest"), Title: "Manifest of the target", RLinks: []rlink{{"assize.yaml", sha256Of(d.Manifest)}}})
	}
	for _, a := range d.Artefacts {
		b.Resources = append(b.Resources, resource{UUID: w.id("artefact", a.Name), Title: text("Artefact " + a.Name), Props: slices.Concat(prop("kind", string(a.Kind), ""), prop("size-bytes", strconv.FormatInt(a.SizeBytes, 10), "")), RLinks: []rlink{{href(a.Path), sha256Of(a.Digest)}}})
	}
	for _, o := range d.Observations {
		if o.Digest != "" {
			b.Resources = append(b.Resources, resource{UUID: w.id("evidence", o.ID), Title: text("Observation " + o.ID), RLinks: []rlink{{href("evidence/" + o.Digest.Hex()), sha256Of(o.Digest)}}})
		}
	}
	return b
}

// number writes a number in full, as a program reads it back.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

package annexiv

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

// declared lists the levels that the provider set.
func declared(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, k := range d.Decisions {
		if k.SetBy == "provider" && k.Metric != "" {
			rows = append(rows, []string{wording.Metric(k.Metric), wording.Level(k.Compare, k.Level, unit(k)), k.Goal})
		}
	}
	return table([]string{"Metric", "Declared", "Goal"}, rows)
}

func unit(k dossier.Decision) string {
	if k.Measured != nil {
		return k.Measured.Unit
	}
	return ""
}

// value shows what a decision rests on.
func value(k dossier.Decision) string {
	if k.Measured == nil {
		return "nothing measured"
	}
	return fmt.Sprintf("%s, %s, n %s", wording.In(k.Measured.Unit, k.Measured.Value), wording.Interval(*k.Measured), wording.Whole(int64(k.Measured.N)))
}

func procedures(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, i := range d.Plan.Items {
		var parameters []string
		for _, k := range slices.Sorted(maps.Keys(i.Parameters)) {
			v := fmt.Sprint(i.Parameters[k])
			if f, ok := i.Parameters[k].(float64); ok {
				v = wording.Number(f)
			}
			parameters = append(parameters, wording.Words(k)+" "+v)
		}
		on := cmp.Or(strings.Join(i.Solutions, ", "), "none")
		if i.Deployed {
			on += " (as deployed)"
		}
		rows = append(rows, []string{i.Probe + " v" + strconv.Itoa(i.Version), strings.Join(i.Goals, ", "), strings.Join(i.Inputs, ", "), rowsOf(i), on, strings.Join(parameters, ", ")})
	}
	return table([]string{"Probe", "Goals", "Read", "Rows", "Measures on", "Parameters"}, rows)
}

func rowsOf(i plan.Item) string {
	if i.Rows == 0 {
		return "–"
	}
	return wording.Whole(int64(i.Rows))
}

// metrics lists what probes of some families measured, as deployed.
func metrics(d *dossier.Dossier, in func(family string) bool) []Block {
	var rows [][]string
	var notes []string
	for _, o := range d.Observations {
		family, _, _ := strings.Cut(o.Probe, "/")
		if o.State != result.Measured || !in(family) || !wording.Deployed(d, &o) {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(o.Metrics)) {
			m := o.Metrics[name]
			rows = append(rows, []string{o.Probe, wording.Metric(name), wording.In(m.Unit, m.Value), wording.Interval(m), wording.Whole(int64(m.N)), m.Unit, m.Method})
		}
		for _, n := range o.Notes {
			notes = append(notes, o.Probe+": "+wording.Sentence(n))
		}
	}
	var tables []Block
	for _, o := range d.Observations {
		family, _, _ := strings.Cut(o.Probe, "/")
		if o.State != result.Measured || !in(family) || !wording.Deployed(d, &o) {
			continue
		}
		for _, t := range o.Tables {
			if !t.Data { // single persons have no place in technical documentation
				tables = append(append(tables, Block{Text: o.Probe + ": " + wording.Sentence(t.Title)}), table(t.Head, t.Rows)...)
			}
		}
	}
	blocks := table([]string{"Probe", "Metric", "Value", "95 % interval", "n", "Unit", "Method"}, rows)
	for _, n := range notes {
		blocks = append(blocks, Block{Text: n})
	}
	return append(blocks, tables...)
}

func isAccuracy(family string) bool { return family == "performance" }

func isRobustness(family string) bool {
	return family == "evasion" || family == "formal" || family == "availability"
}

func accuracy(d *dossier.Dossier) []Block   { return metrics(d, isAccuracy) }
func robustness(d *dossier.Dossier) []Block { return metrics(d, isRobustness) }

func others(d *dossier.Dossier) []Block {
	return metrics(d, func(f string) bool { return !isAccuracy(f) && !isRobustness(f) })
}

func decisions(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, k := range d.Decisions {
		because := wording.Sentence(k.Because)
		if k.Missing != "" {
			because += " Missing: " + wording.Sentence(k.Missing)
		}
		rows = append(rows, []string{k.Goal, k.Criterion, wording.SetBy(k.SetBy), wording.Symbol(k.Decision) + " " + wording.Words(string(k.Decision)), value(k), because})
	}
	return table([]string{"Goal", "Criterion", "Set by", "Decision", "Measured", "Because"}, rows)
}

func validity(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, o := range d.Observations {
		for _, v := range o.Validity {
			holds := "does not hold"
			if v.OK {
				holds = "holds"
			}
			rows = append(rows, []string{o.ID + ", " + o.Probe, wording.Words(v.Check), holds, v.Note})
		}
	}
	return table([]string{"Observation", "Check", "Outcome", "What was seen"}, rows)
}

func gaps(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, g := range wording.Gaps(d) {
		rows = append(rows, []string{g.What, g.State, wording.Sentence(g.Reason)})
	}
	if len(rows) == 0 {
		return paragraph("Nothing was left out.")
	}
	return table([]string{"What", "State", "Reason"}, rows)
}

func testLog(d *dossier.Dossier) []Block {
	ended := wording.Moment(d.Ended)
	if d.Interrupted {
		ended += ", interrupted before its end"
	}
	blocks := pairs([2]string{"Run", d.Run}, [2]string{"Begun", wording.Moment(d.Started)}, [2]string{"Ended", ended}, [2]string{"Depth", d.Plan.Depth},
		[2]string{"Plan, logged first", string(d.Plan.Digest)}, [2]string{"Catalogue", string(d.Plan.Catalogue)}, [2]string{"Manifest", string(d.Manifest)},
		[2]string{"Ledger", d.Log.Origin}, [2]string{"Signed by", d.Log.Key})
	var rows [][]string
	for _, o := range d.Observations {
		rows = append(rows, []string{o.ID, o.Probe, wording.Words(string(o.State)), wording.Moment(o.Ended), string(o.Digest)})
	}
	blocks = append(blocks, table([]string{"Observation", "Probe", "State", "Ended", "Digest"}, rows)...)
	return append(blocks, Block{Text: wording.VerificationShows}, Block{Text: wording.VerificationLacks(d)})
}

func goalTable(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, g := range d.Goals {
		claimed := "no"
		if g.Claimed {
			claimed = "yes"
		}
		rows = append(rows, []string{g.Title, claimed, wording.Symbol(g.Decision) + " " + wording.Words(string(g.Decision)), wording.SetBy(g.SetBy), wording.Sentence(g.Because)})
	}
	return table([]string{"Goal", "Claimed", "Decision", "Criterion set by", "Because"}, rows)
}

// levels are the tested levels with their intervals, as instructions for use state them.
func levels(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, k := range d.Decisions {
		if k.Measured != nil && k.Metric != "" {
			rows = append(rows, []string{wording.Metric(k.Metric), value(k), wording.Level(k.Compare, k.Level, unit(k)), wording.SetBy(k.SetBy), wording.Symbol(k.Decision) + " " + wording.Words(string(k.Decision))})
		}
	}
	return table([]string{"Metric", "Measured", "Level", "Set by", "Decision"}, rows)
}

func caveats(d *dossier.Dossier) []Block {
	var blocks []Block
	for _, c := range d.Summary.Caveats {
		blocks = append(blocks, Block{Text: wording.Sentence(c)})
	}
	if blocks == nil {
		return paragraph("The assessment recorded no caveat.")
	}
	return blocks
}

func feasible(d *dossier.Dossier) []Block {
	if d.Plan.Guessed {
		return paragraph("The ranges of the inputs were guessed from data and confirmed by nobody; what rests on them cannot pass.")
	}
	return paragraph("The feasible inputs are those of the domain in the manifest (" + string(d.Manifest) + "); nothing had to be guessed.")
}

func criteria(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, k := range d.Plan.Criteria {
		rows = append(rows, []string{k.ID, k.Goal, wording.Metric(k.Metric), wording.SetBy(k.SetBy), k.Why})
	}
	return table([]string{"Criterion", "Goal", "Metric", "Set by", "Why"}, rows)
}

func cites(d *dossier.Dossier) []Block {
	by := map[string][]string{}
	for _, k := range d.Decisions {
		for _, c := range k.Cites {
			if !slices.Contains(by[c], k.Criterion) {
				by[c] = append(by[c], k.Criterion)
			}
		}
	}
	var rows [][]string
	for _, c := range slices.Sorted(maps.Keys(by)) {
		rows = append(rows, []string{c, strings.Join(by[c], ", ")})
	}
	return table([]string{"Cited", "By criteria"}, rows)
}

// onData lists what probes of data measured: those that read a data set and no model.
func onData(d *dossier.Dossier) []Block {
	kinds := map[artefact.Digest]artefact.Kind{}
	for _, a := range d.Artefacts {
		kinds[a.Digest] = a.Kind
	}
	var rows [][]string
	for _, o := range d.Observations {
		has := func(k artefact.Kind) bool {
			return slices.ContainsFunc(o.Inputs, func(in artefact.Digest) bool { return kinds[in] == k })
		}
		family, _, _ := strings.Cut(o.Probe, "/")
		if o.State != result.Measured || !has(artefact.Dataset) || has(artefact.Model) && family != "poisoning" && family != "provenance" {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(o.Metrics)) {
			m := o.Metrics[name]
			rows = append(rows, []string{o.Probe, wording.Metric(name), wording.In(m.Unit, m.Value), wording.Interval(m)})
		}
	}
	return table([]string{"Probe", "Metric", "Value", "95 % interval"}, rows)
}

package annexiv

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/report/wording"
)

const unstated = "not stated"

// paragraph is one block of text, or none where the text is empty.
func paragraph(text string) []Block {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return []Block{{Text: text}}
}

// table is one block, or none where it has no rows.
func table(head []string, rows [][]string) []Block {
	if len(rows) == 0 {
		return nil
	}
	return []Block{{Head: head, Rows: rows}}
}

// pairs is a table of names and values without those that have no value.
func pairs(all ...[2]string) []Block {
	var rows [][]string
	for _, p := range all {
		if strings.TrimSpace(p[1]) != "" {
			rows = append(rows, []string{p[0], p[1]})
		}
	}
	return table([]string{"What", "Value"}, rows)
}

func purpose(d *dossier.Dossier) []Block { return paragraph(d.Target.IntendedPurpose) }

func identity(d *dossier.Dossier) []Block {
	return pairs([2]string{"System", cmp.Or(d.Target.Name, unstated)}, [2]string{"Version", cmp.Or(d.Target.Version, unstated)},
		[2]string{"Provider", cmp.Or(d.Target.Provider, unstated)}, [2]string{"Classification, as declared", wording.Classification(d.Target.Classification)})
}

// surrounds is the declared environment, empty where none is.
func surrounds(d *dossier.Dossier) manifest.Environment {
	if d.Target.Environment == nil {
		return manifest.Environment{}
	}
	return *d.Target.Environment
}

func surroundings(d *dossier.Dossier) []Block {
	e := surrounds(d)
	return pairs([2]string{"Infrastructure", e.Infrastructure}, [2]string{"Components of others", strings.Join(e.ThirdParty, ", ")})
}

func versions(d *dossier.Dossier) []Block {
	all := [][2]string{{"System", cmp.Or(d.Target.Version, unstated)}, {"Components of others", strings.Join(surrounds(d).ThirdParty, ", ")}}
	for _, a := range d.Artefacts {
		if a.Kind == artefact.Model || a.Kind == artefact.Code {
			all = append(all, [2]string{a.Name + " (" + string(a.Kind) + ")", string(a.Digest)})
		}
	}
	for _, e := range d.Environments {
		all = append(all, [2]string{"Runtime in the tests", e.Runtime})
	}
	return pairs(append(all, [2]string{"Assessed by", d.Tool})...)
}

func hardware(d *dossier.Dossier) []Block { return paragraph(surrounds(d).Hardware) }

func tested(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, e := range d.Environments {
		rows = append(rows, []string{e.ID, e.Processor + ", " + strconv.Itoa(e.Cores) + " cores", e.OS + " " + e.Arch + " " + e.Kernel, strconv.Itoa(e.Threads)})
	}
	return table([]string{"Environment", "Processor", "System", "Threads per session"}, rows)
}

// lineage says of each artefact what it was made from.
func lineage(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, a := range d.Artefacts {
		from := strings.Join(a.From, ", ")
		if a.Of != "" {
			from = strings.Trim(from+"; answers of "+a.Of+" on "+a.On, "; ")
		}
		rows = append(rows, []string{a.Name, string(a.Kind), cmp.Or(from, "no origin named")})
	}
	return table([]string{"Artefact", "Kind", "Made from"}, rows)
}

func components(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, a := range d.Artefacts {
		rows = append(rows, []string{a.Name, string(a.Kind), a.Path, wording.Bytes(a.SizeBytes), string(a.Digest)})
	}
	return table([]string{"Component", "Kind", "File", "Size", "Digest"}, rows)
}

func computing(d *dossier.Dossier) []Block {
	var seconds float64
	var queries int64
	for _, o := range d.Observations {
		seconds += o.Seconds
		queries += o.Queries
	}
	if len(d.Observations) == 0 {
		return nil
	}
	return paragraph(fmt.Sprintf("%d observations asked %s rows of the model in %s of one core.", len(d.Observations), wording.Whole(queries), wording.Seconds(seconds)))
}

func datasets(d *dossier.Dossier) []Block {
	var rows [][]string
	for _, a := range d.Artefacts {
		if a.Kind != artefact.Dataset {
			continue
		}
		var used []string
		for _, i := range d.Plan.Items {
			if slices.Contains(i.Inputs, a.Name) && !slices.Contains(used, i.Probe) {
				used = append(used, i.Probe)
			}
		}
		rows = append(rows, []string{a.Name, a.Path, wording.Bytes(a.SizeBytes), string(a.Digest), cmp.Or(strings.Join(a.From, ", "), "no origin named"), cmp.Or(strings.Join(used, ", "), "not used in a test")})
	}
	return table([]string{"Data set", "File", "Size", "Digest", "Made from", "Used by"}, rows)
}

func overseer(d *dossier.Dossier) []Block { return paragraph(d.Target.Roles["oversight"]) }

func lifeCycle(d *dossier.Dossier) []Block {
	l := d.Target.LifeCycle
	if l == nil {
		return nil
	}
	changes := strings.Join(l.PredeterminedChanges, "; ")
	if changes == "" {
		changes = "none declared"
	}
	return pairs([2]string{"Learning in service", l.Learning}, [2]string{"Retraining", l.Retraining}, [2]string{"Changes determined beforehand", changes})
}

// withFunction lists the solutions that have one of some functions.
func withFunction(d *dossier.Dossier, functions ...string) []Block {
	var rows [][]string
	for _, s := range d.Solutions {
		if slices.Contains(functions, s.Function) {
			rows = append(rows, []string{s.Name, wording.Words(s.Type), s.Function, strings.Join(s.Goals, ", "), evidenceOf(d, s)})
		}
	}
	return table([]string{"Measure", "Type", "Function", "For goals", "Evidence"}, rows)
}

func control(d *dossier.Dossier) []Block { return withFunction(d, "control", "respond") }

func running(d *dossier.Dossier) []Block { return withFunction(d, "detect", "respond", "resolve") }

func measures(d *dossier.Dossier) []Block {
	return withFunction(d, "prevent", "detect", "respond", "resolve", "control")
}

// evidenceOf says what shows that a solution works: its measured effects, or its record.
func evidenceOf(d *dossier.Dossier, s manifest.Solution) string {
	var all []string
	for _, e := range d.Effects {
		if slices.Contains(e.Solutions, s.Name) {
			all = append(all, fmt.Sprintf("%s: %s %s on %s rows, with %s on against off", e.Probe, wording.Points(e.Difference), points95(e), wording.Whole(int64(e.N)), strings.Join(e.Solutions, " and ")))
		}
	}
	if len(all) > 0 {
		return strings.Join(all, "; ")
	}
	if s.Record == "" {
		return wording.WhyUnmeasured(s)
	}
	record := "record " + s.Record + " of " + s.Owner + ", " + string(s.Date)
	for _, a := range d.Artefacts {
		if a.Path == s.Record {
			record += ", " + string(a.Digest)
		}
	}
	if s.ValidUntil != "" {
		record += ", valid until " + string(s.ValidUntil)
	}
	if wording.Expired(s, d.Started) {
		record += ", EXPIRED on the day of the assessment"
	}
	return record + "; no effect was measured"
}

func points95(e dossier.Effect) string {
	return "[" + wording.Points(e.Lower) + ", " + wording.Points(e.Upper) + "]"
}

func history(d *dossier.Dossier) []Block {
	return paragraph(fmt.Sprintf("Version %s was assessed on %s. The ledger of this target holds %d earlier runs; its entries %d to %d are of this one.",
		cmp.Or(d.Target.Version, unstated), wording.Moment(d.Started), d.Log.EarlierRuns, d.Log.First, d.Log.Size-1))
}

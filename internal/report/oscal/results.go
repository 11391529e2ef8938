package oscal

import (
	"fmt"
	"io"
	"slices"

	"github.com/assize/assize/internal/dossier"
)

type assessmentResults struct {
	UUID     string           `json:"uuid"`
	Metadata metadata         `json:"metadata"`
	Plan     importPlan       `json:"import-ap"`
	Local    localDefinitions `json:"local-definitions,omitzero"`
	Results  []assessment     `json:"results"`
	Back     backMatter       `json:"back-matter"`
}

type importPlan struct {
	HRef    string `json:"href"`
	Remarks string `json:"remarks"`
}

type localDefinitions struct {
	Objectives []localObjective `json:"objectives-and-methods,omitempty"`
}

type localObjective struct {
	Control     string `json:"control-id"`
	Description string `json:"description,omitempty"`
	Parts       []part `json:"parts"`
}

type assessment struct {
	UUID         string        `json:"uuid"`
	Title        string        `json:"title"`
	Description  string        `json:"description"`
	Start        string        `json:"start"`
	End          string        `json:"end,omitempty"`
	Props        []property    `json:"props,omitempty"`
	Local        localAssets   `json:"local-definitions"`
	Reviewed     reviewed      `json:"reviewed-controls"`
	Observations []observation `json:"observations,omitempty"`
	Risks        []risk        `json:"risks,omitempty"`
	Findings     []finding     `json:"findings,omitempty"`
	Remarks      string        `json:"remarks,omitempty"`
}

type localAssets struct {
	Assets assets `json:"assessment-assets"`
}

type assets struct {
	Components []component `json:"components"`
	Platforms  []platform  `json:"assessment-platforms"`
}

type component struct {
	UUID        string         `json:"uuid"`
	Type        string         `json:"type"`
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Status      componentState `json:"status"`
}

type componentState struct {
	State string `json:"state"`
}

type platform struct {
	UUID  string     `json:"uuid"`
	Title string     `json:"title"`
	Props []property `json:"props,omitempty"`
	Uses  []uses     `json:"uses-components"`
}

type uses struct {
	Component string `json:"component-uuid"`
}

type reviewed struct {
	Selections []selection          `json:"control-selections"`
	Objectives []objectiveSelection `json:"control-objective-selections,omitempty"`
}

type selection struct {
	All     *struct{}       `json:"include-all,omitempty"` // where no goal was decided
	Include []selectControl `json:"include-controls,omitempty"`
}

type selectControl struct {
	ID string `json:"control-id"`
}

type objectiveSelection struct {
	Include []selectObjective `json:"include-objectives"`
}

type selectObjective struct {
	ID string `json:"objective-id"`
}

// writer holds what the parts of one document share.
type writer struct {
	d    *dossier.Dossier
	tool string // the UUID of the tool
}

func (w *writer) id(names ...string) string {
	return uuid(append([]string{"run", w.d.Run}, names...)...)
}

// WriteResults writes d as OSCAL assessment results: an observation for each
// measurement, with its metrics as properties, and for each organisational record; a
// finding for each criterion and each goal; a risk for each criterion that fails and
// each serious thing that a scan found; the digests of all files in the back matter.
//
// OSCAL knows satisfied and not satisfied alone. Only pass is satisfied; the verdict
// itself stands in a property and in the reason.
func WriteResults(out io.Writer, d *dossier.Dossier) error {
	w := &writer{d: d}
	w.tool = w.id("tool")
	provider := w.id("provider")
	name := text(d.Target.Provider)
	if name == "" {
		name = "provider, not named in the manifest"
	}
	ar := assessmentResults{
		UUID: w.id("assessment-results"),
		Metadata: metadata{
			Title: text("Assessment of " + d.Target.Name + " " + d.Target.Version), LastModified: moment(d.Ended), Version: token("run-" + d.Run), OSCAL: Version,
			Roles: []role{{"provider", "Provider of the AI system"}}, Parties: []party{{provider, "organization", name}},
			Responsible: []responsibleParty{{"provider", []string{provider}}},
		},
		Plan:  importPlan{HRef: "#" + w.id("plan"), Remarks: "The plan stands in dossier.json under plan; it was logged before the first measurement."},
		Local: w.objectives(),
		Back:  w.resources(),
	}
	ar.Results = []assessment{w.assessment()}
	return encode(out, "assessment-results", ar)
}

func (w *writer) assessment() assessment {
	d := w.d
	a := assessment{
		UUID: w.id("result"), Title: text("Run " + d.Run), Description: w.headline(), Start: moment(d.Started), End: moment(d.Ended),
		Observations: w.observations(), Risks: w.risks(), Findings: w.findings(),
	}
	for _, p := range [][2]string{
		{"depth", d.Plan.Depth}, {"plan-digest", string(d.Plan.Digest)}, {"catalogue-digest", string(d.Plan.Catalogue)}, {"manifest-digest", string(d.Manifest)},
		{"seed-nonce", d.Plan.SeedNonce}, {"log-origin", d.Log.Origin}, {"log-key", d.Log.Key}, {"log-size", fmt.Sprint(d.Log.Size)}, {"earlier-runs", fmt.Sprint(d.Log.EarlierRuns)},
		{"interrupted", fmt.Sprint(d.Interrupted)},
	} {
		a.Props = append(a.Props, prop(p[0], p[1], "")...)
	}
	for _, c := range d.Summary.Caveats {
		a.Props = append(a.Props, prop("caveat", c, "")...)
	}
	a.Local.Assets.Components = []component{{w.tool, "software", text(d.Tool), "The tool that measured and decided.", componentState{"operational"}}}
	for _, e := range d.Environments {
		p := platform{UUID: w.id("environment", e.ID), Title: text(e.ID + ", " + e.OS + " " + e.Arch), Uses: []uses{{w.tool}}}
		for _, v := range [][2]string{{"processor", e.Processor}, {"cores", fmt.Sprint(e.Cores)}, {"threads-per-session", fmt.Sprint(e.Threads)}, {"kernel", e.Kernel}, {"runtime", e.Runtime}} {
			p.Props = append(p.Props, prop(v[0], v[1], "")...)
		}
		a.Local.Assets.Platforms = append(a.Local.Assets.Platforms, p)
	}
	if len(d.Environments) == 0 {
		a.Local.Assets.Platforms = []platform{{UUID: w.id("environment"), Title: "not recorded", Uses: []uses{{w.tool}}}}
	}
	a.Reviewed = w.reviewed()
	return a
}

// reviewed selects the goals that were decided and the criteria that were applied.
func (w *writer) reviewed() reviewed {
	var s selection
	var objectives []selectObjective
	for _, g := range w.d.Goals {
		s.Include = append(s.Include, selectControl{goalID(g.ID)})
		objectives = append(objectives, selectObjective{goalObjective(g.ID)})
	}
	for _, k := range w.d.Decisions {
		o := selectObjective{criterionObjective(k.Criterion)}
		if !slices.Contains(objectives, o) {
			objectives = append(objectives, o)
		}
	}
	if s.Include == nil {
		s.All = &struct{}{}
	}
	r := reviewed{Selections: []selection{s}}
	if objectives != nil {
		r.Objectives = []objectiveSelection{{objectives}}
	}
	return r
}

// objectives defines every objective that a finding names, so that the document
// is whole without the catalogue that the plan used.
func (w *writer) objectives() localDefinitions {
	var l localDefinitions
	for _, g := range w.d.Goals {
		o := localObjective{Control: goalID(g.ID), Description: text(g.Title), Parts: []part{{ID: goalObjective(g.ID), Name: "objective", Prose: text(g.Title)}}}
		var seen []string
		for _, k := range w.d.Decisions {
			if k.Goal != g.ID || slices.Contains(seen, k.Criterion) {
				continue
			}
			seen = append(seen, k.Criterion)
			p := part{ID: criterionObjective(k.Criterion), Name: "objective", Title: text(k.Criterion), Prose: text(k.Because)}
			for _, c := range w.d.Plan.Criteria {
				if c.ID == k.Criterion {
					p = criterion(c)
				}
			}
			o.Parts = append(o.Parts, p)
		}
		l.Objectives = append(l.Objectives, o)
	}
	return l
}

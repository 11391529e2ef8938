package oscal

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/assize/assize/internal/catalogue"
)

type catalog struct {
	UUID     string     `json:"uuid"`
	Metadata metadata   `json:"metadata"`
	Groups   []group    `json:"groups"`
	Back     backMatter `json:"back-matter"`
}

type group struct {
	ID       string     `json:"id"`
	Class    string     `json:"class,omitempty"`
	Title    string     `json:"title"`
	Props    []property `json:"props,omitempty"`
	Groups   []group    `json:"groups,omitempty"`
	Controls []control  `json:"controls,omitempty"`
}

type control struct {
	ID    string     `json:"id"`
	Class string     `json:"class,omitempty"`
	Title string     `json:"title"`
	Props []property `json:"props,omitempty"`
	Links []link     `json:"links,omitempty"`
	Parts []part     `json:"parts,omitempty"`
}

// frameworks are the top groups in order, with what they are.
func frameworks() [][2]string {
	return [][2]string{
		{catalogue.Groups, "Groups of requirements in ENISA's report of March 2023, Table 3"},
		{catalogue.AIAct, "AI Act, Regulation (EU) 2024/1689"},
		{catalogue.EN304223, "ETSI EN 304 223, provisions"},
		{catalogue.CRA, "Cyber Resilience Act, Regulation (EU) 2024/2847, Annex I"},
		{"own", "Requirements of the tables laid over the catalogue"},
	}
}

// WriteCatalog writes the requirements of t as an OSCAL catalog: a group for each
// framework, below it groups by article, principle or part, and controls in own words;
// the report's eight groups link to what they ask of the other frameworks. The goals of
// an assessment are controls too, with a part for each criterion: what assessment results point to.
func WriteCatalog(w io.Writer, t *catalogue.Tables) error {
	requirements, err1 := t.Requirements()
	links, err2 := t.Links()
	snapshots, err3 := t.Snapshots()
	all, err4 := t.Catalogue()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	related := crosswalk(requirements, links)
	digest := string(all.Digest)
	c := catalog{UUID: uuid("catalog", digest)}
	for _, f := range frameworks() {
		if g := framework(f[0], f[1], requirements, related); len(g.Groups) > 0 {
			c.Groups = append(c.Groups, g)
		}
	}
	c.Groups = append(c.Groups, goals(all))
	var collected time.Time
	if n := len(snapshots); n > 0 {
		collected, _ = time.Parse(time.DateOnly, snapshots[n-1].Date) // a month without a day is the zero time
	}
	c.Metadata = metadata{
		Title: "Requirements on AI systems and on their cybersecurity, in own words", LastModified: moment(collected),
		Version: all.Digest.Short(), OSCAL: Version, Props: prop("catalogue-digest", digest, ""),
		Remarks: "Texts are in own words and no substitute for the law or the standards. The properties source and confidence say where each comes from and how sure it is.",
	}
	for _, s := range sources(requirements) {
		c.Back.Resources = append(c.Back.Resources, resource{UUID: uuid("source", s), Title: text(s)})
	}
	return encode(w, "catalog", c)
}

// controlID is a requirement's id as OSCAL takes it. Provisions begin with a digit, so they get the number of their standard.
func controlID(r catalogue.Requirement) string {
	if r.Framework == catalogue.EN304223 {
		return token("EN304223-" + r.ID)
	}
	return token(r.ID)
}

// section names the group below a framework in which r stands.
func section(r catalogue.Requirement) string {
	switch r.Framework {
	case catalogue.AIAct:
		first, _, _ := strings.Cut(r.Reference, "(")
		if at := strings.Index(first, " point"); at > 0 {
			first = first[:at]
		}
		return strings.TrimSpace(first)
	case catalogue.CRA, catalogue.EN304223:
		return r.Subject
	}
	return r.ID + " " + r.Subject
}

func framework(id, title string, all []catalogue.Requirement, related map[string][]link) group {
	top := group{ID: token(id), Class: "framework", Title: title}
	for _, r := range all {
		if r.Framework != id {
			continue
		}
		name := section(r)
		i := slices.IndexFunc(top.Groups, func(g group) bool { return g.Title == text(name) })
		if i < 0 {
			i = len(top.Groups)
			top.Groups = append(top.Groups, group{ID: token(id + "-" + strings.ReplaceAll(name, " ", "-")), Class: "section", Title: text(name)})
		}
		top.Groups[i].Controls = append(top.Groups[i].Controls, requirement(r, related[r.ID]))
	}
	return top
}

func requirement(r catalogue.Requirement, related []link) control {
	c := control{ID: controlID(r), Class: "requirement", Title: text(r.Reference + " " + r.Subject), Links: related}
	for _, p := range [][2]string{
		{"label", r.Reference}, {"addressee", r.Addressee}, {"check", r.Check}, {"relevance", r.Relevance}, {"norm", r.Norm}, {"phase", r.Phase},
		{"typical-evidence", r.Evidence}, {"applies-from", r.AppliesFrom}, {"standards", strings.Join(r.Standards, ", ")}, {"source", r.Source}, {"confidence", r.Confidence},
	} {
		c.Props = append(c.Props, prop(p[0], p[1], "")...)
	}
	c.Parts = []part{{ID: c.ID + "_smt", Name: "statement", Prose: text(r.Text)}}
	c.Links = append(c.Links, link{HRef: "#" + uuid("source", r.Source), Rel: "reference"})
	return c
}

// crosswalk gives each of the report's groups a link to every requirement that a
// crosswalk puts below it.
func crosswalk(all []catalogue.Requirement, links []catalogue.Link) map[string][]link {
	byID := map[string]catalogue.Requirement{}
	for _, r := range all {
		byID[r.ID] = r
	}
	out := map[string][]link{}
	for _, l := range links {
		from, ok1 := byID[l.From]
		to, ok2 := byID[l.To]
		if !ok1 || !ok2 || from.Framework != catalogue.Groups || from.Framework == to.Framework {
			continue
		}
		one := link{HRef: "#" + controlID(to), Rel: "related", Text: text(cmp.Or(l.Relation, "related") + ", " + l.Basis)}
		if !slices.ContainsFunc(out[from.ID], func(o link) bool { return o.HRef == one.HRef }) {
			out[from.ID] = append(out[from.ID], one)
		}
	}
	return out
}

func goals(c *catalogue.Catalogue) group {
	top := group{ID: "goals", Class: "framework", Title: "Goals of an assessment and the criteria that decide them"}
	for _, g := range c.Goals {
		out := control{ID: goalID(g.ID), Class: "goal", Title: text(g.Title), Props: prop("threats", strings.Join(g.Threats, ", "), "")}
		out.Parts = []part{{ID: out.ID + "_smt", Name: "statement", Prose: text(g.Text)}, {ID: goalObjective(g.ID), Name: "objective", Prose: text(g.Text)}}
		for _, k := range c.Criteria {
			if k.Goal == g.ID {
				out.Parts = append(out.Parts, criterion(k))
			}
		}
		top.Controls = append(top.Controls, out)
	}
	return top
}

// criterion is one objective of a goal.
func criterion(k catalogue.Criterion) part {
	p := part{ID: criterionObjective(k.ID), Name: "objective", Title: text(k.ID), Prose: text(k.Why)}
	for _, v := range [][2]string{{"probe", k.Probe}, {"metric", k.Metric}, {"compare", k.Compare}, {"kind", k.Kind}, {"set-by", k.SetBy}, {"cites", strings.Join(k.Cites, "; ")}} {
		p.Props = append(p.Props, prop(v[0], v[1], "")...)
	}
	return p
}

func goalID(goal string) string             { return token("goal-" + goal) }
func goalObjective(goal string) string      { return token("goal-" + goal + "_obj") }
func criterionObjective(name string) string { return token("criterion-" + name) }

// sources lists what the requirements come from, each once.
func sources(all []catalogue.Requirement) []string {
	var out []string
	for _, r := range all {
		if !slices.Contains(out, r.Source) {
			out = append(out, r.Source)
		}
	}
	return out
}

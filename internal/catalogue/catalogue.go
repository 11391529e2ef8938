// Package catalogue holds standards and law as data: threats, goals, types of
// solution, and the objective criteria that decide. The files in data are
// edited by hand, checked by lint, and digested apart from the program.
package catalogue

import (
	"slices"

	"github.com/assize/assize/internal/artefact"
)

// Threat is a way in which an artefact of the target is harmed at a stage of its life.
type Threat struct {
	ID        string            `yaml:"id" json:"id" lint:"need,id"`
	Title     string            `yaml:"title" json:"title" lint:"need"`
	Text      string            `yaml:"text" json:"text" lint:"need"`
	Harms     []string          `yaml:"harms" json:"harms" lint:"enum=confidentiality|integrity|availability"`
	Stages    []string          `yaml:"stages" json:"stages" lint:"enum=design|data collection|training|deployment|operation"`
	Assets    []string          `yaml:"assets" json:"assets" lint:"need"`
	Knowledge string            `yaml:"knowledge" json:"knowledge" lint:"enum=none|queries|access to the artefact|full"` // the least that an attacker must have
	LeadsTo   []string          `yaml:"leads_to" json:"leads_to" lint:"ref=threats.yaml"`                                // threats that it prepares
	Names     map[string]string `yaml:"names" json:"names"`                                                              // its name or id in other schemes
}

// references are the threat's ids in schemes whose threats are in names.csv,
// and the provision that speaks of it.
func (t Threat) references() []reference {
	var refs []reference
	for _, scheme := range []string{"smla", "nist_ai_100_2", "atlas", "owasp_ai_exchange"} {
		if id, ok := t.Names[scheme]; ok {
			refs = append(refs, reference{"names.csv", id})
		}
	}
	if id, ok := t.Names["etsi_en_304_223"]; ok {
		refs = append(refs, reference{"requirements.csv", id})
	}
	return refs
}

// Goal is what must hold against some threats.
type Goal struct {
	ID      string   `yaml:"id" json:"id" lint:"need,id"`
	Title   string   `yaml:"title" json:"title" lint:"need"`
	Text    string   `yaml:"text" json:"text" lint:"need"`
	Threats []string `yaml:"threats" json:"threats" lint:"ref=threats.yaml"`
}

// SolutionType is a kind of measure that a provider can put in place for goals.
type SolutionType struct {
	ID         string   `yaml:"id" json:"id" lint:"need,id"`
	Title      string   `yaml:"title" json:"title" lint:"need"`
	Kind       string   `yaml:"kind" json:"kind" lint:"enum=technical|organisational"`
	Switchable bool     `yaml:"switchable" json:"switchable"`
	Goals      []string `yaml:"goals" json:"goals" lint:"ref=goals.yaml"`
	Functions  []string `yaml:"functions" json:"functions" lint:"need,enum=prevent|detect|respond|resolve|control"` // of Art. 15(5)
	Effect     string   `yaml:"effect" json:"effect" lint:"need"`                                                   // how what it does is measured
	Controls   []string `yaml:"controls" json:"controls" lint:"ref=controls.csv"`                                   // general controls that it puts to work
}

// Criterion turns one metric of one probe into a decision. It travels in the
// plan and the dossier, so that others can judge by it again.
type Criterion struct {
	ID string `yaml:"id" json:"id"`
	// Version counts up whenever the level, the comparison or what is read changes.
	Version  int    `yaml:"version" json:"version,omitempty"`
	Goal     string `yaml:"goal" json:"goal"`
	Kind     string `yaml:"kind" json:"kind"`                             // declared, absolute or budget
	Declared string `yaml:"declared,omitempty" json:"declared,omitempty"` // key under the manifest's declared
	Probe    string `yaml:"probe" json:"probe"`
	Metric   string `yaml:"metric" json:"metric"`
	Compare  string `yaml:"compare" json:"compare"` // at_least or at_most
	// Level is the threshold by depth.
	Level map[string]float64 `yaml:"level,omitempty" json:"level,omitempty"`
	// Threshold is the level that a plan settled on; absent in the catalogue itself.
	Threshold *float64 `yaml:"-" json:"threshold,omitempty"`
	// Confidence is the least at which an interval decides; 0 is DefaultConfidence.
	// What was counted needs none.
	Confidence float64 `yaml:"confidence,omitempty" json:"confidence,omitempty"`
	// Applies is a condition in CEL over the target; empty is always.
	Applies string `yaml:"applies,omitempty" json:"applies,omitempty"`
	// NotApplicable is why it does not apply to the target of a plan; empty where
	// it does, and in the catalogue itself.
	NotApplicable string `yaml:"-" json:"not_applicable,omitempty"`
	// Added says that it comes from a folder laid over the catalogue.
	Added bool `yaml:"-" json:"added,omitempty"`
	// ConfirmedDomain: a measurement on a guessed domain cannot pass.
	ConfirmedDomain bool     `yaml:"confirmed_domain,omitempty" json:"confirmed_domain,omitempty"`
	SetBy           string   `yaml:"set_by" json:"set_by"`                     // law, standard, provider, assessor or default
	Source          string   `yaml:"source,omitempty" json:"source,omitempty"` // where the level comes from
	Why             string   `yaml:"why" json:"why"`
	Cites           []string `yaml:"cites" json:"cites"` // what the decision answers
}

// Key is the threat's id.
func (t Threat) Key() string { return t.ID }

func (Threat) file() string { return "threats.yaml" }

// Key is the goal's id.
func (g Goal) Key() string { return g.ID }

func (Goal) file() string { return "goals.yaml" }

// Key is the id of the type of solution.
func (s SolutionType) Key() string { return s.ID }

func (SolutionType) file() string { return "solutions.yaml" }

// Key is the criterion's id.
func (k Criterion) Key() string { return k.ID }

func (Criterion) file() string { return "criteria.yaml" }

// The kinds of criterion, its comparisons, and who can set one.
const (
	Declared = "declared"
	Absolute = "absolute"
	Budget   = "budget"

	AtLeast = "at_least"
	AtMost  = "at_most"

	SetByDefault = "default"
	// SetByAssessor marks what whoever received a dossier, or assesses for a third party, set.
	SetByAssessor = "assessor"
)

// Depths lists the depths that a level is set for.
func Depths() []string { return []string{"quick", "standard", "thorough"} }

// DefaultConfidence is that of a criterion that states none.
const DefaultConfidence = 0.95

// SetBys lists who can set a criterion, strongest first.
func SetBys() []string { return []string{"law", "standard", "provider", SetByAssessor, SetByDefault} }

// Catalogue is all of it, in the order of the files.
type Catalogue struct {
	Threats   []Threat
	Goals     []Goal
	Solutions []SolutionType
	Criteria  []Criterion
	Digest    artefact.Digest

	places map[string]string // of criteria, by id
}

// Load reads the catalogue that this build carries.
func Load() (*Catalogue, error) {
	t, err := Open(Options{})
	if err != nil {
		return nil, err
	}
	return t.Catalogue()
}

// Goal looks a goal up by its id.
func (c *Catalogue) Goal(id string) (Goal, bool) {
	i := slices.IndexFunc(c.Goals, func(g Goal) bool { return g.ID == id })
	if i < 0 {
		return Goal{}, false
	}
	return c.Goals[i], true
}

// GoalIDs are the ids of all goals.
func (c *Catalogue) GoalIDs() []string {
	var ids []string
	for _, g := range c.Goals {
		ids = append(ids, g.ID)
	}
	return ids
}

// Criterion looks a criterion up by its id.
func (c *Catalogue) Criterion(id string) (Criterion, bool) {
	i := slices.IndexFunc(c.Criteria, func(k Criterion) bool { return k.ID == id })
	if i < 0 {
		return Criterion{}, false
	}
	return c.Criteria[i], true
}

// Place is the file and line of a criterion, as errors name it.
func (c *Catalogue) Place(criterion string) string {
	if place, ok := c.places[criterion]; ok {
		return place
	}
	return Criterion{}.file()
}

// Solution looks a type of solution up by its id.
func (c *Catalogue) Solution(id string) (SolutionType, bool) {
	i := slices.IndexFunc(c.Solutions, func(s SolutionType) bool { return s.ID == id })
	if i < 0 {
		return SolutionType{}, false
	}
	return c.Solutions[i], true
}

// Package manifest reads assize.yaml: the target, its artefacts and interface,
// the decision rule, the domain, the solutions in place, the threat model, and
// what the provider declares and claims.
//
// Reading is strict. Every field is in the JSON Schema that Schema returns,
// which is also what validates; what a schema cannot say is checked after it.
package manifest

import (
	"time"

	"github.com/assize/assize/internal/artefact"
)

// Version is the version of the format that this package reads.
const Version = 1

// Manifest is one assize.yaml, with its defaults filled in. Written as JSON it
// is a manifest again.
type Manifest struct {
	Assize      int              `json:"assize"`
	Target      Target           `json:"target"`
	Artefacts   []Artefact       `json:"artefacts"`
	Interface   Interface        `json:"interface"`
	Decision    Decision         `json:"decision"`
	Domain      *Domain          `json:"domain,omitempty"` // nil where none is declared
	Solutions   []Solution       `json:"solutions,omitempty"`
	ThreatModel ThreatModel      `json:"threat_model,omitzero"`
	Declared    map[string]Level `json:"declared,omitempty"` // by the name of the metric
	Claims      []string         `json:"claims,omitempty"`   // ids of goals; the catalogue knows whether they exist
	Depth       string           `json:"depth,omitempty"`    // quick, standard or thorough
	Records     []Record         `json:"records,omitempty"`
	Catalogue   string           `json:"catalogue,omitempty"` // folder laid over the catalogue; "" is none

	// Dir is the absolute folder of the file; "" after Parse.
	Dir string `json:"-"`
	// Digest is that of the file's bytes.
	Digest artefact.Digest `json:"-"`
	// Overrides is what an assessor put in place of the provider's choice; LoadWith fills it.
	Overrides []Override `json:"-"`

	outside map[string]string // files of the assessor's, by the path that stands for them

	name string // as errors name the file
	root *node  // where each field stands
}

// Date is a day as YYYY-MM-DD.
type Date string

// Time is the beginning of the day in UTC; the zero time where d is "".
func (d Date) Time() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d)) // the schema has checked the form
	return t
}

// Target is the AI system under assessment.
type Target struct {
	Name            string            `json:"name"`
	Version         string            `json:"version"`
	Provider        string            `json:"provider,omitempty"`
	IntendedPurpose string            `json:"intended_purpose,omitempty"` // AI Act Art. 3(12)
	Classification  *Classification   `json:"classification,omitempty"`
	Environment     *Environment      `json:"environment,omitempty"`
	LifeCycle       *LifeCycle        `json:"life_cycle,omitempty"`
	Roles           map[string]string `json:"roles,omitempty"` // who holds it, by role
}

// Classification is the system's place in the AI Act: exactly one of AnnexIII,
// AnnexI and None is set.
type Classification struct {
	AnnexIII   string `json:"annex_iii,omitempty"`   // point, as in "5(b)"
	AnnexI     string `json:"annex_i,omitempty"`     // harmonisation act
	ThirdParty bool   `json:"third_party,omitempty"` // that act asks for a third party's assessment
	None       string `json:"none,omitempty"`        // reason why the system is not high-risk
}

// Environment is what the system runs on.
type Environment struct {
	Hardware       string   `json:"hardware,omitempty"`
	Infrastructure string   `json:"infrastructure,omitempty"`
	ThirdParty     []string `json:"third_party,omitempty"` // components of others with versions
}

// LifeCycle says whether the system goes on learning once it is in service.
type LifeCycle struct {
	Learning             string   `json:"learning"`             // static or continuous
	Retraining           string   `json:"retraining,omitempty"` // whole number and h, d or w
	PredeterminedChanges []string `json:"predetermined_changes,omitempty"`
}

// Artefact is one file or folder, or a served model, as the manifest declares it. Resolve turns it
// into an artefact.Artefact with its measured digest.
type Artefact struct {
	Name   string          `json:"name"`
	Kind   artefact.Kind   `json:"kind"`
	Path   string          `json:"path,omitempty"`   // relative to Dir, with slashes; "" of an endpoint
	Digest artefact.Digest `json:"digest,omitempty"` // pin; "" where not pinned
	From   []string        `json:"from,omitempty"`
	Of     string          `json:"of,omitempty"`
	On     string          `json:"on,omitempty"`
	Input  string          `json:"input,omitempty"` // NPZ: array of inputs
	Label  string          `json:"label,omitempty"` // CSV: column, NPZ: array of true classes
	// Endpoint is set for the kind endpoint alone.
	Endpoint *Endpoint `json:"endpoint,omitempty"`
}

// Solution is a measure that the provider put in place.
type Solution struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`     // id of a solution type in the catalogue
	Function   string   `json:"function"` // prevent, detect, respond, resolve or control
	Goals      []string `json:"goals"`
	Switchable bool     `json:"switchable,omitempty"`
	Digits     *int     `json:"digits,omitempty"`  // set for output-rounding alone
	Queries    *int     `json:"queries,omitempty"` // set for query-limit alone: questions that one client may ask about one case
	Margin     *float64 `json:"margin,omitempty"`  // set for hysteresis and reject-band alone: of the score
	Sigma      *float64 `json:"sigma,omitempty"`   // set for input-noise alone: standard deviation, as a share of each feature's range
	Draws      *int     `json:"draws,omitempty"`   // set for input-noise alone: noisy copies that the model is asked for
	// Baseline names a model that was made without the solution, where the
	// solution is part of the model itself; "" where there is none.
	Baseline   string `json:"baseline,omitempty"`
	Record     string `json:"record,omitempty"` // path relative to Dir
	Owner      string `json:"owner,omitempty"`
	Date       Date   `json:"date,omitempty"`
	ValidUntil Date   `json:"valid_until,omitempty"` // last day on which the record counts
}

// The types of solution about which the manifest itself knows something. The
// catalogue holds all of them.
const (
	InputValidation = "input-validation"
	OutputRounding  = "output-rounding" // needs Digits
	ReferBand       = "refer-band"      // the band of decision.refer_band; needs it
	Hysteresis      = "hysteresis"      // needs Margin
	QueryLimit      = "query-limit"     // needs Queries
	RejectBand      = "reject-band"     // needs Margin
	InputNoise      = "input-noise"     // needs Sigma, Draws and a domain
	DecisionOnly    = "decision-only"
	RecordOnly      = "record" // organisational: needs Record, Owner and Date
)

// Level is what the provider declares of a metric. At least one bound is set.
type Level struct {
	AtLeast *float64 `json:"at_least,omitempty"`
	AtMost  *float64 `json:"at_most,omitempty"`
}

// Record is organisational evidence that belongs to no single solution.
type Record struct {
	Name       string          `json:"name"`
	Path       string          `json:"path"` // relative to Dir
	Owner      string          `json:"owner"`
	Role       string          `json:"role,omitempty"` // in which the owner answers for it
	Date       Date            `json:"date"`           // of an operating log: the day on which it was taken from the system
	ValidUntil Date            `json:"valid_until,omitempty"`
	Digest     artefact.Digest `json:"digest,omitempty"` // pin; "" where not pinned
	Goals      []string        `json:"goals,omitempty"`
	Log        *Log            `json:"log,omitempty"` // nil where it is no operating log
}

// Artefact finds an artefact by name.
func (m *Manifest) Artefact(name string) (Artefact, bool) {
	for _, a := range m.Artefacts {
		if a.Name == name {
			return a, true
		}
	}
	return Artefact{}, false
}

// Baseline names the model that the solutions with a baseline are compared
// with, and these solutions; both are empty where there are none.
func (m *Manifest) Baseline() (name string, without []string) {
	for _, s := range m.Solutions {
		if s.Baseline != "" {
			name, without = s.Baseline, append(without, s.Name)
		}
	}
	return name, without
}

// First is the first artefact of a kind, in the manifest's order.
func (m *Manifest) First(kind artefact.Kind) (Artefact, bool) {
	for _, a := range m.Artefacts {
		if a.Kind == kind {
			return a, true
		}
	}
	return Artefact{}, false
}

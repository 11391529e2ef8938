package manifest

import "cmp"

// Interface says what goes into the model and what comes out.
type Interface struct {
	Input  Input  `json:"input"`
	Output Output `json:"output"`
}

// Layout is the order of an input's values.
type Layout string

// The layouts. Columns are N×D with one column a feature, in the domain's order.
const (
	Columns Layout = "columns"
	NCHW    Layout = "nchw"
	NHWC    Layout = "nhwc"
)

// Input is the model's input.
type Input struct {
	Tensor  string   `json:"tensor,omitempty"` // "" is the model's only input
	Layout  Layout   `json:"layout"`
	Scaling *Scaling `json:"scaling,omitempty"` // nil where the model takes raw values
}

// Scaling is (x - Mean) / Std, done by the system outside the model. Both have
// the same length: one for all inputs, or one for each column or channel.
type Scaling struct {
	Mean []float64 `json:"mean"`
	Std  []float64 `json:"std"` // greater than 0
}

// OutputKind says what the model's numbers mean.
type OutputKind string

// The output kinds.
const (
	Logits              OutputKind = "logits"               // one a class
	Probabilities       OutputKind = "probabilities"        // one a class, from 0 to 1
	PositiveProbability OutputKind = "positive-probability" // one number from 0 to 1
	Label               OutputKind = "label"                // the class itself
	Score               OutputKind = "score"                // one number without a scale
)

// Output is the model's output.
type Output struct {
	Tensor  string     `json:"tensor,omitempty"` // "" is the model's only output
	Kind    OutputKind `json:"kind"`
	Classes []string   `json:"classes,omitempty"` // names in index order; empty where not named
}

// Rule is how outputs become decisions.
type Rule string

// The rules.
const (
	Argmax   Rule = "argmax"    // the class with the largest output
	Cutoff   Rule = "cutoff"    // the positive class's output against one cut-off
	PerClass Rule = "per-class" // each class's output against its own cut-off
	None     Rule = "none"      // no decision: the score itself is what the system gives, as in regression
)

// Decision is the target's own rule. Attacks aim at it.
type Decision struct {
	Rule Rule `json:"rule"`

	// Positive, Cutoff, ReferBand and Outcomes are set for the rule cutoff
	// alone (ReferBand may be empty then too). Cut-offs are in the unit of
	// the output. An output at or over the cut-off is Above, others Below;
	// with a band, low and more but under high is Band, high and more Above.
	Positive  string    `json:"positive,omitempty"` // class; the last index where classes have no names
	Cutoff    *float64  `json:"cutoff,omitempty"`
	ReferBand []float64 `json:"refer_band,omitempty"` // low, high; low <= cutoff <= high, low < high
	Outcomes  *Outcomes `json:"outcomes,omitempty"`

	Cutoffs map[string]float64 `json:"cutoffs,omitempty"` // rule per-class: by class

	Favourable  []string `json:"favourable,omitempty"`    // outcomes or classes that an attacker wants
	ReferIsGain bool     `json:"refer_is_gain,omitempty"` // a refusal that becomes a referral is a gain
}

// Outcomes names the decisions of the rule cutoff.
type Outcomes struct {
	Below string `json:"below"`
	Band  string `json:"band"`
	Above string `json:"above"`
}

// ThreatModel is what an attacker is assumed to be able to do; nil is not stated.
type ThreatModel struct {
	Evasion    *Evasion    `json:"evasion,omitempty"`
	Extraction *Extraction `json:"extraction,omitempty"`
}

// Norm measures the size of a change.
type Norm string

// The norms.
const (
	Linf Norm = "linf"
	L2   Norm = "l2"
	L1   Norm = "l1"
)

// Unit is the unit of an epsilon.
type Unit string

// The units.
const (
	Range Unit = "range" // share of each feature's range
	Raw   Unit = "raw"   // the feature's own unit
)

// Access is what an attacker holds.
type Access string

// The kinds of access.
const (
	BlackBox Access = "black-box" // sees answers
	WhiteBox Access = "white-box" // holds the model
)

// Evasion is an attacker who changes inputs so that the decision changes.
type Evasion struct {
	Norm          Norm    `json:"norm"`
	Epsilon       float64 `json:"epsilon"` // greater than 0, in Unit
	Unit          Unit    `json:"unit,omitempty"`
	Access        Access  `json:"access,omitempty"`
	QueriesPerRow int     `json:"queries_per_row,omitempty"` // 0 is not stated: the depth's default
}

// Extraction is an attacker who copies the model by asking it.
type Extraction struct {
	Queries int `json:"queries"`
}

// fillDefaults sets what the manifest leaves out.
func (m *Manifest) fillDefaults() {
	if m.Depth == "" {
		m.Depth = "standard"
	}
	if d := &m.Decision; d.Rule == Cutoff {
		if d.Outcomes == nil {
			d.Outcomes = &Outcomes{}
		}
		d.Outcomes.Below = cmp.Or(d.Outcomes.Below, "accept")
		d.Outcomes.Band = cmp.Or(d.Outcomes.Band, "refer")
		d.Outcomes.Above = cmp.Or(d.Outcomes.Above, "refuse")
	}
	if e := m.ThreatModel.Evasion; e != nil {
		e.Unit = cmp.Or(e.Unit, Range)
		e.Access = cmp.Or(e.Access, BlackBox)
	}
	for i := range m.Artefacts {
		if e := m.Artefacts[i].Endpoint; e != nil {
			e.fillDefaults()
		}
	}
	if m.Domain != nil {
		for i := range m.Domain.Features.List {
			m.Domain.Features.List[i].fillDefaults()
		}
	}
}

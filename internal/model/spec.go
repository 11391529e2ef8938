package model

import (
	"fmt"
	"slices"

	"github.com/assize/assize/internal/domain"
)

// Kind says what the numbers are that a model gives out.
type Kind string

// The output kinds of a manifest.
const (
	Logits              Kind = "logits"               // K columns before the softmax; one column: before the sigmoid
	Probabilities       Kind = "probabilities"        // K columns that add up to one
	PositiveProbability Kind = "positive-probability" // one column, of the class that the rule calls positive
	Label               Kind = "label"                // the class index alone
	Score               Kind = "score"                // one column on a scale of its own
)

// Spec is all that is needed to open a model and to turn its numbers into
// decisions. It crosses the pipe to the worker as JSON.
type Spec struct {
	Path      string     `json:"path"`             // "" where the model is served
	Served    *Served    `json:"served,omitempty"` // nil where the model is a file
	Input     Input      `json:"input"`
	Output    Output     `json:"output"`
	Rule      Rule       `json:"rule"`
	Domain    *Domain    `json:"domain,omitempty"`
	Solutions []Solution `json:"solutions,omitempty"` // every technical one, in the order in which they act
}

// Input says how a row of data becomes the model's input tensor.
type Input struct {
	Tensor string    `json:"tensor"`          // "" where the model has one input
	Layout string    `json:"layout"`          // columns, nchw or nhwc
	Shape  []int     `json:"shape,omitempty"` // of one row, without the batch; empty: as the model or the data says
	Mean   []float64 `json:"mean,omitempty"`  // per feature (columns) or channel (nchw, nhwc): x is taken as (x-mean)/std
	Std    []float64 `json:"std,omitempty"`
}

// Output names the tensor that holds the answer and says what it means.
type Output struct {
	Tensor  string   `json:"tensor"`
	Kind    Kind     `json:"kind"`
	Classes []string `json:"classes,omitempty"` // names in index order
}

// Domain carries the parts of a domain.Domain over the pipe.
type Domain struct {
	Features  []domain.Feature `json:"features"`
	Relations []string         `json:"relations,omitempty"`
	Confirmed bool             `json:"confirmed"` // a named person vouches for it; false: guessed from the data
}

// Build compiles the domain.
func (d *Domain) Build() (*domain.Domain, error) {
	if d == nil {
		return nil, nil
	}
	return domain.New(d.Features, d.Relations)
}

// Solution is a technical measure that acts on the way in or out of the model.
type Solution struct {
	Name       string  `json:"name"`
	Type       string  `json:"type"`              // one of the types below
	Digits     int     `json:"digits,omitempty"`  // of output-rounding
	Queries    int     `json:"queries,omitempty"` // of query-limit
	Margin     float64 `json:"margin,omitempty"`  // of hysteresis: by how much of a score it holds on to a decision; of reject-band
	Sigma      float64 `json:"sigma,omitempty"`   // of input-noise: standard deviation, as a share of each feature's range
	Draws      int     `json:"draws,omitempty"`   // of input-noise: noisy copies that the model is asked for
	Switchable bool    `json:"switchable"`
}

// The solution types that a Model can put in its chain.
const (
	InputValidation = "input-validation" // refuses rows outside the domain
	OutputRounding  = "output-rounding"  // rounds what is given out to Digits decimal places
	ReferBand       = "refer-band"       // the rule's refer band; off, the cut-off alone decides
	Hysteresis      = "hysteresis"       // a subject's last decision stands until the score passes the cut-off by Margin; see Again
	QueryLimit      = "query-limit"      // answers one client Queries questions about one case; see Model.QueryLimit
	DecisionOnly    = "decision-only"    // gives out the decision in place of the scores
	RejectBand      = "reject-band"      // refuses to decide where the scores are closer than Margin
	InputNoise      = "input-noise"      // adds noise of Sigma to Draws copies of what is left of the input after validation, and gives out their mean
)

// CanSwitch tells whether a solution type can be put in a model's chain.
func CanSwitch(solutionType string) bool {
	return slices.Contains([]string{InputValidation, OutputRounding, ReferBand, Hysteresis, QueryLimit, DecisionOnly, RejectBand, InputNoise}, solutionType)
}

// Rule turns scores into a decision.
type Rule struct {
	Kind string `json:"kind"` // argmax, cutoff, per-class or none
	// Positive is the index of the class that a cut-off is about.
	Positive int     `json:"positive"`
	Cutoff   float64 `json:"cutoff,omitempty"`
	// Band is the range of positive scores, ends included below and excluded above, that a person decides.
	Band *[2]float64 `json:"band,omitempty"`
	// Cutoffs holds a threshold per class, for per-class.
	Cutoffs []float64 `json:"cutoffs,omitempty"`
	// Outcomes names the decisions by index; see Outcomes.
	Outcomes    []string `json:"outcomes"`
	Favourable  []string `json:"favourable,omitempty"`
	ReferIsGain bool     `json:"refer_is_gain,omitempty"`
}

// The rules that a manifest can name.
const (
	Argmax   = "argmax"
	Cutoff   = "cutoff"
	PerClass = "per-class"
	NoRule   = "none" // the score is used as it is; every finite one has the same outcome
)

// Decision is the index of an outcome of the rule, or one of the two below.
type Decision int

// What is not an outcome of the rule.
const (
	Refused  Decision = -1 // a solution turned the input away
	Unusable Decision = -2 // the model's answer was not finite, or no class
)

// For a cutoff rule the outcomes are these, in this order.
const (
	Below Decision = iota
	InBand
	Above
)

// Name is the outcome in words.
func (r *Rule) Name(d Decision) string {
	switch {
	case d == Refused:
		return "refused input"
	case d == Unusable:
		return "unusable answer"
	case int(d) < len(r.Outcomes):
		return r.Outcomes[d]
	}
	return fmt.Sprintf("outcome %d", int(d))
}

// refer is the outcome that leaves the decision to a person, or Unusable where there is none.
func (r *Rule) refer(classes int) Decision {
	switch r.Kind {
	case Cutoff:
		return InBand
	case PerClass:
		return Decision(classes)
	}
	return Unusable
}

// Favours tells whether an outcome is what an attacker wants. It is false
// throughout where the manifest names no favourable outcome.
func (r *Rule) Favours(d Decision, classes int) bool {
	if d < 0 || int(d) >= len(r.Outcomes) || len(r.Favourable) == 0 {
		return false
	}
	if r.ReferIsGain && d == r.refer(classes) {
		return true
	}
	return slices.Contains(r.Favourable, r.Outcomes[d])
}

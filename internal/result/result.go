// Package result holds what a measurement says: metrics with their intervals,
// one outcome per row, pictures' data, and the checks of the measurement itself.
// It has no opinion on whether a value is good; that is for a criterion.
package result

// State says how far a measurement got. Anything but Measured carries a reason.
type State string

// The states of a measurement. A bad value is Measured; Failed means that the
// value could not be obtained although everything it needs was there.
const (
	Measured      State = "measured"
	NotApplicable State = "not-applicable" // the question makes no sense for this target
	NotAvailable  State = "not-available"  // the target lacks what the probe needs
	NotPermitted  State = "not-permitted"  // the manifest or the caller forbids it
	Failed        State = "failed"
)

// Metric is one measured number. Lower and Upper bound it at Confidence by
// Method; where nothing was sampled Method is Exhaustive and both equal Value.
type Metric struct {
	Value      float64 `json:"value"`
	Lower      float64 `json:"lower"`
	Upper      float64 `json:"upper"`
	N          int     `json:"n"`    // what the number was computed from: rows, bytes, cases
	Unit       string  `json:"unit"` // "share", "count", "rows", "queries", "score", "bits", …
	Method     string  `json:"method"`
	Confidence float64 `json:"confidence,omitempty"`
	// K is the number of successes behind a share, so that a reader can compute another interval.
	K *int `json:"k,omitempty"`
}

// Exhaustive is the Method of a number that was counted over everything there is.
const Exhaustive = "exhaustive"

// Exactly makes a metric of a number that was counted, not estimated.
func Exactly(value float64, n int, unit string) Metric {
	return Metric{Value: value, Lower: value, Upper: value, N: n, Unit: unit, Method: Exhaustive}
}

// Validity is one check of the measurement itself. It says nothing about the
// target: a failed one makes every decision from it inconclusive.
type Validity struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	Note  string `json:"note,omitempty"` // what was seen, in a sentence
}

// Finding is one thing found at one place, for probes that look for things
// instead of measuring a share.
type Finding struct {
	Rule     string   `json:"rule"`               // stable id: "onnx/external-data-escapes"
	Severity Severity `json:"severity"`           // how bad when true
	Where    string   `json:"where"`              // artefact and place in it
	What     string   `json:"what"`               // one sentence
	Fix      string   `json:"fix,omitempty"`      // one sentence
	Evidence string   `json:"evidence,omitempty"` // the bytes or name that it rests on, shortened and escaped
	Cites    []string `json:"cites,omitempty"`
}

// Severity orders findings.
type Severity string

// The severities, worst first. Info is worth knowing and never counts.
const (
	High   Severity = "high"
	Medium Severity = "medium"
	Low    Severity = "low"
	Info   Severity = "info"
)

// Result is all that one run of a probe says.
type Result struct {
	State    State             `json:"state"`
	Reason   string            `json:"reason,omitempty"`
	Metrics  map[string]Metric `json:"metrics,omitempty"`
	Validity []Validity        `json:"validity,omitempty"`
	Findings []Finding         `json:"findings,omitempty"`
	Pictures []Picture         `json:"pictures,omitempty"`
	Tables   []Table           `json:"tables,omitempty"`
	Notes    []string          `json:"notes,omitempty"` // limits of the number that a reader must know
	Rows     *Rows             `json:"-"`               // kept in a file of its own
}

// Unmeasured makes a Result that says only why there is no number.
func Unmeasured(state State, reason string) *Result {
	return &Result{State: state, Reason: reason}
}

// Check appends a validity check.
func (r *Result) Check(name string, ok bool, note string) {
	r.Validity = append(r.Validity, Validity{Check: name, OK: ok, Note: note})
}

// Valid tells whether every check of the measurement held.
func (r *Result) Valid() bool {
	for _, v := range r.Validity {
		if !v.OK {
			return false
		}
	}
	return true
}

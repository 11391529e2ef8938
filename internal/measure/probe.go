// Package measure is the contract between a probe and the rest of Assize:
// what a probe says of itself, and what it is given when it runs.
package measure

import (
	"context"
	"time"

	"github.com/assize/assize/internal/result"
)

// Probe measures one thing about a target and checks that its own measurement
// is valid. It never judges. A probe is a constant value; suites are slices of them.
type Probe struct {
	ID      string // "evasion/hopskipjump": family and name
	Version int    // goes up whenever the same input can give another result
	Doc     string // first a sentence for a list, then a blank line and the rest
	Goals   []string
	Threats []string
	Cites   []string // papers and clauses that the method follows
	Needs   Needs
	// Requires names probes whose results it reads; they run before it.
	Requires []string
	// Feeds names a probe that joins this one's rows with those of others, such as
	// evasion/worst. That one says what columns it reads.
	Feeds  string
	Params []Param
	// Metrics names every metric that a result of it can hold, so that criteria
	// can be checked against probes without a run. A result may leave some out.
	Metrics []string
	// Rows says how many rows it works on; nil where it does not work row by
	// row. Rows of data are drawn by the runner; a probe whose Cases is true counts cases of its own instead.
	Rows  func(Scope) int
	Cases bool
	// Isolated asks for a process per row or case, because one may kill it.
	Isolated bool
	// Switch says that it is run with the switchable solutions on and again with them off.
	Switch bool
	// Again says that it asks for a second decision on the same subject (model.Again), which is where
	// hysteresis shows. The others ask about every input as a new subject's, and run without that solution.
	Again bool
	// Paired names the 0/1 column whose difference between the two runs is the
	// solutions' effect, 1 being the outcome that is good for the target.
	Paired string
	// Queries estimates how many rows it asks of the model. It is shown before a run.
	Queries func(Scope) int
	// Timeout bounds one shard; zero is ten minutes.
	Timeout time.Duration
	// Run measures. Row by row it returns Rows alone, one for each of Case.Index
	// and dependent on nothing but that row, its seed and the parameters, so that
	// a split changes nothing. An error means that it could not be measured. A
	// probe without Run joins what the probes that feed it found; its Rows is nil, too.
	Run func(context.Context, *Case) (*result.Result, error)
	// Join turns the rows of all shards into metrics, pictures and validity
	// checks. It sees no model and no data. Nil where Rows is nil. Without Run, it is
	// given the results of all that fed it and ran with the same solutions on, whatever their state, and makes the rows.
	Join func(*Joint) (*result.Result, error)
}

// Joins tells whether the probe measures nothing itself and joins what those
// that feed it found.
func (p *Probe) Joins() bool { return p.Run == nil && p.Join != nil }

// Needs says what must be there before a probe can run. A need that is not met
// makes the result not-available or not-applicable, with the reason.
type Needs struct {
	Model    bool // a model that opens
	Data     bool // test rows
	Labels   bool // and their labels
	Recorded bool // recorded outputs of the deployed system on the test rows
	Domain   bool // a domain, declared or guessed
	Rule     bool // a decision rule with classes; a free score is not enough
	Scores   bool // a model that gives out more than labels
	Files    bool // reads the artefacts' bytes itself and opens no model
	Trees    bool // a model that holds a tree ensemble
	// Artefacts asks for the bytes of every file of the target, data included, and opens no model.
	Artefacts bool
	Records   bool // operating logs that the manifest declares
	Sets      bool // training and test data, whole
	// Gradients needs a graph that can be differentiated, for white-box attacks.
	Gradients bool
	Value     bool // a score that is used as it is, without a decision rule: regression
	// Others asks for rows of the test data beside those of the shard, the same for every shard.
	Others bool
	// Layout says which rows it can read: "columns", those of a table; "image", pictures; "", any.
	Layout string
	// Gain asks for outcomes that the manifest calls favourable.
	Gain bool
	// Served asks for a model behind an endpoint.
	Served bool
}

// Param is one knob of a probe, with its default by depth.
type Param struct {
	Name     string
	Doc      string
	Unit     string
	Quick    any // float64 or string, all three of one type
	Standard any
	Thorough any
	// Manifest is the path of the manifest's field that sets it, as "threat_model.evasion.epsilon".
	Manifest string
}

// Default is the parameter's value at a depth.
func (p Param) Default(depth string) any {
	switch depth {
	case "quick":
		return p.Quick
	case "thorough":
		return p.Thorough
	}
	return p.Standard
}

// Scope is what a cost estimate may depend on.
type Scope struct {
	TestRows int
	Width    int
	Classes  int
	Trees    bool // the model holds a tree ensemble
	Params   Params
}

// Params are a probe's parameters by name: float64 or string values, as in JSON.
type Params map[string]any

// Float is a numeric parameter, or 0 where it is absent or text.
func (p Params) Float(name string) float64 {
	v, _ := p[name].(float64)
	return v
}

// Int is a numeric parameter as a whole number.
func (p Params) Int(name string) int { return int(p.Float(name)) }

// Text is a text parameter, or "".
func (p Params) Text(name string) string {
	v, _ := p[name].(string)
	return v
}

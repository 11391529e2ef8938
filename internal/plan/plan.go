// Package plan is what will be run on what, with which parameters and
// criteria, and what will not be run and why. It is logged before the first probe.
package plan

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
)

// Plan is fixed before anything is measured; its digest is the root of every seed.
type Plan struct {
	Format     int                   `json:"format"`
	Tool       string                `json:"tool"`
	Target     string                `json:"target"`
	Version    string                `json:"version"`
	Depth      string                `json:"depth"`
	Manifest   artefact.Digest       `json:"manifest"`
	Catalogue  artefact.Digest       `json:"catalogue"`
	Artefacts  []artefact.Artefact   `json:"artefacts"`
	Claims     []string              `json:"claims"`
	Goals      []Goal                `json:"goals"`
	Criteria   []catalogue.Criterion `json:"criteria"`
	Items      []Item                `json:"items"`
	LeftOut    []LeftOut             `json:"left_out"`
	TestRows   int                   `json:"test_rows"`
	Guessed    bool                  `json:"domain_guessed"`
	ModelError string                `json:"model_error,omitempty"`
	Budget     *Budget               `json:"budget,omitempty"` // of wall time; nil where none was set
	Cap        *Cap                  `json:"cap,omitempty"`    // on what is asked of a served model; nil where there is none
	// Overrides is what the assessor put in place of the provider's data and threat model.
	Overrides []Override `json:"overrides,omitempty"`
}

// Override is data or a threat model that the assessor set, not the provider.
type Override struct {
	Name    string          `json:"name,omitempty"` // of the data set that was not used; empty is the threat model
	File    string          `json:"file"`           // base name
	Digest  artefact.Digest `json:"digest"`
	SetBy   string          `json:"set_by"`             // always catalogue.SetByAssessor
	LeftOut []string        `json:"left_out,omitempty"` // outputs that were recorded on the replaced data
}

// Sentence says what was put in the place of what, without a full stop.
func (o Override) Sentence() string {
	if o.Name == "" {
		return fmt.Sprintf("the threat model was set by the assessor: %s (%s); the provider's was not used", o.File, o.Digest)
	}
	text := fmt.Sprintf("data %q was set by the assessor: %s (%s); the provider's artefact of that name was not used", o.Name, o.File, o.Digest)
	if len(o.LeftOut) > 0 {
		text += fmt.Sprintf("; left out because they were recorded on the replaced data: %s", strings.Join(o.LeftOut, ", "))
	}
	return text
}

// Cap is the most that a run sends to a served model. 0 is no cap.
type Cap struct {
	Rows     int `json:"rows,omitempty"`     // those of retries included
	Requests int `json:"requests,omitempty"` // those of retries, and those that bring no rows, included
}

// Or is the smaller of each of two caps.
func (c Cap) Or(d Cap) Cap {
	return Cap{Rows: least(c.Rows, d.Rows), Requests: least(c.Requests, d.Requests)}
}

// least is the smaller of two numbers of which 0 is none.
func least(a, b int) int {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// String says what the cap is, as "500 rows and 20 requests".
func (c Cap) String() string {
	var words []string
	if c.Rows > 0 {
		words = append(words, fmt.Sprintf("%d rows", c.Rows))
	}
	if c.Requests > 0 {
		words = append(words, fmt.Sprintf("%d requests", c.Requests))
	}
	return strings.Join(words, " and ")
}

// Budget says how a plan was fitted to an amount of time.
type Budget struct {
	Seconds  float64  `json:"seconds"` // of wall time, that were asked for
	Workers  int      `json:"workers"` // that it was fitted to
	Unscaled float64  `json:"unscaled_seconds"`
	Estimate float64  `json:"estimate_seconds"` // as fitted
	Scaled   []Scaled `json:"scaled"`
	// Full says that nothing can grow further, whatever the time.
	Full bool `json:"full,omitempty"`
}

// Scaled is a probe that runs on more or fewer rows, or with more or fewer
// queries a row, than its depth has. Queries of 0 were not touched.
type Scaled struct {
	Probe         string  `json:"probe"`
	Rows          float64 `json:"rows"`
	RowsBefore    float64 `json:"rows_before"`
	Queries       float64 `json:"queries,omitempty"`
	QueriesBefore float64 `json:"queries_before,omitempty"`
	Why           string  `json:"why"`
}

// Goal is a goal that the catalogue knows, claimed or not.
type Goal struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Claimed bool   `json:"claimed"`
}

// Item is one run of one probe.
type Item struct {
	ID         string         `json:"id"` // "i-3"
	Probe      string         `json:"probe"`
	Version    int            `json:"version"`
	Goals      []string       `json:"goals"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Solutions  []string       `json:"solutions_on"`
	// Deployed says that this run has on what the deployed system has on:
	// criteria read it. The first run of a probe that is not deployed has every switchable
	// solution off; those after it have one on.
	Deployed bool `json:"deployed"`
	// Paired names the 0/1 column of the rows whose difference between runs is
	// the solutions' effect, so that others can compute it again without the probe.
	Paired  string   `json:"paired,omitempty"`
	Rows    int      `json:"rows,omitempty"` // rows of data or cases; 0: not row by row
	After   []string `json:"after,omitempty"`
	Queries int      `json:"queries"` // estimate
	Inputs  []string `json:"inputs"`  // names of the artefacts that it reads
}

// LeftOut is a probe or a claimed goal that will not be measured, with the reason.
type LeftOut struct {
	Probe  string `json:"probe,omitempty"`
	Goal   string `json:"goal,omitempty"`
	State  string `json:"state"` // a result.State
	Reason string `json:"reason"`
}

// Queries is the estimate over all items.
func (p *Plan) Queries() int {
	sum := 0
	for _, i := range p.Items {
		sum += i.Queries
	}
	return sum
}

package availability

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/result"
)

// What becomes of a case.
const (
	refusedBySolution = iota
	refusedByModel
	finite
	nonFinite
	crash
	overLimit
	notApplicable
)

// outcomes names them for people.
func outcomes() []string {
	return []string{"refused by a solution", "refused by the model", "answered with numbers", "answered with NaN or infinity", "crash", "over the limit", "does not apply"}
}

var malformed = measure.Probe{
	ID: "availability/malformed", Version: 1,
	Doc: malformedDoc(),
	Metrics: []string{
		"accepted_out_of_domain", "crashes", "finite", "handled", "nan_answered", "non_finite_accepted", "over_limit",
		"refused", "refused_by_solution", "wrong_form_answered",
	},
	Goals:    []string{"malformed-input"},
	Threats:  []string{"denial-of-service"},
	Cites:    []string{"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Denial of service"},
	Needs:    measure.Needs{Model: true},
	Cases:    true,
	Isolated: true,
	Switch:   true,
	Paired:   "handled",
	Timeout:  20 * time.Second,
	Params: []measure.Param{{
		Name: "largest_batch_mib", Doc: "size of the largest batch; smaller ones are a quarter and a sixteenth of it", Unit: "MiB",
		Quick: 2.0, Standard: 4.0, Thorough: 256.0,
	}},
	Rows:    func(measure.Scope) int { return len(cases()) },
	Queries: func(measure.Scope) int { return len(cases()) },
	Run:     runMalformed,
	Join:    joinMalformed,
}

func malformedDoc() string {
	doc := `Is input of the wrong form, type, size or value refused, or answered with numbers, without harm to the process?

Every case runs in a process of its own, so that one that ends it says nothing
of the next. Handled is a case that is refused, by a solution or by the model, or
answered with finite numbers. Not handled are NaN or infinity in the answer (a NaN
that goes in and comes out included), a crash, and more than the limits of time
and memory. The limits are those of the sandbox and not of the deployed system:
a large batch that is turned down with an error is handled, one that ends the
process is over the limit. Of a served model, a connection that the server drops is a crash and an
answer that does not come in time is over the limit; a batch larger than the manifest
lets Assize send does not apply. Two kinds of answer are handled and counted apart: numbers
for a row outside the domain, and numbers for a row with a NaN in it, which
is a decision on missing data.

Cases by number:`
	for i, c := range cases() {
		doc += fmt.Sprintf("\n%d %s", i, c.name)
	}
	return doc
}

func runMalformed(ctx context.Context, c *measure.Case) (*result.Result, error) {
	t := newRows(c.Index)
	in := newInput(c.Model, c.Domain, c.Params.Int("largest_batch_mib")<<20)
	all := cases()
	for i, number := range c.Index {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if number < 0 || number >= len(all) {
			return nil, fmt.Errorf("measure malformed input: there is no case %d", number)
		}
		code := float64(notApplicable)
		if x := all[number].build(in); x != nil {
			answer, err := c.Model.Raw(ctx, x)
			switch {
			case errors.Is(err, model.ErrNoRaw): // rows of numbers are all that it can be given
			case err != nil:
				return nil, err
			case answer.Unsent != "":
				c.Logf("case %d was not sent: %s", number, answer.Unsent)
			case answer.Lost != "" && answer.TimedOut:
				code = overLimit
			case answer.Lost != "":
				code = crash
			case answer.RefusedBy == "model":
				code = refusedByModel
			case answer.RefusedBy != "":
				code = refusedBySolution
			case answer.Finite():
				code = finite
			default:
				code = nonFinite
			}
			t.Column("outside")[i] = bit(in.isOutside(x))
		}
		t.Column("outcome")[i] = code
		t.Column("handled")[i] = bit(handled(int(code)))
		c.Done(float64(i+1) / float64(len(c.Index)))
	}
	return &result.Result{State: result.Measured, Rows: t}, nil
}

func newRows(index []int) *result.Rows {
	t := result.NewRows(index, "outcome", "handled", "outside")
	t.Columns[0].Doc = "0 refused by a solution, 1 refused by the model, 2 answered with numbers, 3 answered with NaN or infinity, 4 crash, 5 over the limit, 6 does not apply to this target"
	t.Columns[1].Doc = "1 for outcomes 0, 1, 2 and 6"
	t.Columns[2].Doc = "1 where the input has the right form and a row outside the domain; not known of what ended the process"
	return t
}

func handled(code int) bool {
	return code != nonFinite && code != crash && code != overLimit
}

// isOutside tells whether a tensor of rows has one outside the domain. Large batches repeat one row.
func (in *input) isOutside(t *ort.Tensor) bool {
	var x []float32
	switch d := t.Data.(type) {
	case []float32:
		x = d
	case []float64:
		for _, v := range d[:min(len(d), len(in.row))] {
			x = append(x, float32(v))
		}
	}
	return in.dom != nil && len(t.Shape) == len(in.shape)+1 && len(x) >= len(in.row) &&
		t.Shape[len(t.Shape)-1] == in.shape[len(in.shape)-1] && !in.dom.Feasible(x[:len(in.row)], nil)
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

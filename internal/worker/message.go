// Package worker runs probes in child processes that have taken every power
// away from themselves but computing. The parent speaks to a child over two pipes, in JSON
// lines; it believes nothing that comes back before it has checked its form.
package worker

import (
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/worker/sandbox"
)

// Setup is the first line that a child reads: all that it will ever be given.
type Setup struct {
	Library  string              `json:"library"` // path of ONNX Runtime; read where there is a model
	Model    *model.Spec         `json:"model,omitempty"`
	Baseline *Baseline           `json:"baseline,omitempty"`
	Data     *dataset.Spec       `json:"data,omitempty"`
	TestRows int                 `json:"test_rows,omitempty"` // in the whole of Data
	Recorded *dataset.OutputSpec `json:"recorded,omitempty"`
	Sets     []Set               `json:"sets,omitempty"`    // whole data sets
	Files    []measure.File      `json:"files,omitempty"`   // artefacts that probes may read as bytes
	Records  []measure.Record    `json:"records,omitempty"` // operating logs
	// Asker puts the child's questions to a served model. It stays with the parent.
	Asker       model.Asker `json:"-"`
	Guessed     bool        `json:"guessed"`
	MemoryBytes int64       `json:"memory_bytes"`
	CPUSeconds  int64       `json:"cpu_seconds"`
}

// Set is a data set that a child may read whole.
type Set struct {
	Training bool         `json:"training"`
	Spec     dataset.Spec `json:"spec"`
}

// runs tells whether the child itself runs a model.
func (s *Setup) runs() bool { return s.Model != nil && s.Model.Served == nil }

// readable lists every path that the child may open.
func (s *Setup) readable() []string {
	var paths []string
	if s.runs() {
		paths = append(paths, s.Model.Path)
	}
	if s.Data != nil {
		paths = append(paths, s.Data.Path)
	}
	if s.Recorded != nil {
		paths = append(paths, s.Recorded.Path)
	}
	for _, set := range s.Sets {
		paths = append(paths, set.Spec.Path)
	}
	for _, f := range s.Files {
		paths = append(paths, f.OpenPath)
	}
	for _, r := range s.Records {
		paths = append(paths, r.OpenPath)
	}
	return paths
}

// Ready is what a child says once it is confined and has tried to open the model.
type Ready struct {
	Sandbox sandbox.Status `json:"sandbox"`
	Runtime string         `json:"runtime"`         // version of ONNX Runtime
	Error   string         `json:"error,omitempty"` // why the model does not open; other probes can still run
	Model   *Opened        `json:"model,omitempty"`
}

// Opened is what an open model says of itself.
type Opened struct {
	Width      int      `json:"width"`
	Columns    int      `json:"columns"` // numbers a row
	Classes    int      `json:"classes"`
	ClassNames []string `json:"class_names"`
	// SecondsPerRow is the time of one row in a batch, on one thread.
	SecondsPerRow float64 `json:"seconds_per_row"`
	// SecondsPerPoint is the time of drawing a point and bringing it into the
	// domain, which a search pays beside every query.
	SecondsPerPoint float64  `json:"seconds_per_point"`
	Notes           []string `json:"notes,omitempty"` // what was rewritten to run it
	// NoGradient says why white-box attacks cannot be made; empty where they can.
	NoGradient string `json:"no_gradient,omitempty"`
}

// Job asks for one shard of one probe.
type Job struct {
	Probe     string                    `json:"probe"`
	Params    measure.Params            `json:"params"`
	Solutions []string                  `json:"solutions"`
	Index     []int                     `json:"index"`
	Seed      []byte                    `json:"seed"`
	Results   map[string]*result.Result `json:"results,omitempty"`
	Rows      map[string]*result.Rows   `json:"rows,omitempty"` // of Results, which do not carry their own
}

// reply is a line from the child. One field is set.
type reply struct {
	Ready    *Ready          `json:"ready,omitempty"`
	Progress *float64        `json:"progress,omitempty"`
	Ask      *model.Question `json:"ask,omitempty"` // the child waits for an answer
	Done     *Done           `json:"done,omitempty"`
}

// answer is the line that the parent sends for an Ask. One field is set.
type answer struct {
	Reply *model.Reply `json:"reply,omitempty"`
	Error string       `json:"error,omitempty"`
}

// Done is a finished shard, or why there is none.
type Done struct {
	Result  *result.Result `json:"result,omitempty"`
	Rows    *result.Rows   `json:"rows,omitempty"`
	Error   string         `json:"error,omitempty"`
	Queries int64          `json:"queries"`
	Seconds float64        `json:"seconds"` // wall clock, on one core, without waiting for a served model
	// Traffic is what the parent itself counted of a served model's answers.
	Traffic model.Traffic `json:"-"`
}

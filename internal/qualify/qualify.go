// Package qualify shows that this program, on this machine, gives right answers:
// it assesses small systems whose right answers are known beforehand by arithmetic
// or by a published table, and writes down which came out. A testing laboratory
// files such a record for the software that it uses (ISO/IEC 17025, 6.4 and 7.11).
package qualify

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/worker"
)

// Format is the version of a record.
const Format = 1

// Record is the outcome of a run of the suite.
type Record struct {
	Format      int                   `json:"format"`
	Tool        string                `json:"tool"`
	Program     artefact.Digest       `json:"program"` // of the executable that ran
	Catalogue   artefact.Digest       `json:"catalogue"`
	Started     time.Time             `json:"started"`
	Ended       time.Time             `json:"ended"`
	Environment *evidence.Environment `json:"environment"`
	Cases       []Outcome             `json:"cases"`
	Passed      int                   `json:"passed"`
	Of          int                   `json:"of"`
}

// Outcome is what came of one case.
type Outcome struct {
	ID     string  `json:"id"`
	Asks   string  `json:"asks"`  // the question, in a sentence
	Known  string  `json:"known"` // where the right answer comes from
	Checks []Check `json:"checks"`
	Passed bool    `json:"passed"`
	Error  string  `json:"error,omitempty"` // why it could not be run
}

// Check compares one answer with the right one.
type Check struct {
	What   string `json:"what"`
	Want   string `json:"want"`
	Got    string `json:"got"`
	Passed bool   `json:"passed"`
}

// Options are what a run of the suite needs.
type Options struct {
	Tool    string
	Program string // path of the executable
	Command worker.Command
	Now     func() time.Time
	// Case hears of each case as it ends; it may be nil.
	Case func(Outcome)
}

// Run puts every case to the program. An error means that the suite could not be run at all;
// a wrong answer is in the record.
func Run(ctx context.Context, o Options) (*Record, error) {
	r := &Record{Format: Format, Tool: o.Tool, Started: o.Now().UTC()}
	var err error
	if r.Program, _, err = artefact.DigestOf(ctx, o.Program); err != nil {
		return nil, fmt.Errorf("qualify: digest of the program: %w", err)
	}
	work, err := os.MkdirTemp("", "assize-qualify-*")
	if err != nil {
		return nil, fmt.Errorf("qualify: %w", err)
	}
	defer os.RemoveAll(work)
	b := &bench{Options: o, ctx: ctx, work: work, record: r}
	for _, c := range cases() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out := b.put(c)
		r.Cases = append(r.Cases, out)
		r.Of++
		if out.Passed {
			r.Passed++
		}
		if o.Case != nil {
			o.Case(out)
		}
	}
	r.Ended = o.Now().UTC()
	return r, nil
}

// known is one case of the suite.
type known struct {
	id, asks, source string
	run              func(*bench) error
}

// bench runs cases and collects what they check.
type bench struct {
	Options
	ctx    context.Context
	work   string
	record *Record
	checks []Check
	number int
}

func (b *bench) put(c known) Outcome {
	b.checks = nil
	b.number++
	out := Outcome{ID: c.id, Asks: c.asks, Known: c.source}
	if err := c.run(b); err != nil {
		out.Error = err.Error()
	}
	out.Checks = b.checks
	out.Passed = out.Error == "" && len(out.Checks) > 0
	for _, k := range out.Checks {
		out.Passed = out.Passed && k.Passed
	}
	return out
}

// is notes an answer that must be equal to the right one.
func (b *bench) is(what string, got, want any) {
	g, w := fmt.Sprint(got), fmt.Sprint(want)
	b.checks = append(b.checks, Check{What: what, Want: w, Got: g, Passed: g == w})
}

// near notes a number that must be within a distance of the right one.
func (b *bench) near(what string, got, want, within float64) {
	b.checks = append(b.checks, Check{
		What: what, Want: fmt.Sprintf("%g within %g", want, within), Got: fmt.Sprintf("%g", got), Passed: math.Abs(got-want) <= within,
	})
}

// assess runs a whole assessment of a folder, with a key that is thrown away.
func (b *bench) assess(dir string) (*dossier.Dossier, string, error) {
	keys := dir + "-key"
	d, path, err := engine.Assess(b.ctx, engine.Options{
		Target: dir, Depth: "quick", Tool: b.Tool, Command: b.Command, KeyFolder: keys, Now: b.Now, Log: discard{},
	})
	if err == nil && b.record.Environment == nil && len(d.Environments) > 0 {
		e := d.Environments[0]
		b.record.Environment, b.record.Catalogue = &e, catalogueOf(d)
	}
	return d, path, err
}

func catalogueOf(d *dossier.Dossier) artefact.Digest { return d.Plan.Catalogue }

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

package trees_test

import (
	"context"
	"encoding/csv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/trees"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/tree"
)

const credit = "../../../examples/credit"

// runner answers from the ensemble in float64, as probabilities of both classes.
type runner struct {
	p *tree.Program
	// lie shifts every answer, as a model would that is not the file's.
	lie float32
}

func (r *runner) Run(ctx context.Context, x []float32, n int, out []float32) error {
	wide, p := make([]float64, len(x)), make([]float64, n)
	for i, v := range x {
		wide[i] = float64(v)
	}
	r.p.Predict(wide, p)
	for i, v := range p {
		out[2*i+1] = min(1, float32(v)+r.lie)
		out[2*i] = 1 - out[2*i+1]
	}
	return ctx.Err()
}

func records(t testing.TB, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(credit, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return r[1:]
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// target is examples/credit, with or without its relations.
func target(t testing.TB, related bool, lie float32) measuretest.Target {
	t.Helper()
	path := filepath.Join(credit, "model.onnx")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e, err := tree.Read(b, tree.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var fs []domain.Feature
	for _, r := range records(t, "features.csv") {
		f := domain.Feature{Name: r[0], Type: domain.Type(r[1]), Min: number(t, r[2]), Max: number(t, r[3]), Unit: r[4], Mutable: domain.Mutability(r[5]), Group: r[6]}
		fs = append(fs, f)
	}
	var relations []string
	if related {
		relations = []string{"x.amount >= 20 * x.duration_months", "abs(x.amount - orig.amount) <= 0.25 * orig.amount", "x.checking <= orig.checking + 1 and x.savings <= orig.savings + 1"}
	}
	dom, err := domain.New(fs, relations)
	if err != nil {
		t.Fatal(err)
	}
	data := &dataset.Table{Width: len(fs)}
	for i, r := range records(t, "test.csv") {
		for _, v := range r[:len(fs)] {
			data.X = append(data.X, float32(number(t, v)))
		}
		data.Y = append(data.Y, int(number(t, r[len(fs)])))
		data.Index = append(data.Index, i)
	}
	band := [2]float64{0.15, 0.25}
	rule := model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.25, Band: &band, Outcomes: []string{"accept", "refer", "refuse"}, Favourable: []string{"accept"}}
	return measuretest.Target{
		Model: func() *model.Model {
			m, err := model.New(&runner{e.Compile(), lie}, &model.Spec{
				Output: model.Output{Kind: model.Probabilities, Classes: []string{"paid", "default"}}, Rule: rule,
				Domain:    &model.Domain{Features: fs, Relations: relations},
				Solutions: []model.Solution{{Name: "blur", Type: model.InputNoise, Sigma: 0.02, Draws: 3, Switchable: true}},
			}, len(fs), 2)
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
		Domain: dom, Data: data, Files: []measure.File{{Artefact: artefact.Artefact{Name: "model", Kind: artefact.Model}, OpenPath: path}},
		Facts:  measure.Facts{TestRows: data.Len(), Width: len(fs), Classes: 2, Rule: model.Cutoff, OutputKind: string(model.Probabilities), Positive: 1},
		Params: measure.Params{"boxes": 2000.0, "rows": 40.0},
	}
}

func TestAccept(t *testing.T) {
	for _, p := range trees.Probes()[:2] {
		t.Run(p.ID, func(t *testing.T) { measuretest.Accept(t, p, target(t, true, 0)) })
	}
}

// whole runs a probe over all rows of a target.
func whole(t testing.TB, p measure.Probe, target measuretest.Target, over measure.Params) *result.Result {
	t.Helper()
	params := measure.Params{}
	for _, d := range p.Params {
		params[d.Name] = d.Default("standard")
	}
	for k, v := range over {
		params[k] = v
	}
	c := &measure.Case{Params: params, Model: target.Model(), Domain: target.Domain, Data: target.Data, Index: target.Data.Index, Files: target.Files, Logf: t.Logf}
	r, err := p.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	joined, err := p.Join(&measure.Joint{Params: params, Rows: r.Rows, Facts: target.Facts})
	if err != nil {
		t.Fatal(err)
	}
	if joined.Rows == nil {
		joined.Rows = r.Rows
	}
	return joined
}

// TestCredit runs both probes on the example: they agree, every check holds, and
// random feasible changes break no row that is proved.
func TestCredit(t *testing.T) {
	for _, related := range []bool{false, true} {
		target := target(t, related, 0)
		probes := trees.Probes()
		over := measure.Params{"boxes": 20000.0}
		formal, evasion := whole(t, probes[0], target, over), whole(t, probes[1], target, over)
		for _, r := range []*result.Result{formal, evasion} {
			if r.State != result.Measured {
				t.Fatalf("state %s: %s", r.State, r.Reason)
			}
			for _, v := range r.Validity {
				if !v.OK {
					t.Errorf("check %s: %s", v.Check, v.Note)
				}
			}
			for name, m := range r.Metrics {
				t.Logf("related %v: %s %.4f (%.4f to %.4f) of %d", related, name, m.Value, m.Lower, m.Upper, m.N)
			}
		}
		if got, want := formal.Metrics["broken_share"].Value, evasion.Metrics["attack_success"].Value; got != want {
			t.Errorf("broken share %v, attack success %v", got, want)
		}
		if !related && formal.Metrics["unproven_share"].Value != 0 {
			t.Errorf("without relations every row is decided; unproven %v", formal.Metrics["unproven_share"].Value)
		}
		proven, lower := formal.Rows.Column("proven"), formal.Rows.Column("lower")
		for i, d := range evasion.Rows.Column("distance") {
			if evasion.Rows.Column("gained")[i] == 1 && d < lower[i] {
				t.Errorf("row %d: attacked at %v, proved to %v", i, d, lower[i])
			}
		}
		tried, gained := attackAtRandom(t, target, proven)
		if gained > 0 {
			t.Errorf("%d of %d random changes break rows that are proved", gained, tried)
		}
		t.Logf("%d random changes of proved rows, none gains", tried)
	}
}

func attackAtRandom(t *testing.T, target measuretest.Target, proven []float64) (tried, gained int) {
	r := rand.New(rand.NewPCG(7, 18))
	m, scale := target.Model(), target.Domain.Scale()
	for i := range target.Data.Len() {
		orig := target.Data.Row(i)
		var from, to [1]model.Decision
		if proven[i] == 0 {
			continue
		}
		if err := m.Decide(t.Context(), orig, 1, from[:]); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			x := slices.Clone(orig)
			for f := range x {
				x[f] += float32((2*r.Float64() - 1) * 0.06 * scale[f])
			}
			inside := target.Domain.Project(x, orig)
			for f := range x {
				d := float64(x[f]-orig[f]) / scale[f]
				inside = inside && d <= 0.05 && d >= -0.05
			}
			if !inside {
				continue
			}
			if err := m.Decide(t.Context(), x, 1, to[:]); err != nil {
				t.Fatal(err)
			}
			tried++
			if m.Gains(from[0], to[0]) {
				gained++
			}
		}
	}
	return tried, gained
}

// TestOtherModel has a model that answers otherwise than its file: nothing may be proved.
func TestOtherModel(t *testing.T) {
	r := whole(t, trees.Probes()[0], target(t, false, 0.1), nil)
	for _, v := range r.Validity {
		if v.Check == "ensemble-is-the-model" && v.OK {
			t.Errorf("the check passes: %s", v.Note)
		}
	}
}

// TestRandomOnPurpose has a system that adds noise: the trees prove something of the model, and nothing of the system.
func TestRandomOnPurpose(t *testing.T) {
	tg := target(t, false, 0)
	tg.Data.X, tg.Data.Y, tg.Data.Index = tg.Data.X[:40*tg.Data.Width], tg.Data.Y[:40], tg.Data.Index[:40]
	bare := tg.Model
	tg.Model = func() *model.Model {
		m, err := bare().With([]string{"blur"})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	said := map[string]float64{}
	for _, p := range trees.Probes()[:2] {
		r := whole(t, p, tg, nil)
		for _, name := range []string{"proven", "exact", "lower"} {
			for _, v := range r.Rows.Column(name) {
				said[p.ID] += v
			}
		}
	}
	if said["evasion/trees"] != 0 || said["formal/trees"] == 0 {
		t.Errorf("got proofs %v, want some of the model and none of the system", said)
	}
}

// TestNotApplicable says why a model cannot be searched.
func TestNotApplicable(t *testing.T) {
	tg := target(t, false, 0)
	tg.Files[0].OpenPath = filepath.Join(credit, "features.csv")
	r := whole(t, trees.Probes()[0], tg, nil)
	if r.State != result.NotApplicable || !strings.Contains(r.Reason, "no tree ensemble") {
		t.Errorf("state %s: %s", r.State, r.Reason)
	}
}

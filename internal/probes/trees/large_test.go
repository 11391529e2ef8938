package trees_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/trees"
)

const wide = 20

// ensembleJSON writes full random trees of depth 6 as XGBoost does.
func ensembleJSON(r *rand.Rand, count int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"version":[3,2,0],"learner":{"learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"20","num_target":"1"},` +
		`"objective":{"name":"binary:logistic"},"gradient_booster":{"name":"gbtree","model":{"tree_info":[`)
	list := func(n int, each func(i int) string) {
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(each(i))
		}
		b.WriteByte(']')
	}
	list(count, func(int) string { return "0" })
	b.WriteString(`,"trees":[`)
	const inner, nodes = 63, 127
	child := func(side int) func(int) string {
		return func(i int) string {
			if i >= inner {
				return "-1"
			}
			return fmt.Sprint(2*i + side)
		}
	}
	for t := range count {
		if t > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"left_children":[`)
		list(nodes, child(1))
		b.WriteString(`,"right_children":[`)
		list(nodes, child(2))
		b.WriteString(`,"split_indices":[`)
		list(nodes, func(int) string { return fmt.Sprint(r.IntN(wide)) })
		b.WriteString(`,"default_left":[`)
		list(nodes, func(int) string { return "0" })
		b.WriteString(`,"split_conditions":[`)
		list(nodes, func(i int) string {
			if i < inner {
				return fmt.Sprintf("%.6f", r.Float64())
			}
			return fmt.Sprintf("%.6f", r.NormFloat64()/100)
		})
		b.WriteString(`}`)
	}
	b.WriteString(`]}}}}`)
	return b.Bytes()
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestTenThousandTrees searches rows of an ensemble that no search can exhaust, at depth standard: what is proved
// and what is found hold, and time and memory stay bounded. Without ASSIZE_LONG there are 400 trees.
func TestTenThousandTrees(t *testing.T) {
	count, rows := 400, 4
	if os.Getenv("ASSIZE_LONG") != "" {
		count, rows = 10_000, 3
	}
	r := rand.New(rand.NewPCG(18, 22))
	path := filepath.Join(t.TempDir(), "model.json")
	if err := os.WriteFile(path, ensembleJSON(r, count), 0o600); err != nil {
		t.Fatal(err)
	}
	var fs []domain.Feature
	for i := range wide {
		f := domain.Feature{Name: fmt.Sprintf("f%d", i), Type: domain.Real, Max: 1, Mutable: domain.Yes}
		if i%7 == 6 {
			f.Mutable = domain.Up
		}
		fs = append(fs, f)
	}
	dom, err := domain.New(fs, []string{"x.f0 <= x.f1 + 0.9"})
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := model.Open(t.Context(), &model.Spec{Path: path, Output: model.Output{Kind: model.Probabilities, Classes: []string{"no", "yes"}},
		Rule: model.Rule{Kind: model.Argmax, Positive: 1, Outcomes: []string{"no", "yes"}}, Domain: &model.Domain{Features: fs}})
	if err != nil {
		t.Fatal(err)
	}
	data := &dataset.Table{Width: wide}
	for i := range rows {
		for range wide {
			data.X = append(data.X, r.Float32())
		}
		data.Index = append(data.Index, i)
	}
	before := make([]model.Decision, rows)
	if err := m.Decide(t.Context(), data.X, rows, before); err != nil {
		t.Fatal(err)
	}
	for _, d := range before {
		data.Y = append(data.Y, int(d))
	}
	target := measuretest.Target{Model: func() *model.Model { return m }, Domain: dom, Data: data,
		Files: []measure.File{{Artefact: artefact.Artefact{Name: "model", Kind: artefact.Model}, OpenPath: path}}}
	for _, norm := range []string{"linf", "l1", "l2"} {
		begun := processorTime(t)
		got := whole(t, trees.Probes()[0], target, measure.Params{"norm": norm, "epsilon": 0.01})
		spent := processorTime(t) - begun
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		lower, distance, never := got.Rows.Column("lower"), got.Rows.Column("distance"), got.Rows.Column("never")
		for i, f := range got.Rows.Column("found") {
			if f != 1 || lower[i] > distance[i] || never[i] == 1 {
				t.Errorf("%s, row %d: found %v, never %v, %v to %v", norm, i, f, never[i], lower[i], distance[i])
			}
		}
		for _, v := range got.Validity {
			if v.Check != "enough-rows" && !v.OK {
				t.Errorf("%s, check %s: %s", norm, v.Check, v.Note)
			}
		}
		if slices.Contains(got.Rows.Column("agrees"), 0) || mem.Sys > 1<<30 || spent > time.Duration(rows)*15*time.Second {
			t.Errorf("%s: %v of processor time for %d rows, %d MiB", norm, spent, rows, mem.Sys>>20)
		}
		t.Logf("%s: verified %v, broken %v, lower %.5v, distance %.5v, %v of processor time a row, %d MiB", norm, got.Metrics["verified_share"].Value,
			got.Metrics["broken_share"].Value, lower, distance, spent/time.Duration(rows), mem.Sys>>20)
	}
}

package availability_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort/orttest"
	"github.com/assize/assize/internal/probes/availability"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/worker"
)

// TestMain turns the test's own binary into a worker when it is called as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.Argument {
		os.Exit(worker.Main(availability.Probes()))
	}
	os.Exit(m.Run())
}

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
}

// example is the spec of an example system, with its declared domain.
func example(t *testing.T, name string) *model.Spec {
	t.Helper()
	m, err := manifest.Load(context.Background(), filepath.Join(root(t), "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	dom, err := m.BuildDomain()
	if err != nil {
		t.Fatal(err)
	}
	spec := &model.Spec{
		Path:      filepath.Join(m.Dir, "model.onnx"),
		Input:     model.Input{Layout: string(m.Interface.Input.Layout)},
		Output:    model.Output{Tensor: m.Interface.Output.Tensor, Kind: model.Kind(m.Interface.Output.Kind), Classes: m.Interface.Output.Classes},
		Rule:      model.Rule{Kind: model.Argmax, Positive: 1, Outcomes: m.Interface.Output.Classes},
		Domain:    &model.Domain{Features: dom.Features(), Relations: dom.Relations()},
		Solutions: []model.Solution{{Name: "range-check", Type: model.InputValidation, Switchable: true}},
	}
	if name == "digits" {
		spec.Input.Shape = []int{1, 8, 8}
	}
	return spec
}

// isolated runs every case in a confined process of its own, as the runner does, and joins.
func isolated(t *testing.T, spec *model.Spec, solutions []string, mib float64) *result.Result {
	t.Helper()
	ctx := context.Background()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	setup := worker.Setup{Library: orttest.Library(t), Model: spec, MemoryBytes: 1 << 30, CPUSeconds: 600}
	p := availability.Probes()[0]
	params := measure.Params{"largest_batch_mib": mib}
	j := &measure.Joint{}
	var parts []*result.Rows
	for number := range p.Rows(measure.Scope{}) {
		w, err := worker.Start(ctx, worker.Command{Path: self, Args: []string{worker.Argument}}, setup)
		if err != nil {
			t.Fatal(err)
		}
		done, err := w.Run(ctx, &p, &worker.Job{Probe: p.ID, Params: params, Solutions: solutions, Index: []int{number}, Seed: make([]byte, 32)}, nil)
		w.Close()
		var death *worker.Death
		switch {
		case errors.As(err, &death):
			j.Lost = append(j.Lost, measure.Lost{Row: number, Cause: death.Cause.Sentence, Kind: string(death.Cause.Kind)})
		case err != nil:
			t.Fatal(err)
		case done.Error != "":
			t.Fatalf("case %d: %s", number, done.Error)
		default:
			parts = append(parts, done.Rows)
		}
	}
	if j.Rows, err = result.Join(parts...); err != nil {
		t.Fatal(err)
	}
	res, err := p.Join(j)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestExamplesInIsolation checks what is known of the two examples: trees send
// a NaN to a default branch, a network passes it on, and a range check stops both.
func TestExamplesInIsolation(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a process for every case")
	}
	tests := []struct {
		name string
		on   []string
		want map[string]float64
	}{
		{"credit", []string{"range-check"}, map[string]float64{"handled": 1, "refused_by_solution": 30, "finite": 5, "accepted_out_of_domain": 0, "nan_answered": 0}},
		{"digits", nil, map[string]float64{"handled": 0.75, "non_finite_accepted": 8, "crashes": 0, "over_limit": 0, "accepted_out_of_domain": 4, "wrong_form_answered": 0}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.name, test.on), func(t *testing.T) {
			res := isolated(t, example(t, test.name), test.on, 1)
			for name, want := range test.want {
				if got := res.Metrics[name].Value; got != want {
					t.Errorf("%s = %v, want %v", name, got, want)
				}
			}
			if !res.Valid() {
				t.Errorf("validity: %+v", res.Validity)
			}
		})
	}
}

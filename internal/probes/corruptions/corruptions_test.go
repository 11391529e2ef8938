package corruptions_test

import (
	"context"
	"slices"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/corruptions"
	"github.com/assize/assize/internal/result"
)

// system answers each row with two scores and keeps what it was asked.
type system struct {
	of    func(x []float32) (a, b float32)
	width int
	asked [][]float32
}

func (s *system) Run(ctx context.Context, x []float32, n int, out []float32) error {
	for i := range n {
		row := x[i*s.width : (i+1)*s.width]
		s.asked = append(s.asked, slices.Clone(row))
		out[2*i], out[2*i+1] = s.of(row)
	}
	return ctx.Err()
}

// halves says which half of the picture is brighter: the upper or the lower.
func halves(x []float32) (a, b float32) {
	for i, v := range x {
		if i < len(x)/2 {
			a += v
		} else {
			b += v
		}
	}
	return a / 1000, b / 1000
}

// target has n pictures of 8 lines in the layout, with values from 0 to top; shade of the brighter half by row.
func target(t testing.TB, layout string, shape []int, of func(x []float32) (a, b float32), feature domain.Feature, n int) (measuretest.Target, *system) {
	t.Helper()
	width := shape[0] * shape[1] * shape[2]
	fs := make([]domain.Feature, width)
	for i := range fs {
		fs[i] = feature
		fs[i].Name = "p" + string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	dom, err := domain.New(fs, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &system{of: of, width: width}
	data := &dataset.Table{Width: width, Shape: shape}
	for i := range n {
		label := i % 2
		bright := float32(feature.Max) * (0.02 + 0.98*float32(i)/float32(n))
		if feature.Type == domain.Integer {
			bright = float32(int(bright))
		}
		for j := range width {
			v := float32(0)
			if upper := j < width/2; upper == (label == 0) {
				v = bright
			}
			data.X = append(data.X, v)
		}
		data.Y, data.Index = append(data.Y, label), append(data.Index, i)
	}
	return measuretest.Target{
		Model: func() *model.Model {
			m, err := model.New(s, &model.Spec{
				Input: model.Input{Layout: layout, Shape: shape}, Output: model.Output{Kind: model.Logits},
				Rule: model.Rule{Kind: model.Argmax}, Domain: &model.Domain{Features: fs},
			}, width, 2)
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
		Domain: dom, Data: data, Facts: measure.Facts{TestRows: n, Width: width, Classes: 2, Layout: layout, Rule: model.Argmax},
	}, s
}

var unit = domain.Feature{Type: domain.Real, Min: 0, Max: 1, Mutable: domain.Yes}

func measured(t testing.TB, g measuretest.Target) *result.Result {
	t.Helper()
	p := corruptions.Probes()[0]
	c := &measure.Case{Model: g.Model(), Domain: g.Domain, Data: g.Data, Index: g.Data.Index, Seed: measure.Seed{5}}
	shard, err := p.Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if shard.Rows == nil {
		return shard
	}
	r, err := p.Join(&measure.Joint{Rows: shard.Rows, Facts: g.Facts})
	if err != nil {
		t.Fatal(err)
	}
	r.Rows = shard.Rows
	return r
}

func TestContract(t *testing.T) {
	for layout, shape := range map[string][]int{"nchw": {1, 8, 6}, "nhwc": {8, 6, 3}} {
		g, _ := target(t, layout, shape, halves, unit, 40)
		measuretest.Accept(t, corruptions.Probes()[0], g)
	}
}

// TestNumbersAreThoseOfTheRows asks the system again what it was asked, and counts.
func TestNumbersAreThoseOfTheRows(t *testing.T) {
	// Two pixels alone decide.
	corners := func(x []float32) (a, b float32) { return x[0], x[len(x)-1] }
	g, s := target(t, "nchw", []int{1, 8, 8}, corners, unit, 60)
	r := measured(t, g)
	rights, always := 0, 0
	for i := range 60 {
		everywhere := true
		for j := range 60 {
			a, b := corners(s.asked[60+60*i+j])
			right := (b > a) == (g.Data.Y[i] == 1)
			if right {
				rights++
			} else if j%5 == 2 {
				everywhere = false
			}
		}
		if everywhere {
			always++
		}
	}
	if got, want := r.Metrics["corrupted_accuracy"].Value, float64(rights)/3600; got < want-1e-9 || got > want+1e-9 {
		t.Errorf("got accuracy %v under corruption, want %v", got, want)
	}
	if got, want := r.Metrics["worst_case_accuracy"].Value, float64(always)/60; got != want || want == 1 {
		t.Errorf("got %v in the worst case, want %v and less than 1", got, want)
	}
	if m := r.Metrics["accuracy_drop"]; m.Value < 1-float64(rights)/3600-1e-9 || m.Lower >= m.Value || m.Upper <= m.Value {
		t.Errorf("got drop %+v, want %v with an interval", m, 1-float64(rights)/3600)
	}
	if r.Metrics["worst_kind_accuracy"].Value > r.Metrics["corrupted_accuracy"].Value || !r.Valid() {
		t.Errorf("got %+v, validity %+v", r.Metrics, r.Validity)
	}
}

// TestPicturesStayInTheDomain: whole numbers from 0 to 255 stay so, in both layouts.
func TestPicturesStayInTheDomain(t *testing.T) {
	pixel := domain.Feature{Type: domain.Integer, Min: 0, Max: 255, Mutable: domain.Yes}
	for layout, shape := range map[string][]int{"nchw": {3, 8, 6}, "nhwc": {8, 6, 3}} {
		g, s := target(t, layout, shape, halves, pixel, 6)
		measured(t, g)
		for i, row := range s.asked {
			if !g.Domain.Feasible(row, nil) {
				t.Fatalf("%s: question %d is outside the domain: %v", layout, i, row)
			}
		}
	}
}

// TestLayoutsSeeTheSamePicture: the same colours in both layouts are corrupted alike.
func TestLayoutsSeeTheSamePicture(t *testing.T) {
	planar, a := target(t, "nchw", []int{3, 8, 6}, halves, unit, 1)
	packed, b := target(t, "nhwc", []int{8, 6, 3}, halves, unit, 1)
	for i := range 48 {
		for c := range 3 {
			v := float32((i*7+c*11)%48) / 48
			planar.Data.X[c*48+i], packed.Data.X[i*3+c] = v, v
		}
	}
	measured(t, planar)
	measured(t, packed)
	for q := range a.asked {
		for i := range 48 {
			for c := range 3 {
				if x, y := a.asked[q][c*48+i], b.asked[q][i*3+c]; x != y {
					t.Fatalf("question %d, pixel %d, channel %d: %v and %v", q, i, c, x, y)
				}
			}
		}
	}
}

// TestEdges: a constant model loses nothing, and rows without lines are no pictures.
func TestEdges(t *testing.T) {
	g, _ := target(t, "nchw", []int{1, 8, 8}, func([]float32) (float32, float32) { return 1, 0 }, unit, 60)
	r := measured(t, g)
	if m := r.Metrics["accuracy_drop"]; m.Value != 0 || m.Lower > -0.01 || m.Upper < 0.01 || m.Upper > 0.1 {
		t.Errorf("got drop %+v, want none, and an interval around it", m)
	}
	if m := r.Metrics["worst_case_accuracy"]; m.Value != 0.5 || *m.K != 30 {
		t.Errorf("got %+v in the worst case, want half", m)
	}
	g, _ = target(t, "columns", []int{1, 8, 8}, halves, unit, 40)
	if r := measured(t, g); r.State != result.NotApplicable {
		t.Errorf("got %s for rows in columns, want not applicable", r.State)
	}
}

package exact_test

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

type recorded struct {
	name, model, rows, answers string
	features                   int
}

func recordings() []recorded {
	return []recorded{
		{"breast cancer", "breast_cancer_robust.0008.json", "example_breast_cancer0.libsvm", "breast_cancer_robust.answers.csv", 11},
		{"diabetes", "diabetes_rf.json", "diabetes_scale0.test.gz", "diabetes_rf.answers.csv", 9},
		{"ijcnn", "ijcnn_rf.json.gz", "ijcnn1s0.t.gz", "ijcnn_rf.answers.csv", 23},
	}
}

// flip is the aim of the class that a margin does not give.
func flip(margin float64) exact.Aim {
	if margin > 0 {
		return exact.Under(0, true)
	}
	return exact.Over(0, false)
}

// margin adds an ensemble of one output up, with less-than splits alone.
func margin(e *tree.Ensemble, x []float32) float64 {
	sum := 0.0
	for _, b := range e.Base {
		sum += b
	}
	for i := range e.Trees {
		t := &e.Trees[i]
		n := &t.Nodes[0]
		for n.Feature >= 0 {
			next := n.Right
			if x[n.Feature] < float32(n.Threshold) {
				next = n.Left
			}
			n = &t.Nodes[next]
		}
		sum += t.Values[n.Left]
	}
	return sum
}

// TestRecordedAnswers compares with exact distances of an exhaustive search that
// agrees with a mixed integer programme; see the data's own notes.
func TestRecordedAnswers(t *testing.T) {
	dir := data(t)
	for _, r := range recordings() {
		t.Run(r.name, func(t *testing.T) {
			e := dump(t, filepath.Join(dir, r.model), r.features)
			x := rows(t, filepath.Join(dir, r.rows), r.features)
			g, err := exact.New(e, exact.Unbounded(r.features))
			if err != nil {
				t.Fatal(err)
			}
			want := answers(t, filepath.Join(dir, r.answers))
			var spent time.Duration
			recorded, worst, sum, boxes, right := 0.0, 0.0, 0.0, 0, 0
			for _, a := range want {
				m := margin(e, x[a.row])
				if math.Abs(m-a.margin) > 1e-5 {
					t.Fatalf("row %d: margin %v, want %v", a.row, m, a.margin)
				}
				got, err := g.Search(t.Context(), x[a.row], flip(m), exact.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if !got.Exact || math.Abs(got.Lower-a.linf) > 1e-6 || math.Abs(got.Upper-a.linf) > 1e-6 || got.Lower > got.Upper {
					t.Errorf("row %d: %v to %v, exact %v, want %v", a.row, got.Lower, got.Upper, got.Exact, a.linf)
				}
				if w := margin(e, got.Witness); (w > 0) == (m > 0) {
					t.Errorf("row %d: the witness's margin is %v and the row's %v", a.row, w, m)
				}
				spent += got.Time
				boxes += got.Boxes
				recorded += a.ms
				worst = max(worst, math.Abs(got.Lower-a.linf))
				if a.pred == a.label {
					sum += got.Lower
					right++
				}
			}
			t.Logf("%d rows, %.1f ms in all, recorded %.1f ms, largest difference %.1e, mean of %d right ones %.5f, %d boxes a row",
				len(want), spent.Seconds()*1e3, recorded, worst, right, sum/float64(right), boxes/len(want))
		})
	}
}

package worker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/worker"
)

// firsts stands in for a served model: it answers each row with its first value, until it breaks.
type firsts struct{ rows, breaks int }

func (f *firsts) Ask(_ context.Context, q *model.Question) (*model.Reply, error) {
	n := int(q.Shape[0])
	if f.rows += n; f.breaks > 0 && f.rows > f.breaks {
		return nil, errors.New("the server is gone")
	}
	r := &model.Reply{Rows: n, Columns: 1, Traffic: model.Traffic{Calls: 1, Seconds: 0.25}}
	width := len(q.Data) / n
	for i := range n {
		r.Data = binary.LittleEndian.AppendUint32(r.Data, binary.LittleEndian.Uint32(q.Data[i*width:]))
	}
	return r, nil
}

// behind is the data of the digits example with a served model of one score.
func behind(t *testing.T, asker model.Asker) worker.Setup {
	folder, err := filepath.Abs("../../examples/digits")
	if err != nil {
		t.Fatal(err)
	}
	return worker.Setup{
		MemoryBytes: 1 << 30, CPUSeconds: 600, Asker: asker,
		Model: &model.Spec{
			Served: &model.Served{Width: 64}, Input: model.Input{Layout: "nchw", Shape: []int{1, 8, 8}}, Output: model.Output{Kind: model.Score},
			Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.5, Outcomes: []string{"a", "b", "c"}},
		},
		Data: &dataset.Spec{Path: filepath.Join(folder, "test.npz"), Input: "x", Label: "y"},
	}
}

// TestTheParentCarriesTheTraffic has a confined child, which has no network, ask a served model.
func TestTheParentCarriesTheTraffic(t *testing.T) {
	server := &firsts{}
	p := start(t, behind(t, server))
	if m := p.Ready.Model; m == nil || m.Columns != 1 || p.Ready.Runtime != "" {
		t.Fatalf("got %+v, want one column and no runtime", p.Ready)
	}
	probe, j := job("test/predict", measure.Params{"calls": 2.0})
	j.Index = []int{5, 6, 7}
	before := server.rows
	done, err := p.Run(t.Context(), probe, j, nil)
	if err != nil || done.Error != "" {
		t.Fatal(err, done)
	}
	if asked := server.rows - before; asked != 6 || done.Queries != 6 || done.Traffic.Calls != 2 || done.Traffic.Seconds != 0.5 {
		t.Errorf("%d rows asked, %d counted, traffic %+v; want 6, 6 and 2 calls of 0.5 s", asked, done.Queries, done.Traffic)
	}
	table, err := dataset.Select(t.Context(), *behind(t, nil).Data, j.Index)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := done.Result.Metrics["score"].Value, float64(table.X[0]); math.Abs(got-want) > 1e-9 {
		t.Errorf("score %v, want the row's first value %v", got, want)
	}
}

// TestAServerThatDies fails the shard with the reason and leaves the worker alive.
func TestAServerThatDies(t *testing.T) {
	server := &firsts{}
	p := start(t, behind(t, server))
	for _, test := range []struct {
		calls  float64
		breaks int
		want   string
	}{{1, 0, ""}, {3, server.rows + 6, "the server is gone"}, {1, 0, ""}} {
		server.breaks = test.breaks
		probe, j := job("test/predict", measure.Params{"calls": test.calls})
		done, err := p.Run(t.Context(), probe, j, nil)
		if err != nil || done.Error != test.want {
			t.Errorf("%v calls: got %+v, %v, want %q", test.calls, done, err, test.want)
		}
	}
	setup := behind(t, &firsts{breaks: 1})
	q, err := worker.Start(t.Context(), self, setup)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if !strings.Contains(q.Ready.Error, "the endpoint does not answer a plain batch: the server is gone") {
		t.Errorf("got %q", q.Ready.Error)
	}
}

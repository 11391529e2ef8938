package artefact_test

import (
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/google/go-cmp/cmp"
)

func TestTrace(t *testing.T) {
	all := []artefact.Artefact{
		{Name: "served", Kind: artefact.RecordedOutputs, Of: "model", On: "test"},
		{Name: "model", Kind: artefact.Model, From: []string{"train", "script"}},
		{Name: "train", Kind: artefact.Dataset, From: []string{"raw"}},
		{Name: "test", Kind: artefact.Dataset, From: []string{"raw"}},
		{Name: "raw", Kind: artefact.Dataset},
		{Name: "script", Kind: artefact.Code},
	}
	got, err := artefact.Trace(all)
	if err != nil {
		t.Fatal(err)
	}
	want := &artefact.Lineage{
		Layers: [][]artefact.Artefact{{all[4], all[5]}, {all[2], all[3]}, {all[1]}, {all[0]}},
		Edges: []artefact.Edge{
			{"model", "served", "answered by"}, {"test", "served", "asked of"},
			{"train", "model", "made from"}, {"script", "model", "made from"},
			{"raw", "train", "made from"}, {"raw", "test", "made from"},
		},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("Trace (-got +want):\n%s", diff)
	}
	empty, err := artefact.Trace(nil)
	if err != nil || len(empty.Layers) != 0 {
		t.Errorf("Trace(nil) = %v, %v, want no layers", empty, err)
	}
}

func TestTraceRefusals(t *testing.T) {
	tests := []struct {
		name string
		all  []artefact.Artefact
		want string
	}{
		{"name twice", []artefact.Artefact{{Name: "a"}, {Name: "a"}}, `trace lineage: two artefacts are named "a"`},
		{"unknown origin", []artefact.Artefact{{Name: "a", From: []string{"b"}}}, `trace lineage: artefact "a" refers to "b", which is not among the artefacts`},
		{"of itself", []artefact.Artefact{{Name: "a", From: []string{"a"}}}, "trace lineage: a come from one another in a circle"},
		{"circle", []artefact.Artefact{{Name: "a", From: []string{"b"}}, {Name: "b", Of: "c"}, {Name: "c", On: "a"}, {Name: "d"}}, "trace lineage: a, b, c come from one another in a circle"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := artefact.Trace(test.all)
			if err == nil {
				t.Fatal("got no error")
			}
			if diff := cmp.Diff(err.Error(), test.want); diff != "" {
				t.Errorf("error (-got +want):\n%s", diff)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	want := []artefact.Kind{"model", "dataset", "recorded-outputs", "record", "code", "endpoint"}
	if diff := cmp.Diff(artefact.Kinds(), want); diff != "" {
		t.Errorf("Kinds (-got +want):\n%s", diff)
	}
}

package planner_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/planner"
	"github.com/assize/assize/internal/probes/availability"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/result"
)

// TestEndpointProbe plans availability/endpoint with the batch, the limit and the grant that a manifest declares, and leaves it out of a file's plan.
func TestEndpointProbe(t *testing.T) {
	probe, ok := suite.Find(availability.Probes(), "availability/endpoint")
	if !ok {
		t.Fatal("there is no such probe")
	}
	fifty, thirty := 50, 30
	live := &manifest.Endpoint{Protocol: manifest.JSON, Request: `{"row": $row}`, Batch: 64, QueriesPerUser: 1000}
	m := &manifest.Manifest{
		Artefacts: []manifest.Artefact{{Name: "live", Kind: artefact.Endpoint, Endpoint: live}},
		Solutions: []manifest.Solution{{Name: "a", Type: manifest.QueryLimit, Queries: &fifty}, {Name: "b", Type: manifest.QueryLimit, Queries: &thirty}},
	}
	c := &catalogue.Catalogue{Solutions: []catalogue.SolutionType{{ID: manifest.QueryLimit}}}
	target := planner.Target{Manifest: m, Depth: "quick", ModelName: "live", Served: true, HasDomain: true}
	p, err := planner.Make(target, c, []measure.Probe{*probe})
	if err != nil || len(p.Items) != 1 {
		t.Fatal(p, err)
	}
	want := map[string]any{"calls": 60.0, "most": 100.0, "limit": 30.0, "grant": 1000.0, "batch": 1.0}
	if diff := cmp.Diff(p.Items[0].Parameters, want); diff != "" {
		t.Errorf("parameters (-got +want):\n%s", diff)
	}
	// Seven damaged requests and three rows after each, thirty questions and five more, eight batches of one row.
	if got := p.Items[0].Queries; got != 7*4+35+8+60 {
		t.Errorf("%d queries", got)
	}
	live.Request, live.Batch = `{"rows": $rows}`, 5000
	if p, err = planner.Make(target, c, []measure.Probe{*probe}); err != nil || p.Items[0].Parameters["batch"] != 5000.0 || p.Items[0].Queries != 7*4+35+8*1000+60 {
		t.Errorf("large batches: %+v, %v", p.Items, err)
	}
	target.Manifest, target.Served = &manifest.Manifest{}, false
	p, err = planner.Make(target, c, []measure.Probe{*probe})
	if err != nil || !slices.Contains(p.LeftOut, plan.LeftOut{Probe: probe.ID, State: string(result.NotApplicable), Reason: "the model is a file, and no endpoint is asked"}) {
		t.Errorf("a file: %+v, %v", p.LeftOut, err)
	}
}

package html_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/report/html"
	"github.com/assize/assize/internal/result"
)

// A dossier may come from an enemy: whatever its pictures and numbers hold, the page is written
// and no coordinate is undefined.
func TestOddPictures(t *testing.T) {
	long := make([]float64, 5000)
	for i := range long {
		long[i] = float64(i)
	}
	many := result.Picture{Kind: "bars"}
	for i := range 500 {
		many.Labels = append(many.Labels, fmt.Sprint(i))
	}
	many.Series = []result.Series{{Y: long}}
	square := make([][]float64, 40)
	for i := range square {
		square[i] = long[i : i+40]
	}
	pictures := []result.Picture{
		{}, {Kind: "pie"}, {Kind: "curve"}, {Kind: "bars"}, {Kind: "matrix"},
		{Kind: "curve", Series: []result.Series{{X: []float64{1}, Y: []float64{1, 2}}}},
		{Kind: "curve", LogX: true, Series: []result.Series{{X: []float64{-1, 0}, Y: []float64{1, 2}}}},
		{Kind: "curve", LogX: true, Series: []result.Series{{X: []float64{0, 1, 1e300}, Y: []float64{1, 2, 3}}}},
		{Kind: "curve", Series: []result.Series{{X: []float64{-1e308, 1e308}, Y: []float64{1, 2}}}},
		{Kind: "curve", Series: []result.Series{{X: []float64{3}, Y: []float64{-1e308}}}},
		{Kind: "curve", Series: []result.Series{{X: []float64{1, 2}, Y: []float64{math.NaN(), math.Inf(1)}}}},
		{Kind: "curve", Series: []result.Series{{X: []float64{2, 2}, Y: []float64{0.5, 0.5}, Lower: []float64{0}, Upper: []float64{1, 1}}}},
		{Kind: "curve", Diagonal: true, Series: []result.Series{{X: []float64{5, 6}, Y: []float64{-3, -2}}}},
		{Kind: "curve", Series: []result.Series{{X: long, Y: long, Lower: long, Upper: long}}},
		{Kind: "bars", Labels: []string{"a", "b"}, Series: []result.Series{{Y: []float64{1}}}},
		{Kind: "bars", Labels: []string{"a"}, Series: []result.Series{{Y: []float64{-4}, Lower: []float64{-9}, Upper: []float64{2}}}},
		{Kind: "bars", Labels: []string{"a"}, Series: []result.Series{{Y: []float64{0}}}},
		many,
		{Kind: "matrix", Labels: []string{"a"}, Cells: [][]float64{{1, 2}}},
		{Kind: "matrix", Labels: []string{"a", "b"}, Cells: [][]float64{{-1, 0}, {0, 0}}},
		{Kind: "matrix", Labels: []string{"a", "b"}, Cells: [][]float64{{1e308, 1e308}, {1e308, 1e308}}},
		{Kind: "matrix", Labels: many.Labels, Cells: square},
	}
	for i, p := range pictures {
		metrics := map[string]result.Metric{
			"odd": {Value: -1e308, Lower: 5, Upper: 1e308, Unit: "share"}, "nan": {Value: math.NaN(), Lower: 0, Upper: 1, Unit: "share"},
		}
		d := &dossier.Dossier{Observations: []evidence.Observation{{ID: "o-1", Result: result.Result{State: result.Measured, Pictures: []result.Picture{p}, Metrics: metrics}}}}
		for name, m := range metrics {
			level := -3e307
			d.Decisions = append(d.Decisions, dossier.Decision{Goal: "g", Metric: name, Measured: &m, Level: &level, Compare: "at_least"})
		}
		d.Goals = []dossier.Goal{{ID: "g", Decision: "no verdict at all", Claimed: true}}
		d.Effects = []dossier.Effect{{Difference: 1e308, Lower: -1e308, Upper: 1e308}, {}}
		page := string(write(t, d))
		for _, bad := range []string{`"NaN"`, "Inf", "NaN ", `LNaN`, "MNaN"} {
			for _, line := range strings.Split(page, "\n") {
				if strings.Contains(line, bad) && (strings.Contains(line, "<path") || strings.Contains(line, "<rect") || strings.Contains(line, "<circle")) {
					t.Errorf("picture %d: a coordinate is undefined: %s", i, line)
				}
			}
		}
		if len(page) > 2_000_000 {
			t.Errorf("picture %d: the page has %d bytes", i, len(page))
		}
	}
}

// A lineage that cannot be traced is said, not drawn; the table of artefacts is there in any case.
func TestOddLineage(t *testing.T) {
	for name, c := range map[string]struct {
		artefacts []artefact.Artefact
		want      string
	}{
		"none":    {nil, "<h2 id=\"lineage-title\">"},
		"circle":  {[]artefact.Artefact{{Name: "a", From: []string{"b"}}, {Name: "b", From: []string{"a"}}}, "cannot be drawn"},
		"unknown": {[]artefact.Artefact{{Name: "a", From: []string{"c"}}}, "cannot be drawn"},
		"one":     {[]artefact.Artefact{{Name: "a"}}, `class="lineage"`},
	} {
		if page := string(write(t, &dossier.Dossier{Artefacts: c.artefacts})); !strings.Contains(page, c.want) {
			t.Errorf("%s: the page does not hold %q", name, c.want)
		}
	}
}

// An empty dossier gives a page too, and a writer that fails is heard.
func TestEmptyAndFailing(t *testing.T) {
	if page := string(write(t, &dossier.Dossier{})); !strings.Contains(page, "The manifest claims no goal") {
		t.Error("an empty dossier does not say that nothing is claimed")
	}
	if err := html.Write(broken{}, &dossier.Dossier{}); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("got error %v, want one of the writer", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, fmt.Errorf("disk is full") }

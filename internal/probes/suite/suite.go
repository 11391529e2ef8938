// Package suite lists the probes of this build.
package suite

import (
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/probes/artefactscan"
	"github.com/assize/assize/internal/probes/availability"
	"github.com/assize/assize/internal/probes/corruptions"
	"github.com/assize/assize/internal/probes/evasion"
	"github.com/assize/assize/internal/probes/faults"
	"github.com/assize/assize/internal/probes/performance"
	"github.com/assize/assize/internal/probes/poisoning"
	"github.com/assize/assize/internal/probes/records"
	"github.com/assize/assize/internal/probes/tabular"
	"github.com/assize/assize/internal/probes/trees"
)

// All are the probes of this build, family by family, in the order in which a plan lists them.
func All() []measure.Probe {
	return slices.Concat(artefactscan.Probes(), performance.Probes(), evasion.Probes(), trees.Probes(), tabular.Probes(), faults.Probes(), corruptions.Probes(), availability.Probes(), poisoning.Probes(), records.Probes())
}

// Find looks a probe up by its id.
func Find(probes []measure.Probe, id string) (*measure.Probe, bool) {
	for i := range probes {
		if probes[i].ID == id {
			return &probes[i], true
		}
	}
	return nil, false
}

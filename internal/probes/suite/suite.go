// Package suite lists the probes of this build.
package suite

import (
	"slices"

	"github.com/assize/assize/internal/measure"
)

// All are the probes of this build, family by family.
func All() []measure.Probe {
	return slices.Concat[[]measure.Probe]()
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

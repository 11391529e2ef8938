package engine

import (
	"fmt"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/probes/suite"
)

// openCatalogue reads the catalogue that decides: the one in use, else the
// build's own, with the folder of the options or else of the manifest over it.
// A folder is held to the catalogue's lint before it may decide anything. The
// digest that the plan and the dossier name is of all of it.
func openCatalogue(m *manifest.Manifest, o *Options) (*catalogue.Tables, error) {
	dir := o.Catalogue
	if dir == "" && m.Catalogue != "" {
		var err error
		if dir, err = m.Locate(m.Catalogue); err != nil {
			return nil, err
		}
	}
	t, err := catalogue.Open(catalogue.Options{Pack: catalogue.InUse(o.KeyFolder), Dir: dir})
	if err != nil {
		return nil, &Refusal{err}
	}
	if dir != "" {
		if err := lint(t, dir); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// lint holds what a user laid over the catalogue to its rules.
func lint(t *catalogue.Tables, what string) error {
	var feeds []string
	for _, p := range suite.All() {
		for _, metric := range p.Metrics {
			feeds = append(feeds, p.ID+" "+metric)
		}
	}
	faults, err := t.Lint(feeds)
	if err != nil {
		return &Refusal{err}
	}
	if len(faults) > 0 {
		return &Refusal{fmt.Errorf("read catalogue %q: %d faults, the first: %s\nhint: mend the tables there; rows can be added, not changed", what, len(faults), faults[0])}
	}
	return nil
}

package engine

import (
	"fmt"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
)

// openCatalogue reads the catalogue that decides: the one in use, else the
// build's own, with the folder of the options or else of the manifest over it.
// A folder is held to the catalogue's lint before it may decide anything. The
// digest that the plan and the dossier name is of all of it.
func openCatalogue(m *manifest.Manifest, o *Options) (*catalogue.Catalogue, error) {
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
		faults, err := t.Lint(nil)
		if err != nil {
			return nil, &Refusal{err}
		}
		if len(faults) > 0 {
			return nil, &Refusal{fmt.Errorf("read catalogue %q: %d faults, the first: %s\nhint: mend the folder's tables; rows can be added, not changed", dir, len(faults), faults[0])}
		}
	}
	return t.Catalogue()
}

package engine

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"

	"github.com/invopop/jsonschema"

	"github.com/assize/assize/internal/dossier"
)

// DossierSchema is the JSON Schema (draft 2020-12) of dossier.json, made from
// the types that read and write it.
func DossierSchema() ([]byte, error) {
	// Types of two packages may have one name, as Goal and Environment do.
	namer := func(t reflect.Type) string {
		if t.PkgPath() == "" {
			return t.Name()
		}
		return path.Base(t.PkgPath()) + "." + t.Name()
	}
	r := jsonschema.Reflector{Anonymous: true, Namer: namer}
	s := r.Reflect(&dossier.Dossier{})
	s.Title = "Assize dossier"
	s.Description = "One assessment: what was planned, observed and decided. Written by assize assess, checked by assize verify."
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write dossier schema: %w", err)
	}
	return slices.Concat(b, []byte("\n")), nil
}

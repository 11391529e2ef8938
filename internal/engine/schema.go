package engine

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/invopop/jsonschema"

	"github.com/assize/assize/internal/dossier"
)

// DossierSchema is the JSON Schema (draft 2020-12) of dossier.json, made from
// the types that read and write it.
func DossierSchema() ([]byte, error) {
	r := jsonschema.Reflector{Anonymous: true}
	s := r.Reflect(&dossier.Dossier{})
	s.Title = "Assize dossier"
	s.Description = "One assessment: what was planned, observed and decided. Written by assize assess, checked by assize verify."
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write dossier schema: %w", err)
	}
	return slices.Concat(b, []byte("\n")), nil
}

package manifest

import (
	"bytes"
	"encoding/json"

	"github.com/assize/assize/internal/domain"
)

// Domain says which inputs can really occur, as the manifest declares it.
// BuildDomain turns it into a domain.Domain.
type Domain struct {
	ConfirmedBy *Confirmation `json:"confirmed_by,omitempty"` // nil: guessed, so nothing can pass on it
	Features    Features      `json:"features"`
	Relations   []string      `json:"relations,omitempty"` // over x and orig
}

// Confirmation says who confirmed a domain, and when.
type Confirmation struct {
	Name string `json:"name"`
	Date Date   `json:"date"`
}

// Features is either the path of a CSV file or a list; the other is empty.
type Features struct {
	Path string // relative to the manifest's folder
	List []Feature
}

// Feature is one entry of the list of features.
type Feature struct {
	domain.Feature
	// Count, where it is not 0, stands for that many features alike, named
	// name[0], name[1] and so on.
	Count int `json:"count,omitempty"`
}

// MarshalJSON gives the path or the list.
func (f Features) MarshalJSON() ([]byte, error) {
	if f.Path != "" {
		return json.Marshal(f.Path)
	}
	return json.Marshal(f.List)
}

// UnmarshalJSON takes a path or a list.
func (f *Features) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte(`"`)) {
		return json.Unmarshal(b, &f.Path)
	}
	return json.Unmarshal(b, &f.List)
}

// fillDefaults sets what may be left out of a feature: mutable is yes, and a
// binary feature goes from 0 to 1.
func (f *Feature) fillDefaults() {
	if f.Mutable == "" {
		f.Mutable = domain.Yes
	}
	if f.Type == domain.Binary && f.Min == 0 && f.Max == 0 {
		f.Max = 1
	}
}

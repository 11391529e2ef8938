// Package domain says which inputs of a system can really occur: the type and
// range of each feature, which of them somebody can change and in which direction, which belong
// together, and which relations hold between them.
package domain

// Type is the kind of value that a feature takes.
type Type string

// The feature types. Values are numbers in a model's own units throughout;
// a category is its integer code.
const (
	Real     Type = "real"
	Integer  Type = "integer"
	Ordinal  Type = "ordinal"  // integer codes with an order
	Binary   Type = "binary"   // 0 or 1
	Category Type = "category" // integer codes without an order
)

// Mutability says how somebody who wants another decision can move a feature.
type Mutability string

// The mutabilities. Up and Down allow change in one direction only (an age).
const (
	Yes  Mutability = "yes"
	No   Mutability = "no"
	Up   Mutability = "up"
	Down Mutability = "down"
)

// Feature is one input of the model, in the order in which the model takes them.
type Feature struct {
	Name    string     `json:"name"`
	Type    Type       `json:"type"`
	Min     float64    `json:"min"`
	Max     float64    `json:"max"`
	Unit    string     `json:"unit,omitempty"`
	Mutable Mutability `json:"mutable"`
	// Group names a one-hot group: of its features exactly one is 1, the others 0.
	Group string `json:"group,omitempty"`
	// Cost is the owner's price of changing the feature by one unit; 0 is not stated.
	Cost float64 `json:"cost,omitempty"`
}

// Package artefact names the things that an assessment is about, binds each
// to its content by a SHA-256 digest, and knows which was made from which.
package artefact

// Kind says what an artefact is to the target.
type Kind string

// The kinds of artefact that a manifest can name.
const (
	Model           Kind = "model"            // weights and graph that the target runs
	Dataset         Kind = "dataset"          // rows with or without labels
	RecordedOutputs Kind = "recorded-outputs" // what the deployed system answered, for parity
	Record          Kind = "record"           // organisational evidence: a review, a log, a procedure
	Code            Kind = "code"             // scripts and configuration that made another artefact
)

// Kinds lists every Kind, in the order in which reports show them.
func Kinds() []Kind { return []Kind{Model, Dataset, RecordedOutputs, Record, Code} }

// Artefact is one file or folder of the target, identified by its content.
type Artefact struct {
	Name      string   `json:"name"`
	Kind      Kind     `json:"kind"`
	Path      string   `json:"path"` // relative to the target's folder, with slashes
	Digest    Digest   `json:"digest"`
	SizeBytes int64    `json:"size_bytes"`
	From      []string `json:"from,omitempty"` // names of the artefacts that it was made from
	Of        string   `json:"of,omitempty"`   // recorded outputs: the model that answered
	On        string   `json:"on,omitempty"`   // recorded outputs: the data set that was asked
}

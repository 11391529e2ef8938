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
	Endpoint        Kind = "endpoint"         // a served model, whose bytes nobody handed over
)

// Kinds lists every Kind, in the order in which reports show them.
func Kinds() []Kind { return []Kind{Model, Dataset, RecordedOutputs, Record, Code, Endpoint} }

// Artefact is one file or folder of the target, identified by its content.
type Artefact struct {
	Name      string   `json:"name"`
	Kind      Kind     `json:"kind"`
	Path      string   `json:"path"` // relative to the target's folder, with slashes; of an endpoint, its URL
	Digest    Digest   `json:"digest"`
	SizeBytes int64    `json:"size_bytes"`
	From      []string `json:"from,omitempty"` // names of the artefacts that it was made from
	Of        string   `json:"of,omitempty"`   // recorded outputs: the model that answered; endpoint: the model that it is said to serve
	On        string   `json:"on,omitempty"`   // recorded outputs: the data set that was asked
	// Endpoint is set for a served model alone.
	Endpoint *EndpointInfo `json:"endpoint,omitempty"`
}

// EndpointInfo is what stands for the bytes of a model that nobody handed over:
// where it is served, and what the server said of it when the assessment began. The
// artefact's digest is of its canonical encoding, so it binds the words and not the model.
type EndpointInfo struct {
	URL      string   `json:"url"` // without user, password and query
	Protocol string   `json:"protocol"`
	Model    string   `json:"model,omitempty"`
	Version  string   `json:"version,omitempty"`  // that was asked for
	Server   string   `json:"server,omitempty"`   // its name and version
	Platform string   `json:"platform,omitempty"` // that runs the model
	Versions []string `json:"versions,omitempty"` // of the model that the server has
	Inputs   []Tensor `json:"inputs,omitempty"`
	Outputs  []Tensor `json:"outputs,omitempty"`
}

// Tensor is an input or output as a server describes it; -1 is a dimension that it leaves open.
type Tensor struct {
	Name     string  `json:"name"`
	Datatype string  `json:"datatype"`
	Shape    []int64 `json:"shape"`
}

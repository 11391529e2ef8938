// Package evidence is what an assessment writes down: observations in one
// canonical encoding, the entries of the ledger that bind them, and the
// stream of messages that a run sends to whoever watches it.
package evidence

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/result"
)

// Observation is one result of one probe, bound to what it was measured on.
type Observation struct {
	ID      string `json:"id"`   // "o-17", unique in a run
	Item    string `json:"item"` // the plan's item that asked for it
	Probe   string `json:"probe"`
	Version int    `json:"version"`

	result.Result

	Inputs      []artefact.Digest `json:"inputs"` // every artefact that it read
	Parameters  map[string]any    `json:"parameters,omitempty"`
	Seed        string            `json:"seed"` // hexadecimal, of this probe in this run
	SolutionsOn []string          `json:"solutions_on"`
	// RowsFile is "salted:" and the SHA-256 of the file of per-row outcomes,
	// whose random salt keeps anybody from guessing rows that were redacted.
	RowsFile    string    `json:"rows,omitempty"`
	RowsCount   int       `json:"rows_count,omitempty"`
	Environment string    `json:"environment"`
	Queries     int64     `json:"queries"`           // rows asked of the model
	Seconds     float64   `json:"seconds"`           // of one core
	Traffic     *Traffic  `json:"traffic,omitempty"` // nil where the model is a file
	Ended       time.Time `json:"ended"`

	// Digest is of the canonical encoding of all above; it names the file.
	Digest artefact.Digest `json:"digest,omitempty"`
}

// Traffic is what an observation took of a served model, as the parent counted it.
type Traffic struct {
	Calls   int     `json:"calls"`   // that were answered
	Retries int     `json:"retries"` // calls that had to be made again
	Seconds float64 `json:"seconds"` // that the server took for those answered

	Requests  int     `json:"requests,omitempty"`  // that were made, those again and those in vain included
	Sent      int     `json:"sent,omitempty"`      // rows in all of them
	Throttled int     `json:"throttled,omitempty"` // answers that the service is asked too much: 429, 503, gRPC 8 or 14
	Failed    int     `json:"failed,omitempty"`    // calls that were given up
	Waited    float64 `json:"waited,omitempty"`    // seconds, for the agreed rates and before retries
	// Unasked counts rows or cases that were not measured because the run's cap was reached.
	Unasked int `json:"unasked,omitempty"`
}

// Add adds what another observation took.
func (t *Traffic) Add(o *Traffic) {
	if o == nil {
		return
	}
	t.Calls += o.Calls
	t.Retries += o.Retries
	t.Seconds += o.Seconds
	t.Requests += o.Requests
	t.Sent += o.Sent
	t.Throttled += o.Throttled
	t.Failed += o.Failed
	t.Waited += o.Waited
	t.Unasked += o.Unasked
}

// Environment is where observations were made. A replay elsewhere compares
// decisions and outcomes, not bits.
type Environment struct {
	ID        string            `json:"id"`
	OS        string            `json:"os"`
	Arch      string            `json:"arch"`
	Processor string            `json:"processor"`
	Features  []string          `json:"features,omitempty"` // instruction sets that change floating-point results
	Cores     int               `json:"cores"`
	Threads   int               `json:"threads_per_session"`
	Kernel    string            `json:"kernel,omitempty"`
	Runtime   string            `json:"runtime"` // ONNX Runtime's version and library digest
	Tool      string            `json:"tool"`
	Sandbox   map[string]string `json:"sandbox"`           // layer: how it is
	Missing   []string          `json:"missing,omitempty"` // parts of the sandbox that the kernel lacks
}

// Canonical is the RFC 8785 encoding of any JSON value: the bytes that are digested.
func Canonical(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode evidence: %w", err)
	}
	out, err := jcs.Transform(plain)
	if err != nil {
		return nil, fmt.Errorf("encode evidence: %w", err)
	}
	return out, nil
}

// Seal sets the observation's digest and returns the bytes that it is of.
func (o *Observation) Seal() ([]byte, error) {
	o.Digest = ""
	b, err := Canonical(o)
	if err != nil {
		return nil, err
	}
	o.Digest = artefact.DigestBytes(b)
	return b, nil
}

// Unseal reads an observation back and sets its digest from the bytes. Bytes that are not the
// canonical encoding of what they say are refused, so that one observation has one digest.
func Unseal(b []byte) (*Observation, error) {
	var o Observation
	if err := Decode(b, &o); err != nil {
		return nil, err
	}
	if o.Digest != "" {
		return nil, fmt.Errorf("read observation: it carries its own digest")
	}
	o.Digest = artefact.DigestBytes(b)
	return &o, nil
}

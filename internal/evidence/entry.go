package evidence

import (
	"time"

	"github.com/assize/assize/internal/artefact"
)

// Entry is one line of the ledger. It holds digests, never data.
type Entry struct {
	Type string    `json:"type"`
	Run  string    `json:"run"` // random, one per assessment
	Time time.Time `json:"time"`
	// ID is an observation's or an environment's.
	ID string `json:"id,omitempty"`
	// Digest is of the plan, observation, environment or decisions, canonically encoded.
	Digest artefact.Digest `json:"digest,omitempty"`
	// Plan entries carry what must be fixed before the first probe.
	Criteria  artefact.Digest   `json:"criteria,omitempty"`
	Catalogue artefact.Digest   `json:"catalogue,omitempty"`
	Manifest  artefact.Digest   `json:"manifest,omitempty"`
	Artefacts []artefact.Digest `json:"artefacts,omitempty"`
	// Overrides are the digests of data and threat model that the assessor set.
	Overrides []artefact.Digest `json:"overrides,omitempty"`
	Nonce     string            `json:"nonce,omitempty"` // hexadecimal
	Tool      string            `json:"tool,omitempty"`
	// State is an observation's, so that the log alone shows what was skipped or failed.
	State string `json:"state,omitempty"`
}

// The entry types, in the order in which a run writes them.
const (
	EntryPlan        = "plan"
	EntryEnvironment = "environment"
	EntryObservation = "observation"
	EntryResumed     = "resumed" // the run had been broken off and goes on here
	EntryDecisions   = "decisions"
)

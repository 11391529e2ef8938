package dossier

import (
	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/result"
)

// AttackClass is one class of attack of the AI Act's Art. 15(5), or denial of
// service, against the five functions of measures.
type AttackClass struct {
	Class     string     `json:"class"`
	Functions []Measures `json:"functions"` // prevent, detect, respond, resolve, control
}

// Measures is what is in place of one function against one class.
type Measures struct {
	Function  string   `json:"function"`
	Solutions []string `json:"solutions"`          // declared, by name
	Known     []string `json:"known"`              // of each solution: its measured effect or its record
	Decision  Verdict  `json:"decision,omitempty"` // the worst of the goals that they are for; empty where none is declared
	Because   string   `json:"because"`
}

// Requirement is how one item of law or of a standard stands.
type Requirement struct {
	ID        string  `json:"id"`
	Framework string  `json:"framework"`
	Reference string  `json:"reference"`
	Text      string  `json:"text"`              // in own words
	State     string  `json:"state"`             // decided (by measurement), answered (by a record) or open
	Verdict   Verdict `json:"verdict,omitempty"` // of a decided one
	ByDefault bool    `json:"by_default,omitempty"`
	By        string  `json:"by"` // what decides or answers it, or why it is open
}

// RequirementCount counts the items of one framework, decided and answered apart.
type RequirementCount struct {
	Framework string `json:"framework"`
	Of        int    `json:"of"`
	Decided   int    `json:"decided"`
	Passed    int    `json:"passed"`
	ByDefault int    `json:"by_default"` // of the passed ones, those on defaults of ours
	Answered  int    `json:"answered"`
	Open      int    `json:"open"`
	Testable  int    `json:"testable"` // how many a test could decide at all
}

// Foreign is what somebody else's tool found, as that tool says. It is no
// measurement of this assessment, and no criterion reads it.
type Foreign struct {
	Record   string           `json:"record"` // name in the manifest
	File     string           `json:"file"`
	Digest   artefact.Digest  `json:"digest"`
	Format   string           `json:"format"` // "SARIF 2.1.0", "CycloneDX 1.6 VEX"; empty where nothing was found
	Tool     string           `json:"tool"`
	Made     string           `json:"made,omitempty"`
	Open     int              `json:"open"` // findings that their origin has not closed
	Findings []ForeignFinding `json:"findings"`
	Dropped  int              `json:"dropped,omitempty"` // beyond the limit of what is read
}

// ForeignFinding is one finding of somebody else.
type ForeignFinding struct {
	Rule     string          `json:"rule"`
	Severity result.Severity `json:"severity"` // on our scale
	Stated   string          `json:"stated"`   // in the origin's words
	State    string          `json:"state"`    // open, closed or informed, by the origin
	Why      string          `json:"why,omitempty"`
	Where    string          `json:"where"`
	What     string          `json:"what"`
}

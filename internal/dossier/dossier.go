// Package dossier is one assessment, complete: what was planned, observed and
// decided, and the files that hold it.
package dossier

import (
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

// Format is the version of dossier.json.
const Format = 1

// ToolVersion is the version of this program, and Tool its name with it, as dossiers name it.
const (
	ToolVersion = "0.1.0"
	Tool        = "assize " + ToolVersion
)

// Dossier is the contents of dossier.json.
type Dossier struct {
	Format       int                    `json:"format"`
	Tool         string                 `json:"tool"`
	Run          string                 `json:"run"`
	Started      time.Time              `json:"started"`
	Ended        time.Time              `json:"ended"`
	Interrupted  bool                   `json:"interrupted,omitempty"`
	Resumed      int                    `json:"resumed,omitempty"` // how often the run was broken off and went on
	Target       manifest.Target        `json:"target"`
	Manifest     artefact.Digest        `json:"manifest"`
	Artefacts    []artefact.Artefact    `json:"artefacts"`
	Solutions    []manifest.Solution    `json:"solutions"`
	Plan         Plan                   `json:"plan"`
	Environments []evidence.Environment `json:"environments"`
	Observations []evidence.Observation `json:"observations"`
	Decisions    []Decision             `json:"decisions"`
	Effects      []Effect               `json:"effects"`
	Goals        []Goal                 `json:"goals"`
	Attacks      []AttackClass          `json:"attacks"`
	Requirements []Requirement          `json:"requirements"`
	Counts       []RequirementCount     `json:"requirement_counts"`
	Foreign      []Foreign              `json:"foreign"` // what other tools found
	Summary      Summary                `json:"summary"`
	Log          Log                    `json:"log"`
}

// Plan is the plan with what was fixed beside it.
type Plan struct {
	Digest    artefact.Digest `json:"digest"`
	SeedNonce string          `json:"seed_nonce"`
	plan.Plan
}

// Verdict is a decision's outcome. Nothing but Pass is a pass.
type Verdict string

// The verdicts.
const (
	Pass          Verdict = "pass"
	Fail          Verdict = "fail"
	Inconclusive  Verdict = "inconclusive"   // with what is missing
	NotAssessed   Verdict = "not-assessed"   // with the reason
	NotApplicable Verdict = "not-applicable" // with the reason
)

// Decision is one criterion applied to what was observed.
type Decision struct {
	Goal      string   `json:"goal"`
	Criterion string   `json:"criterion"`
	SetBy     string   `json:"set_by"`
	Decision  Verdict  `json:"decision"`
	Because   string   `json:"because"`
	Missing   string   `json:"missing,omitempty"`
	Metric    string   `json:"metric,omitempty"`
	Compare   string   `json:"compare,omitempty"`
	Level     *float64 `json:"level,omitempty"`
	// Measured is absent where nothing was.
	Measured *result.Metric `json:"measured,omitempty"`
	From     []string       `json:"from"` // observations
	Cites    []string       `json:"cites"`
	Caveats  []string       `json:"caveats,omitempty"`
}

// Goal is what the decisions say together of one goal: the worst of those
// that law, standard, provider or assessor set; of our defaults where there are none.
type Goal struct {
	ID       string  `json:"id"`
	Title    string  `json:"title"`
	Claimed  bool    `json:"claimed"`
	Decision Verdict `json:"decision"`
	Because  string  `json:"because"`
	SetBy    string  `json:"set_by,omitempty"`
}

// Effect is the difference that the switchable solutions make, on the same rows with the same seeds.
type Effect struct {
	Probe      string   `json:"probe"`
	Goals      []string `json:"goals"`
	Outcome    string   `json:"outcome"` // what share is compared: "stands", 1 being good for the target
	Solutions  []string `json:"solutions"`
	On         float64  `json:"on"`
	Off        float64  `json:"off"`
	Difference float64  `json:"difference"` // on - off
	Lower      float64  `json:"lower"`
	Upper      float64  `json:"upper"`
	P          float64  `json:"p"` // McNemar, exact, two-sided
	N          int      `json:"n"`
	Method     string   `json:"method"`
	From       []string `json:"from"` // the two observations
	Note       string   `json:"note,omitempty"`
}

// Summary counts, never mixing who set a criterion.
type Summary struct {
	// Counts is by who set the criterion, then by verdict.
	Counts  map[string]map[Verdict]int `json:"counts"`
	Claimed int                        `json:"claimed"`
	Passed  int                        `json:"passed"`
	Caveats []string                   `json:"caveats"`
	Exit    int                        `json:"exit"`
}

// Log says where the ledger stands and who signed it.
type Log struct {
	Origin string `json:"origin"`
	Key    string `json:"key"` // verifier key in note form
	First  int64  `json:"first"`
	Size   int64  `json:"size"` // of the checkpoint in log/
	// EarlierRuns of this target stand in the same ledger.
	EarlierRuns int `json:"earlier_runs"`
	// OtherLogs is how many other ledgers the key's owner has begun for a target
	// of this name, as far as the key's folder knows: the log was started anew.
	OtherLogs int `json:"other_logs,omitempty"`
	// Stamps and Witnesses are what parties outside said of the checkpoint in log/.
	Stamps    []Stamp   `json:"stamps,omitempty"`
	Witnesses []Witness `json:"witnesses,omitempty"`
}

// Stamp is a time stamp of an authority (RFC 3161) over the signed checkpoint.
type Stamp struct {
	File      string    `json:"file"` // the authority's answer, in DER
	Time      time.Time `json:"time"`
	Authority string    `json:"authority"` // subject of its certificate
}

// Witness is a cosignature over the checkpoint (C2SP tlog-cosignature, version 1).
type Witness struct {
	Name string    `json:"name"`
	Key  string    `json:"key"` // name+id+base64
	Time time.Time `json:"time"`
}

// Outcome is the digest of all that was decided, and of what the dossier says
// of the target beside it: what the ledger's last entry of a run holds. Everything else in a
// dossier is bound by the run's earlier entries.
func (d *Dossier) Outcome() (artefact.Digest, error) {
	b, err := evidence.Canonical(struct {
		Target      manifest.Target     `json:"target"`
		Solutions   []manifest.Solution `json:"solutions"`
		Decisions   []Decision          `json:"decisions"`
		Goals       []Goal              `json:"goals"`
		Effects     []Effect            `json:"effects"`
		Attacks     []AttackClass       `json:"attacks"`
		Answers     []Requirement       `json:"requirements"`
		Counts      []RequirementCount  `json:"requirement_counts"`
		Foreign     []Foreign           `json:"foreign"`
		Summary     Summary             `json:"summary"`
		Started     time.Time           `json:"started"`
		Ended       time.Time           `json:"ended"`
		Interrupted bool                `json:"interrupted"`
	}{d.Target, d.Solutions, d.Decisions, d.Goals, d.Effects, d.Attacks, d.Requirements, d.Counts, d.Foreign, d.Summary, d.Started, d.Ended, d.Interrupted})
	if err != nil {
		return "", err
	}
	return artefact.DigestBytes(b), nil
}

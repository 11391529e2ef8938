// Package foreign reads findings that other tools and other parties made: results of
// static analysis as SARIF, and statements on known vulnerabilities as CycloneDX VEX. They
// are evidence with an origin. Nothing here was measured by us, so nothing here can
// pass or fail a criterion by itself.
package foreign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/result"
)

// The limits of what is read. A file over MaxBytes is refused; of more than
// MaxFindings the rest is counted and not kept; a text over MaxText bytes is cut.
const (
	MaxBytes    = 32 << 20
	MaxFindings = 10_000
	MaxText     = 2_000
)

// Origin says where a finding comes from.
type Origin struct {
	File   string          `json:"file"` // as named by whoever called
	Digest artefact.Digest `json:"digest"`
	Format string          `json:"format"`         // "SARIF 2.1.0", "CycloneDX 1.6 VEX"
	Tool   string          `json:"tool"`           // with its version; "not named" where the file names none
	Made   string          `json:"made,omitempty"` // when, as the file states it
}

// State says how the origin itself judged a finding.
type State string

// The states of a finding.
const (
	Open     State = "open"     // nobody has closed it
	Closed   State = "closed"   // suppressed, resolved, not affected or a false positive, according to the origin
	Informed State = "informed" // a pass, a remark, or not applicable: no finding against the system
)

// Finding is one thing that somebody else found.
type Finding struct {
	Origin   Origin          `json:"origin"`
	Rule     string          `json:"rule"`     // the rule's id, or the vulnerability's
	Severity result.Severity `json:"severity"` // on our scale
	Stated   string          `json:"stated"`   // severity or level in the origin's words; "not stated"
	State    State           `json:"state"`
	Why      string          `json:"why,omitempty"` // of a closed one: the origin's reason
	Where    string          `json:"where"`
	What     string          `json:"what"`
}

// Report is all that one file says.
type Report struct {
	Findings []Finding `json:"findings"`
	Dropped  int       `json:"dropped"` // findings beyond MaxFindings
}

// OpenBySeverity counts the findings that are open.
func (r *Report) OpenBySeverity() map[result.Severity]int {
	counts := map[result.Severity]int{}
	for _, f := range r.Findings {
		if f.State == Open {
			counts[f.Severity]++
		}
	}
	return counts
}

// Read reads a file. What it is, is told by its contents, not by its name.
func Read(path string) (*Report, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read findings %q: it is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read findings %q: %w", path, err)
	}
	r, err := Parse(filepath.ToSlash(path), b)
	if err != nil {
		return nil, fmt.Errorf("read findings %q: %w", path, err)
	}
	return r, nil
}

// Parse reads the bytes of a file that is called name.
func Parse(name string, b []byte) (*Report, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("it is larger than %d MiB\nhint: export the open findings alone", MaxBytes>>20)
	}
	var kind struct {
		BOM     string          `json:"bomFormat"`
		Spec    string          `json:"specVersion"`
		Version json.RawMessage `json:"version"` // a text in SARIF, a number in CycloneDX
		Runs    json.RawMessage `json:"runs"`
	}
	if err := json.Unmarshal(b, &kind); err != nil {
		return nil, fmt.Errorf("it is no JSON object of a known form: %w", err)
	}
	origin := Origin{File: name, Digest: artefact.DigestBytes(b), Tool: "not named"}
	switch {
	case kind.BOM == "CycloneDX":
		origin.Format = cut("CycloneDX " + kind.Spec + " VEX")
		return readVEX(origin, b)
	case string(kind.Version) == `"2.1.0"` && kind.Runs != nil:
		origin.Format = "SARIF 2.1.0"
		return readSARIF(origin, b)
	}
	return nil, errors.New("it is neither SARIF 2.1.0 nor CycloneDX\nhint: other forms can be converted to SARIF")
}

// add keeps a finding while there is room.
func (r *Report) add(f Finding) {
	if len(r.Findings) >= MaxFindings {
		r.Dropped++
		return
	}
	f.Rule, f.Stated, f.Why, f.Where, f.What = cut(f.Rule), cut(f.Stated), cut(f.Why), cut(f.Where), cut(f.What)
	r.Findings = append(r.Findings, f)
}

// cut shortens a text to MaxText bytes, at the end of a character.
func cut(s string) string {
	if len(s) <= MaxText {
		return s
	}
	end := MaxText - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

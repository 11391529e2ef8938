// Package scan reads model files that may be hostile and says what they would do.
// It holds what every reader of a format needs: outcomes, findings, coverage by
// bytes, budgets, and the driver that finds a file's format by its content, runs
// the readers on it and on what lies inside it, and takes the worst.
// Nothing is ever loaded, unpickled or executed.
package scan

import (
	"fmt"
	"slices"
)

// Outcome says what a scan found out about a file. The order is from good to bad:
// the worst of a file's findings and members is the file's.
type Outcome int

// The outcomes.
const (
	Clean       Outcome = iota // every byte accounted for, only vetted names, no anomaly
	Incomplete                 // not all could be read: budget, encryption, unsupported, broken
	UnknownCode                // calls something that no vetted list holds
	Dangerous                  // what it does cannot be resolved, or its structure deceives
	Malicious                  // a call path to a named capability
)

// names are the outcomes as reports write them.
func names() []string {
	return []string{"clean", "incomplete", "unknown-code", "dangerous", "malicious"}
}

// String is the outcome as reports write it.
func (o Outcome) String() string {
	if n := names(); o >= 0 && int(o) < len(n) {
		return n[o]
	}
	return fmt.Sprintf("outcome(%d)", int(o))
}

// MarshalText writes the outcome as reports do.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (o *Outcome) UnmarshalText(b []byte) error {
	i := slices.Index(names(), string(b))
	if i < 0 {
		return fmt.Errorf("read outcome: %q is unknown\nhint: one of %q", b, names())
	}
	*o = Outcome(i)
	return nil
}

// The capabilities that a finding may name.
const (
	Execute = "execute"       // runs code or a command
	Import  = "import"        // loads a module and runs its top level
	Write   = "write"         // writes, moves or deletes files
	Read    = "read"          // reads files that the model has no business with
	Network = "network"       // opens connections
	Native  = "native-load"   // loads a shared library or calls foreign functions
	Nested  = "nested-loader" // starts another loader on data of the file's choice
	Memory  = "memory"        // reads or writes memory outside of its objects
)

// Finding is one thing that a reader found. Its outcome counts for the file's.
type Finding struct {
	Rule       string   `json:"rule"`       // "pickle/call", stable
	Outcome    Outcome  `json:"outcome"`    // what it makes of the file
	Offset     int64    `json:"offset"`     // byte in the file or member
	Capability string   `json:"capability"` // one of the capabilities, "" of an anomaly
	Evidence   string   `json:"evidence"`   // what stands there, as it stands there; reports escape it
	Cites      []string `json:"cites"`      // CWE, CVE, ATLAS
	Fix        string   `json:"fix,omitempty"`
}

// Coverage counts the bytes of a file by what was done with them.
// Structured and opaque ones are all the bytes less the unread.
type Coverage struct {
	Bytes      int64 `json:"bytes"`
	Structured int64 `json:"structured"` // parsed: every one has a meaning that was looked at
	Opaque     int64 `json:"opaque"`     // data by its format, such as numbers of a tensor
	Unread     int64 `json:"unread"`     // nobody looked
}

// FileReport says what was found in one file, or in one member of a container,
// whose path is "outer!inner".
type FileReport struct {
	Path     string    `json:"path"`   // as the system has it; reports escape it
	Digest   string    `json:"digest"` // "sha256:…"; "" of raw data inside a container, whose own digest covers it, and of what could not be read
	Format   string    `json:"format"` // "" where none was recognised
	Outcome  Outcome   `json:"outcome"`
	Coverage Coverage  `json:"coverage"`
	Findings []Finding `json:"findings"`
}

// Problem ends a reader: the file cannot be read further, which makes it incomplete.
type Problem struct {
	Rule   string // "pickle/truncated"
	Offset int64
	Reason string
	Fix    string
}

// Error says where and why.
func (p *Problem) Error() string { return fmt.Sprintf("%s at byte %d: %s", p.Rule, p.Offset, p.Reason) }

// Problemf is a Problem with a formatted reason.
func Problemf(rule string, offset int64, format string, args ...any) *Problem {
	return &Problem{Rule: rule, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

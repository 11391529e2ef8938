package manifest

import (
	"strconv"
	"time"
)

// Log says how to read a record that is an operating log of the target (AI Act
// Art. 12), and what must be in it. Fields are columns of CSV, or members of a JSON
// object: a nested one by its path with dots.
type Log struct {
	Format string `json:"format,omitempty"` // jsonl or csv; "" is told by the content
	Time   string `json:"time"`             // field
	Event  string `json:"event"`            // field that says what happened
	ID     string `json:"id,omitempty"`     // field that differs in every entry
	// Subject is the field that says which case an entry is about. Checks and
	// escalations need it.
	Subject         string       `json:"subject,omitempty"`
	RequiredEvents  []string     `json:"required_events"`
	MandatoryChecks []Check      `json:"mandatory_checks,omitempty"`
	Escalations     []Escalation `json:"escalations,omitempty"`
	MaxGap          Duration     `json:"max_gap"`   // longest silence
	Retention       Duration     `json:"retention"` // how long entries are kept
	Since           Date         `json:"since,omitempty"`
	Integrity       *Integrity   `json:"integrity,omitempty"` // nil where nothing protects it
	AllowedPersonal []string     `json:"allowed_personal,omitempty"`
}

// Check is an event that must come before another one of the same subject.
type Check struct {
	Before string   `json:"before"`
	Check  string   `json:"check"`
	Within Duration `json:"within"`
}

// Escalation is an event that must follow another one of the same subject.
type Escalation struct {
	When   string   `json:"when"`
	Then   string   `json:"then"`
	Within Duration `json:"within"`
}

// Integrity is a chain of hashes through a log.
type Integrity struct {
	Previous string `json:"previous"`       // field that refers to the entry before
	Hash     string `json:"hash,omitempty"` // field that Previous repeats; "" where it holds the SHA-256 of the line before
}

// Duration is a whole number, not 0 and of at most five digits, and s, m, h or d.
type Duration string

// Value is d as a length of time, a day being 24 hours; 0 where d is "".
func (d Duration) Value() time.Duration {
	if len(d) < 2 {
		return 0
	}
	n, err := strconv.Atoi(string(d[:len(d)-1]))
	if err != nil {
		return 0 // the schema has checked the form
	}
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[d[len(d)-1]]
	return time.Duration(n) * unit
}

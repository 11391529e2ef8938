package measure

import "time"

// Record is an operating log of the target, which a probe may read, with what
// the manifest declares of it.
type Record struct {
	File
	Date time.Time `json:"date"` // beginning, in UTC, of the day on which the log was taken from the system
	Log  Log       `json:"log"`
}

// Log says how an operating log is read and what must be in it. Fields are
// columns of CSV or members of a JSON object, nested ones by their path with dots;
// "" where there is none.
type Log struct {
	Format      string        `json:"format"` // jsonl, csv or "", which is told by the content
	Time        string        `json:"time"`
	Event       string        `json:"event"`
	ID          string        `json:"id"`
	Subject     string        `json:"subject"`
	Required    []string      `json:"required"`    // events that must occur
	Checks      []Duty        `json:"checks"`      // the answer comes before the trigger
	Escalations []Duty        `json:"escalations"` // the answer comes after the trigger
	MaxGap      time.Duration `json:"max_gap"`
	Retention   time.Duration `json:"retention"`
	Since       time.Time     `json:"since"` // beginning of the first day in service; zero where not declared
	// Previous is the field that refers to the entry before; "" where nothing protects the log.
	Previous string `json:"previous"`
	// Hash is the field that Previous repeats; "" where Previous holds the SHA-256 of the line before.
	Hash            string   `json:"hash"`
	AllowedPersonal []string `json:"allowed_personal"` // fields
}

// Duty is an event that must answer another one of the same subject in time.
type Duty struct {
	Trigger string        `json:"trigger"`
	Answer  string        `json:"answer"`
	Within  time.Duration `json:"within"`
}

// Package records reads the operating logs of a target, as the manifest
// declares them: whether they hold what they must, and whether what people
// must do beside the system shows in them. Logs are outside input: every line, field and
// list that is built from one has a limit.
package records

import "github.com/assize/assize/internal/measure"

// Probes lists the probes of this family.
func Probes() []measure.Probe { return []measure.Probe{logs, oversight} }

var logs = measure.Probe{
	ID: "records/logs", Version: 1,
	Doc: `Do the operating logs hold what they must, without gaps, with sound clocks, unchanged and long enough?

Every log that the manifest declares under records is read whole, line by line
(JSON lines or CSV, one entry a line). Counted are required events that never occur,
silences longer than the declared one, also between the last entry and the day on which
the log was taken, times that go back by more than a second, times after
that day, repeated ids, lines that cannot be read, breaks in a chain of hashes, and values
that look like personal data in clear: e-mail addresses, IBANs and payment cards with
a right check digit, telephone numbers with a country code, Italian and Finnish personal
codes. Names and free text are not recognised. Retention is short where it is declared to be under six
months, or where the first entry is younger than the retention and the system older.
Whoever holds a log can write it anew, chain included; an anchor elsewhere is not looked for.`,
	Metrics: []string{
		"chain_breaks", "clock_faults", "clock_reversals", "covered_days", "duplicate_ids", "entries", "future_entries", "gaps",
		"incomplete_entries", "integrity_faults", "logs", "longest_gap_hours", "missing_events", "personal_data_hits",
		"retention_days", "retention_short", "times_without_zone", "unreadable_lines",
	},
	Goals:   []string{"record-keeping", "log-retention"},
	Threats: []string{"unnoticed-failure"},
	Cites:   []string{"AI Act Art. 12(1)", "AI Act Art. 12(2)", "AI Act Art. 12(3)", "AI Act Art. 19(1)", "AI Act Art. 26(6)"},
	Needs:   measure.Needs{Records: true},
	Run:     runLogs,
}

var oversight = measure.Probe{
	ID: "records/oversight", Version: 1,
	Doc: `Do the mandatory checks and escalations that the manifest declares show in the operating logs?

A mandatory check is kept when the same subject has the check's event at most so
long before the event that it guards; an escalation when the answering event follows in
time. One event answers every trigger of its subject within the time. Triggers whose time was not yet over when the
log ends are counted apart, in no share. The log is taken at its word: whether a
person looked, and with what care, does not show in it.`,
	Metrics: []string{"checks_made", "escalations_answered", "late", "missed", "never", "open", "oversight_kept", "triggers"},
	Goals:   []string{"human-oversight"},
	Threats: []string{"unnoticed-failure"},
	Cites:   []string{"AI Act Art. 14(1)", "AI Act Art. 14(4)", "AI Act Art. 26(2)", "AI Act Art. 26(5)"},
	Needs:   measure.Needs{Records: true},
	Run:     runOversight,
}

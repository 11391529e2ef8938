package records

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

const (
	day = 24 * time.Hour
	// sixMonths is the shortest six months of a year: 1 September to 1 March. Art. 19(1) and 26(6) name no days.
	sixMonths = 181 * day
	// jitter is how far a time may go back: writers of one log do not wait for each other.
	jitter = time.Second
)

// moment is when an entry says that it was written.
type moment struct {
	at   int64 // milliseconds since 1970
	line int32
}

// survey looks over one log.
type survey struct {
	rec      *measure.Record
	report   *reporter
	got      *reading
	moments  []moment
	last     moment         // the last entry that is not in the future
	required map[string]int // occurrences of required events
	ids      map[[16]byte]int32
	hits     map[[2]string]*hits // by field and kind
	pieces   int                 // readable entries and unreadable lines so far
	hash     string              // of the last entry, where the log names a field for it

	reversals, future, doubled, breaks, personal, gaps int
	longest                                            time.Duration
}

// hits are values of one kind in one field.
type hits struct {
	count, line int
	example     string
}

// maxHitFields bounds the fields in which personal data is told apart; hits in others are counted together.
const maxHitFields = 1000

func runLogs(ctx context.Context, c *measure.Case) (*result.Result, error) {
	if len(c.Records) == 0 {
		return result.Unmeasured(result.NotAvailable, "the manifest declares no operating log among its records"), nil
	}
	report := newReporter()
	var all []*survey
	var readings []*reading
	for i := range c.Records {
		rec := &c.Records[i]
		s := &survey{rec: rec, report: report, required: map[string]int{}, ids: map[[16]byte]int32{}, hits: map[[2]string]*hits{}}
		for _, event := range rec.Log.Required {
			s.required[event] = 0
		}
		var err error
		s.got, err = read(ctx, rec, s, func(share float64) { c.Done((float64(i) + share) / float64(len(c.Records))) })
		if err != nil {
			return nil, err
		}
		s.finish()
		all, readings = append(all, s), append(readings, s.got)
	}
	summarise(report, all)
	check(report.res, readings)
	c.Done(1)
	return report.finish(), nil
}

// found adds a finding in this log.
func (s *survey) found(rule string, severity result.Severity, line int, what, fix, evidence string, cites ...string) {
	s.report.add(s.rec.Name, finding{"records/" + rule, severity, line, what, fix, evidence, cites})
}

func (s *survey) unreadable(line int, why string, raw []byte) {
	s.found("unreadable-line", result.Medium, line, "The line cannot be read: "+why+".", "Write one entry a line, in the declared format.", mask(string(raw[:min(len(raw), 64)])), "AI Act Art. 12(1)")
	s.pieces++
	s.hash = ""
}

func (s *survey) entry(e *entry) {
	l := &s.rec.Log
	s.chain(e)
	s.pieces++
	if _, ok := s.required[e.event]; ok {
		s.required[e.event]++
	}
	if what := lacks(e.event == "", !e.timed, l.ID != "" && e.id == ""); what != "" {
		s.found("incomplete-entry", result.Medium, e.line, "The entry lacks "+what+".", "Write the declared fields with every entry.", "", "AI Act Art. 12(1)")
	}
	if e.timed {
		s.time(e)
	}
	if e.id != "" {
		s.identify(e.id, e.line)
	}
	s.privacy(e)
}

func lacks(event, time, id bool) string {
	var all []string
	for _, l := range []struct {
		lacks bool
		what  string
	}{{event, "an event"}, {time, "a readable time"}, {id, "an id"}} {
		if l.lacks {
			all = append(all, l.what)
		}
	}
	return strings.Join(all, " and ")
}

// time follows the clock of the log.
func (s *survey) time(e *entry) {
	at := e.at
	if !e.zone {
		s.found("time-without-zone", result.Medium, e.line, "The time does not say its offset from UTC; it was taken as UTC.", "Write times with their offset, as in 2026-10-25T02:30:00+02:00.", at.Format("2006-01-02T15:04:05"), "AI Act Art. 12(1)")
	}
	if at.After(latest(s.rec)) {
		s.future++
		s.found("entry-in-the-future", result.Medium, e.line, fmt.Sprintf("The entry is of %s, after the day %s on which the log was taken.", stamp(at), s.rec.Date.Format(time.DateOnly)), "Synchronise the clock, or correct the record's date.", "", "AI Act Art. 12(1)")
		return
	}
	m := moment{at.UnixMilli(), int32(e.line)}
	if back := time.Duration(s.last.at-m.at) * time.Millisecond; s.last.line > 0 && back > jitter {
		s.reversals++
		s.found("clock-back", result.Medium, e.line, fmt.Sprintf("The time goes back by %s, to %s.", span(back), stamp(at)), "Synchronise the clocks of all that write the log, and write entries in their order.", "", "AI Act Art. 12(1)")
	}
	s.last = m
	s.moments = append(s.moments, m)
}

func (s *survey) identify(id string, line int) {
	sum := sha256.Sum256([]byte(id))
	key := [16]byte(sum[:16])
	if first, twice := s.ids[key]; twice {
		s.doubled++
		s.found("duplicate-id", result.Medium, line, fmt.Sprintf("The id stands in line %d already.", first), "Give every entry an id of its own; look whether entries were written twice or copied.", id, "AI Act Art. 12(1)")
		return
	}
	s.ids[key] = int32(line)
}

// chain checks that an entry refers to the one before. What the first one refers to is not here.
func (s *survey) chain(e *entry) {
	l := &s.rec.Log
	if l.Previous == "" {
		return
	}
	want := e.before
	if l.Hash != "" {
		want, s.hash = s.hash, e.get(l.Hash)
	}
	got := e.get(l.Previous)
	if l.Hash == "" {
		got = strings.ToLower(strings.TrimPrefix(got, "sha256:"))
	}
	if s.pieces > 0 && (got == "" || got != want) {
		s.breaks++
		s.found("chain-break", result.High, e.line, "The entry does not refer to the one before it: an entry was changed, added, moved or removed here.", "Compare the log with a copy from elsewhere; seal logs where those who operate the system cannot write.", got, "AI Act Art. 12(1)", "AI Act Art. 19(1)")
	}
}

// privacy looks for personal data in every field but those that order the log and those that may hold it.
func (s *survey) privacy(e *entry) {
	l := &s.rec.Log
	for _, f := range e.fields {
		if f.name == l.Time || f.name == l.Previous && f.name != "" || f.name == l.Hash && f.name != "" || slices.Contains(l.AllowedPersonal, f.name) {
			continue
		}
		find(f.value, func(kind, match string) {
			s.personal++
			key := [2]string{f.name, kind}
			h := s.hits[key]
			if h == nil && len(s.hits) >= maxHitFields {
				key = [2]string{"other fields", kind}
				h = s.hits[key]
			}
			if h == nil {
				h = &hits{line: e.line, example: mask(match)}
				s.hits[key] = h
			}
			h.count++
		})
	}
}

// finish says what only the whole log shows.
func (s *survey) finish() {
	if s.got.why != "" {
		s.found("unreadable-log", result.High, 0, "The log was not read: "+s.got.why+".", "Name a file that can be read.", "", "AI Act Art. 12(1)")
	}
	for _, event := range s.rec.Log.Required {
		if s.required[event] == 0 {
			s.found("missing-event", result.High, 0, fmt.Sprintf("The event %q, which must be recorded, never occurs.", escape(event)), "Record it, or correct required_events.", "", "AI Act Art. 12(1)", "AI Act Art. 12(2)")
		}
	}
	if s.rec.Log.Previous == "" {
		s.found("no-integrity", result.Info, 0, "No chain of hashes is declared: entries could be removed or changed and nobody would see it here.", "Chain the entries, or keep the log where those who operate the system cannot write; declare it under integrity.", "", "AI Act Art. 19(1)")
	}
	s.silences()
	s.keeping()
	for key, h := range s.hits {
		if key[0] == "other fields" {
			h.line = 0
		}
	}
	keys := make([][2]string, 0, len(s.hits))
	for key := range s.hits {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(s.hits[a].line, s.hits[b].line), cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	for _, key := range keys {
		h := s.hits[key]
		s.found("personal-data", result.Medium, h.line, fmt.Sprintf("Field %q looks like it holds a personal datum in clear (%s), %s.", escape(key[0]), key[1], times(h.count)), "Log a reference instead, or name the field under allowed_personal if it must be there.", h.example, "AI Act Art. 19(1)", "Regulation (EU) 2016/679 Art. 5(1)(c)")
	}
}

// silences finds the gaps between entries put in order, and after the last one.
func (s *survey) silences() {
	if len(s.moments) == 0 {
		return
	}
	slices.SortStableFunc(s.moments, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	gap := func(from moment, to int64, until string) {
		silence := time.Duration(to-from.at) * time.Millisecond
		s.longest = max(s.longest, silence)
		if silence > s.rec.Log.MaxGap {
			s.gaps++
			s.found("gap", result.Medium, int(from.line), fmt.Sprintf("After %s nothing is recorded for %s, %s.", stamp(time.UnixMilli(from.at)), span(silence), until), "Say why the log is silent, or record that the system was out of service.", "", "AI Act Art. 12(1)")
		}
	}
	for i, m := range s.moments[1:] {
		gap(s.moments[i], m.at, fmt.Sprintf("up to line %d", m.line))
	}
	// The day on which the log was taken begins first at UTC+14.
	gap(s.moments[len(s.moments)-1], s.rec.Date.Add(-14*time.Hour).UnixMilli(), "up to the day on which the log was taken")
}

// asked is how long entries must be kept: as declared, and not under six months.
func (s *survey) asked() time.Duration { return max(s.rec.Log.Retention, sixMonths) }

// covered is the age of the first entry on the day on which the log was taken.
func (s *survey) covered() time.Duration {
	if len(s.moments) == 0 {
		return 0
	}
	return max(0, s.rec.Date.Sub(time.UnixMilli(s.moments[0].at)))
}

// begins is the time before which the first entry must lie: the beginning of
// retention or of service, with a day and the longest silence to spare.
func (s *survey) begins() time.Time {
	from := s.rec.Date.Add(-s.asked())
	if s.rec.Log.Since.After(from) {
		from = s.rec.Log.Since
	}
	return from.Add(day + s.rec.Log.MaxGap)
}

// short tells whether entries are, or are said to be, kept too short a time.
func (s *survey) short() (declared, begun bool) {
	late := len(s.moments) == 0 || time.UnixMilli(s.moments[0].at).After(s.begins())
	return s.rec.Log.Retention < sixMonths, late
}

func (s *survey) keeping() {
	declared, late := s.short()
	if declared {
		s.found("retention-under-law", result.High, 0, fmt.Sprintf("Entries are declared to be kept for %s; the law asks at least six months.", span(s.rec.Log.Retention)), "Keep them for six months or more.", "", "AI Act Art. 19(1)", "AI Act Art. 26(6)")
	}
	if late {
		what := "There is no entry with a time"
		if len(s.moments) > 0 {
			what = fmt.Sprintf("The first entry is of %s, %s before the log was taken", stamp(time.UnixMilli(s.moments[0].at)), span(s.covered()))
		}
		s.found("retention-short", result.High, 0, fmt.Sprintf("%s; %s are asked.", what, span(s.asked())), "Take the log with all entries that are kept; if the system is younger, declare since.", "", "AI Act Art. 19(1)", "AI Act Art. 26(6)")
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times in all"
}

// stamp is a time for people.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// span is a length of time for people.
func span(d time.Duration) string {
	switch {
	case d >= 3*day:
		return amount(d.Hours()/24, "day")
	case d >= time.Hour:
		return amount(d.Hours(), "hour")
	case d >= time.Minute:
		return amount(d.Minutes(), "minute")
	}
	return amount(d.Seconds(), "second")
}

// amount is a number of units, to a tenth.
func amount(v float64, unit string) string {
	number := strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	if number != "1" {
		unit += "s"
	}
	return number + " " + unit
}

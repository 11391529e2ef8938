package records

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

const confidence = 0.95

// duty is one declared check or escalation.
type duty struct {
	measure.Duty
	check bool // the answer comes before the trigger
}

// happening is an entry that a duty speaks of.
type happening struct {
	moment
	subject [16]byte
	nobody  bool // the entry names no subject
}

// watch collects what the duties of one log speak of.
type watch struct {
	rec      *measure.Record
	duties   []duty
	events   map[string][]happening // of the duties' events
	first    int64
	last     int64
	anything bool
}

// tally counts triggers by what became of them.
type tally struct{ kept, late, never, open int }

func (t tally) decided() int { return t.kept + t.late + t.never }

func runOversight(ctx context.Context, c *measure.Case) (*result.Result, error) {
	report := newReporter()
	var readings []*reading
	var checks, escalations tally
	for i := range c.Records {
		rec := &c.Records[i]
		w := &watch{rec: rec, events: map[string][]happening{}}
		for _, d := range rec.Log.Checks {
			w.duties = append(w.duties, duty{d, true})
		}
		for _, d := range rec.Log.Escalations {
			w.duties = append(w.duties, duty{d, false})
		}
		if len(w.duties) == 0 {
			continue
		}
		for _, d := range w.duties {
			w.events[d.Trigger], w.events[d.Answer] = nil, nil
		}
		got, err := read(ctx, rec, w, func(share float64) { c.Done((float64(i) + share) / float64(len(c.Records))) })
		if err != nil {
			return nil, err
		}
		readings = append(readings, got)
		for _, d := range w.duties {
			t := w.judge(d, report)
			into := &escalations
			if d.check {
				into = &checks
			}
			into.kept, into.late, into.never, into.open = into.kept+t.kept, into.late+t.late, into.never+t.never, into.open+t.open
			if t.decided() == 0 {
				report.res.Notes = append(report.res.Notes, fmt.Sprintf("log %s: %s, of which nothing shows: its trigger does not occur, or its time was not yet over", escape(rec.Name), d))
			}
		}
	}
	if len(readings) == 0 {
		return result.Unmeasured(result.NotAvailable, "no operating log of the manifest declares mandatory_checks or escalations"), nil
	}
	all := tally{checks.kept + escalations.kept, checks.late + escalations.late, checks.never + escalations.never, checks.open + escalations.open}
	n := all.decided()
	for name, v := range map[string]int{"triggers": n, "late": all.late, "never": all.never, "missed": all.late + all.never} {
		report.count(name, v, n, "triggers")
	}
	report.count("open", all.open, n+all.open, "triggers")
	for name, t := range map[string]tally{"checks_made": checks, "escalations_answered": escalations, "oversight_kept": all} {
		if err := share(report.res, name, t); err != nil {
			return nil, err
		}
	}
	check(report.res, readings)
	report.res.Check("something-to-oversee", n > 0, fmt.Sprintf("%d triggers whose time was over", n))
	report.res.Notes = append(report.res.Notes, "the log is taken at its word: whether a person looked, and with what care, does not show in it")
	c.Done(1)
	return report.finish(), nil
}

// String is a duty in words.
func (d duty) String() string {
	if d.check {
		return fmt.Sprintf("%q at most %s before %q", escape(d.Answer), span(d.Within), escape(d.Trigger))
	}
	return fmt.Sprintf("%q at most %s after %q", escape(d.Answer), span(d.Within), escape(d.Trigger))
}

// share adds the share of triggers that were answered, if there were any.
func share(res *result.Result, name string, t tally) error {
	n := t.decided()
	if n == 0 {
		return nil
	}
	in, err := stat.ClopperPearson(t.kept, n, confidence)
	if err != nil {
		return err
	}
	res.Metrics[name] = result.Metric{
		Value: float64(t.kept) / float64(n), Lower: in.Lower, Upper: in.Upper, N: n, Unit: "share",
		Method: "clopper-pearson", Confidence: confidence, K: &t.kept,
	}
	return nil
}

func (w *watch) unreadable(int, string, []byte) {}

func (w *watch) entry(e *entry) {
	if !e.timed {
		return
	}
	m := moment{e.at.UnixMilli(), int32(e.line)}
	if !w.anything || m.at < w.first {
		w.first = m.at
	}
	if (!w.anything || m.at > w.last) && !e.at.After(latest(w.rec)) {
		w.last = m.at // an entry in the future does not put off the end
	}
	w.anything = true
	if _, spoken := w.events[e.event]; !spoken {
		return
	}
	subject := e.get(w.rec.Log.Subject)
	sum := sha256.Sum256([]byte(subject))
	w.events[e.event] = append(w.events[e.event], happening{m, [16]byte(sum[:16]), subject == ""})
}

// judge says what became of every trigger of a duty.
func (w *watch) judge(d duty, report *reporter) tally {
	answers := map[[16]byte][]int64{}
	for _, a := range w.events[d.Answer] {
		if !a.nobody {
			answers[a.subject] = append(answers[a.subject], a.at)
		}
	}
	for _, times := range answers {
		slices.Sort(times)
	}
	var t tally
	for _, trigger := range w.events[d.Trigger] {
		times := answers[trigger.subject]
		if trigger.nobody {
			times = nil
		}
		from, to := trigger.at, trigger.at+d.Within.Milliseconds()
		if d.check {
			from, to = trigger.at-d.Within.Milliseconds(), trigger.at
		}
		i, _ := slices.BinarySearchFunc(times, from, cmp.Compare[int64])
		switch {
		case i < len(times) && times[i] <= to:
			t.kept++
		case w.undecided(d, from, to):
			t.open++
		case len(times) > 0:
			t.late++
			w.found(report, d, trigger, "The answer of this case is there, but out of time")
		case trigger.nobody:
			t.never++
			w.found(report, d, trigger, "The entry names no subject, so that nothing can answer it")
		default:
			t.never++
			w.found(report, d, trigger, "Nothing of this case answers it")
		}
	}
	return t
}

// undecided tells whether the time of an answer reaches beyond the log: over its
// end, or over a beginning that is not that of service.
func (w *watch) undecided(d duty, from, to int64) bool {
	if !d.check {
		return to > w.last
	}
	since := w.rec.Log.Since
	whole := !since.IsZero() && time.UnixMilli(w.first).Before(since.Add(day+w.rec.Log.MaxGap))
	return from < w.first && !whole
}

func (w *watch) found(report *reporter, d duty, h happening, what string) {
	rule, fix, cites := "escalation-missed", "Find out what became of the case; alarm before the time is over.", []string{"AI Act Art. 14(4)", "AI Act Art. 26(5)"}
	if d.check {
		rule, fix, cites = "check-missed", "Find out what became of the case; make the step impossible without its check.", []string{"AI Act Art. 14(4)", "AI Act Art. 26(2)"}
	}
	report.add(w.rec.Name, finding{"records/" + rule, result.High, int(h.line), fmt.Sprintf("%s: %s is declared. The entry is of %s.", what, d, stamp(time.UnixMilli(h.at))), fix, "", cites})
}

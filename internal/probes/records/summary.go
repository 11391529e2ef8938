package records

import (
	"fmt"
	"math"
	"time"

	"github.com/assize/assize/internal/result"
)

// summarise adds up what was found in all logs.
func summarise(report *reporter, all []*survey) {
	var sum survey
	var entries, unreadable, incomplete, zoneless, required, missing, short int
	retention, covered := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for _, s := range all {
		entries, unreadable = entries+s.got.entries, unreadable+s.got.unreadable
		incomplete, zoneless = incomplete+s.got.incomplete, zoneless+s.got.zoneless
		required += len(s.rec.Log.Required)
		for _, event := range s.rec.Log.Required {
			if s.required[event] == 0 {
				missing++
			}
		}
		sum.reversals, sum.future, sum.doubled = sum.reversals+s.reversals, sum.future+s.future, sum.doubled+s.doubled
		sum.breaks, sum.personal, sum.gaps = sum.breaks+s.breaks, sum.personal+s.personal, sum.gaps+s.gaps
		sum.longest = max(sum.longest, s.longest)
		retention, covered = min(retention, s.rec.Log.Retention), min(covered, s.covered())
		if declared, late := s.short(); declared || late {
			short++
		} else if s.covered() < s.asked() {
			report.res.Notes = append(report.res.Notes, fmt.Sprintf("log %s covers %s of the %s asked, all since the system was put into service: that entries are kept so long shows only later", escape(s.rec.Name), span(s.covered()), span(s.asked())))
		}
		notes(report, s)
	}
	lines := entries + unreadable
	report.count("logs", len(all), len(all), "logs")
	report.count("entries", entries, lines, "entries")
	report.count("unreadable_lines", unreadable, lines, "lines")
	report.count("incomplete_entries", incomplete, entries, "entries")
	report.count("times_without_zone", zoneless, entries, "entries")
	report.count("missing_events", missing, required, "events")
	report.count("gaps", sum.gaps, entries, "gaps")
	report.res.Metrics["longest_gap_hours"] = result.Exactly(sum.longest.Hours(), entries, "hours")
	report.count("clock_reversals", sum.reversals, entries, "entries")
	report.count("future_entries", sum.future, entries, "entries")
	report.count("clock_faults", sum.reversals+sum.future, entries, "entries")
	report.count("duplicate_ids", sum.doubled, entries, "entries")
	report.count("chain_breaks", sum.breaks, lines, "entries")
	report.count("integrity_faults", unreadable+sum.doubled+sum.breaks, lines, "lines")
	report.count("personal_data_hits", sum.personal, entries, "values")
	report.res.Metrics["retention_days"] = result.Exactly(retention.Hours()/24, len(all), "days")
	report.res.Metrics["covered_days"] = result.Exactly(covered.Hours()/24, entries, "days")
	report.count("retention_short", short, len(all), "logs")
	report.res.Notes = append(report.res.Notes, "personal data is found by its form alone: names, addresses and free text are not")
	picture(report, all)
}

// notes say what the numbers of one log leave open.
func notes(report *reporter, s *survey) {
	note := func(format string, args ...any) {
		report.res.Notes = append(report.res.Notes, "log "+escape(s.rec.Name)+" "+fmt.Sprintf(format, args...))
	}
	switch l := &s.rec.Log; {
	case l.Previous == "":
		note("declares no chain of hashes: what was removed or changed does not show, beyond gaps and ids")
	case l.Hash != "":
		note("is checked for the links of its chain alone: how its hashes are made is not declared")
	default:
		note("was checked against its own chain: whoever can write the whole log can make the chain anew, and what was cut off its end shows only as a gap")
	}
	if s.rec.Log.ID == "" {
		note("declares no id: entries that were written twice do not show")
	}
}

// picture shows how often the required events occur.
func picture(report *reporter, all []*survey) {
	p := result.Picture{ID: "events", Title: "Required events in the logs", Kind: "bars", YLabel: "entries"}
	counts := map[string]float64{}
	for _, s := range all {
		for _, event := range s.rec.Log.Required {
			if _, ok := counts[event]; !ok {
				p.Labels = append(p.Labels, event)
			}
			counts[event] += float64(s.required[event])
		}
	}
	if len(p.Labels) == 0 || len(p.Labels) > 40 {
		return
	}
	y := make([]float64, len(p.Labels))
	for i, event := range p.Labels {
		y[i] = counts[event]
		p.Labels[i] = escape(event)
	}
	p.Series = []result.Series{{Name: "entries", Y: y}}
	report.res.Pictures = append(report.res.Pictures, p)
}

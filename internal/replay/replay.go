// Package replay compares what a dossier recorded with what was measured
// again: which observations are drawn, which rows, how near is the same, and
// what the comparison shows. It runs nothing itself.
package replay

import (
	"slices"

	"github.com/assize/assize/internal/evidence"
)

// Report is what a replay did and how it came out.
type Report struct {
	Target string `json:"target"`
	Run    string `json:"run"`
	Nonce  string `json:"nonce"` // of the receiver, hexadecimal; it drew what was run again
	// SameMachine says that processor, system, runtime and program are those of the run.
	SameMachine bool     `json:"same_machine"`
	Differences []string `json:"machine_differences"` // how this machine differs from that of the run
	Checks      []Check  `json:"checks"`
	// Observations are those that were run again, in the order of the plan.
	Observations []Again `json:"observations"`
	Recorded     int     `json:"recorded"` // observations in the dossier
	// NotReplayed are observations that this build or target cannot run again, with the reason.
	NotReplayed []string `json:"not_replayed"`
	Shows       []string `json:"shows"`
	DoesNotShow []string `json:"does_not_show"`
}

// Check is one question and its answer.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Again is one observation that was run again.
type Again struct {
	ID          string   `json:"id"`
	Probe       string   `json:"probe"`
	SolutionsOn []string `json:"solutions_on"`
	Drawn       bool     `json:"drawn"` // by the nonce; else run because a drawn one reads it, or because rows alone do not show its numbers
	Rows        int      `json:"rows"`  // run again
	Of          int      `json:"of"`    // recorded
	// Differ counts rows with another outcome; Amounts those where only a
	// number on a scale differs, such as a distance.
	Differ  int      `json:"rows_differ"`
	Amounts int      `json:"amounts_differ"`
	Allowed int      `json:"allowed"` // rows that another machine may decide otherwise
	Wrong   []string `json:"wrong"`   // what contradicts the dossier
	Said    []string `json:"said"`    // what differs and can be the machine's doing
}

// OK tells whether nothing contradicts the dossier and something was run again.
func (r *Report) OK() bool {
	return len(r.Checks) > 0 && len(r.Observations) > 0 &&
		!slices.ContainsFunc(r.Checks, func(c Check) bool { return !c.OK }) &&
		!slices.ContainsFunc(r.Observations, func(a Again) bool { return len(a.Wrong) > 0 })
}

// Add appends a check: it holds where wrong is empty, and else names the first of what is wrong.
func (r *Report) Add(name, detail string, wrong []string) {
	if len(wrong) == 0 {
		r.Checks = append(r.Checks, Check{Name: name, OK: true, Detail: detail})
		return
	}
	const most = 5
	text := ""
	for i, w := range wrong {
		if i == most {
			text += "; and more"
			break
		}
		if i > 0 {
			text += "; "
		}
		text += w
	}
	r.Checks = append(r.Checks, Check{Name: name, Detail: text})
}

// Machine compares where the run took place with where it is run again, as far
// as results depend on it: empty for the same.
func Machine(recorded, here evidence.Environment) []string {
	var differ []string
	for _, f := range []struct{ name, recorded, here string }{
		{"system", recorded.OS + "/" + recorded.Arch, here.OS + "/" + here.Arch},
		{"processor", recorded.Processor, here.Processor},
		{"runtime", recorded.Runtime, here.Runtime},
		{"program", recorded.Tool, here.Tool},
	} {
		if f.recorded != f.here {
			differ = append(differ, f.name+": "+f.recorded+" then, "+f.here+" here")
		}
	}
	if !slices.Equal(recorded.Features, here.Features) {
		differ = append(differ, "instruction sets of the processor differ")
	}
	return differ
}

package poisoning

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/result"
)

// perRule is how many findings of one rule are kept; all are counted.
const perRule = 20

// findings collects what was found at which rows.
type findings struct {
	res     *result.Result
	kept    map[string]int
	dropped map[string]int
}

// finding is one thing found at rows of a set.
type finding struct {
	rule      string
	severity  result.Severity
	set       string
	rows      []int32
	what, fix string
}

func (f *findings) add(one finding) {
	if f.kept == nil {
		f.kept, f.dropped = map[string]int{}, map[string]int{}
	}
	if f.kept[one.rule]++; f.kept[one.rule] > perRule {
		f.dropped[one.rule]++
		return
	}
	f.res.Findings = append(f.res.Findings, result.Finding{
		Rule: one.rule, Severity: one.severity, Where: fmt.Sprintf("%s: %s", one.set, rowList(one.rows)), What: one.what, Fix: one.fix,
		Cites: []string{"AI Act Art. 10(3)"},
	})
}

// rowList names rows as counted from 0, the first few.
func rowList(rows []int32) string {
	const most = 8
	var b strings.Builder
	b.WriteString("row")
	if len(rows) > 1 {
		b.WriteString("s")
	}
	for i, r := range rows[:min(len(rows), most)] {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(" " + strconv.Itoa(int(r)))
	}
	if len(rows) > most {
		fmt.Fprintf(&b, " and %d more", len(rows)-most)
	}
	return b.String()
}

// finish puts the worst first and says what was not listed.
func (f *findings) finish() {
	slices.SortStableFunc(f.res.Findings, func(a, b result.Finding) int {
		return cmp.Compare(one(a.Severity == result.Info), one(b.Severity == result.Info))
	})
	for _, rule := range []string{"poisoning/conflicting-labels", "poisoning/leaked-row", "poisoning/equal-rows"} {
		if n := f.dropped[rule]; n > 0 {
			f.res.Notes = append(f.res.Notes, fmt.Sprintf("%s: %d more are counted and not listed", rule, n))
		}
	}
	if len(f.res.Findings) > 0 {
		f.res.Notes = append(f.res.Notes, "rows are counted from 0, without the header")
	}
}

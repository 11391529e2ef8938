package replay

import (
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/result"
)

// The rule of tolerance. Two numbers are the same within relTolerance of the
// larger, or absTolerance. A column of at most maxCodes different whole numbers
// holds outcomes; any other holds amounts.
//
// On the machine of the run every row must have the same outcomes and amounts.
// On another, the last bits of a model's answer can differ, and a row at the
// very border of a decision can fall to the other side: as many rows may have
// another outcome as a share of borderShare would explain with probability
// above borderChance, and amounts that differ are said and not held against the dossier.
const (
	relTolerance = 1e-4
	absTolerance = 1e-6
	maxCodes     = 16
	borderShare  = 0.01
	borderChance = 0.001
)

// Near tells whether two numbers are the same within the tolerance.
func Near(a, b float64) bool {
	return math.Abs(a-b) <= absTolerance+relTolerance*max(math.Abs(a), math.Abs(b))
}

// Allowed is how many of n rows another machine may decide otherwise.
func Allowed(n int) int {
	tail, p := 1.0, math.Pow(1-borderShare, float64(n)) // P(X > k-1), P(X = k)
	for k := range n {
		if tail -= p; tail <= borderChance {
			return k
		}
		p *= float64(n-k) / float64(k+1) * borderShare / (1 - borderShare)
	}
	return n
}

// CompareRows compares the outcomes of the rows that both tables hold, and wants every row of again in recorded.
func (a *Again) CompareRows(recorded, again *result.Rows, sameMachine bool) {
	at := make(map[int]int, recorded.Len())
	for i, row := range recorded.Index {
		at[row] = i
	}
	type pair struct {
		now, then []float64
		codes     bool
	}
	var pairs []pair
	for _, c := range again.Columns {
		then := recorded.Column(c.Name)
		if then == nil {
			a.Wrong = append(a.Wrong, fmt.Sprintf("the recorded rows have no column %q", c.Name))
			return
		}
		if timed(c.Unit) {
			continue
		}
		pairs = append(pairs, pair{c.Values, then, coded(then) && !c.Data})
	}
	missing := 0
	var first []int
	for i, row := range again.Index {
		j, ok := at[row]
		if !ok {
			missing++
			continue
		}
		outcome, amount := false, false
		for _, p := range pairs {
			switch {
			case p.codes:
				outcome = outcome || p.now[i] != p.then[j]
			default:
				amount = amount || !Near(p.now[i], p.then[j])
			}
		}
		switch {
		case outcome:
			a.Differ++
			first = append(first, row)
		case amount:
			a.Amounts++
			first = append(first, row)
		}
	}
	a.Rows, a.Of = again.Len(), recorded.Len()
	if missing > 0 {
		a.Wrong = append(a.Wrong, fmt.Sprintf("%d rows that were drawn were not recorded", missing))
	}
	a.judgeRows(first, sameMachine)
}

// judgeRows says what rows that differ mean.
func (a *Again) judgeRows(first []int, sameMachine bool) {
	if a.Differ+a.Amounts == 0 {
		return
	}
	said := fmt.Sprintf("of %d rows %d have another outcome and %d more another amount, such as row %d", a.Rows, a.Differ, a.Amounts, slices.Min(first))
	if sameMachine {
		a.Wrong = append(a.Wrong, said+"; on the machine of the run none may differ")
		return
	}
	a.Allowed = Allowed(a.Rows)
	if a.Differ > a.Allowed {
		a.Wrong = append(a.Wrong, fmt.Sprintf("%s; another machine explains %d", said, a.Allowed))
		return
	}
	a.Said = append(a.Said, fmt.Sprintf("%s: the last bits of another machine at a border explain it (up to %d outcomes)", said, a.Allowed))
}

// CompareResult compares state, metrics and failed checks. rows is how many rows lie behind them, 0 for none.
func (a *Again) CompareResult(recorded, again *result.Result, rows int, sameMachine bool) {
	if recorded.State != again.State {
		a.Wrong = append(a.Wrong, fmt.Sprintf("it was recorded as %s, run again it is %s %s", recorded.State, again.State, again.Reason))
		return
	}
	wrong, said := metrics(recorded, again, rows, sameMachine)
	a.Wrong, a.Said = append(a.Wrong, wrong...), append(a.Said, said...)
	then, now := failed(recorded), failed(again)
	if !slices.Equal(then, now) {
		text := fmt.Sprintf("checks of its own that failed: %q then, %q now", then, now)
		if sameMachine || len(now) > len(then) {
			a.Wrong = append(a.Wrong, text)
		} else {
			a.Said = append(a.Said, text)
		}
	}
	if then, now := found(recorded), found(again); !slices.Equal(then, now) {
		text := fmt.Sprintf("%d findings were recorded, %d are found now, or others", len(then), len(now))
		if sameMachine || len(now) > len(then) {
			a.Wrong = append(a.Wrong, text)
		} else {
			a.Said = append(a.Said, text)
		}
	}
}

// Metrics names the metrics of a result that differ from those that its rows give.
func Metrics(recorded, again *result.Result) []string {
	wrong, _ := metrics(recorded, again, 0, true)
	if then, now := failed(recorded), failed(again); !slices.Equal(then, now) {
		wrong = append(wrong, fmt.Sprintf("checks of its own that failed: %q recorded, %q by the rows", then, now))
	}
	return wrong
}

func metrics(recorded, again *result.Result, rows int, sameMachine bool) (wrong, said []string) {
	for _, name := range sortedNames(recorded.Metrics, again.Metrics) {
		then, inThen := recorded.Metrics[name]
		now, inNow := again.Metrics[name]
		switch {
		case !inNow:
			wrong = append(wrong, fmt.Sprintf("%s was recorded as %.6g and is not measured now", name, then.Value))
			continue
		case !inThen:
			wrong = append(wrong, fmt.Sprintf("%s is %.6g and was not recorded", name, now.Value))
			continue
		case timed(then.Unit):
			continue
		case then.Unit == now.Unit && then.Method == now.Method && then.Confidence == now.Confidence && then.N == now.N &&
			Near(then.Value, now.Value) && Near(then.Lower, now.Lower) && Near(then.Upper, now.Upper) && sameCount(then.K, now.K):
			continue
		}
		text := fmt.Sprintf("%s was recorded as %.6g [%.6g, %.6g] of %d, it is %.6g [%.6g, %.6g] of %d", name, then.Value, then.Lower, then.Upper, then.N, now.Value, now.Lower, now.Upper, now.N)
		inside := then.Lower <= now.Value && now.Value <= then.Upper || then.Method == result.Exhaustive && math.Abs(then.Value-now.Value) <= float64(Allowed(rows))
		if sameMachine || !inside {
			wrong = append(wrong, text)
		} else {
			said = append(said, text)
		}
	}
	return wrong, said
}

// timed tells numbers of the clock, which no two runs share.
func timed(unit string) bool {
	return slices.Contains([]string{"s", "ms", "µs", "us", "ns", "seconds", "milliseconds", "rows/s", "queries/s"}, unit)
}

// coded tells outcomes from amounts: few different whole numbers.
func coded(values []float64) bool {
	seen := map[float64]bool{}
	for _, v := range values {
		if v != math.Trunc(v) {
			return false
		}
		if seen[v] = true; len(seen) > maxCodes {
			return false
		}
	}
	return true
}

func sameCount(a, b *int) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// failed names the checks that did not hold.
func failed(r *result.Result) []string {
	names := []string{}
	for _, v := range r.Validity {
		if !v.OK {
			names = append(names, v.Check)
		}
	}
	slices.Sort(names)
	return names
}

// found names what was found by rule and place, in order.
func found(r *result.Result) []string {
	names := []string{}
	for _, f := range r.Findings {
		names = append(names, f.Rule+" "+string(f.Severity)+" "+f.Where)
	}
	slices.Sort(names)
	return names
}

func sortedNames(a, b map[string]result.Metric) []string {
	var names []string
	for n := range a {
		names = append(names, n)
	}
	for n := range b {
		if _, ok := a[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// MaxRows is the largest number of rows that the sample-size functions answer
// with; what needs more is reported as out of reach.
const MaxRows = 1_000_000_000

// RowsForLower returns the total number of rows at which the one-sided
// Clopper-Pearson lower bound at confidence reaches level, if the observed share
// k/n stays what it is (whole successes, rounded down). It is at least 1 and
// may be less than n, when the rows at hand already do. False means that no number of rows up to
// MaxRows does: the share itself is at or below level.
//
// For the lower end of a two-sided interval at confidence c, pass (1+c)/2.
func RowsForLower(k, n int, level, confidence float64) (int, bool, error) {
	if err := checkRows(k, n, level, confidence); err != nil {
		return 0, false, err
	}
	if level == 0 {
		return 1, true, nil
	}
	if level == 1 {
		return 0, false, nil // no bound below certainty reaches it
	}
	tail := 1 - confidence
	// With the rule of no failures the answer is closed: level^rows = tail.
	if k == n {
		rows, ok := wholeRows(math.Log(tail) / math.Log(level))
		return rows, ok, nil
	}
	share := float64(k) / float64(n)
	if share <= level {
		return 0, false, nil
	}
	// The bound reaches level at rows where P(X >= successes | level) <= tail.
	reaches := func(successes, rows float64) bool {
		return successes > 0 && mathext.RegIncBeta(successes, rows-successes+1, level) <= tail
	}
	rows, ok := smallestRows(share, reaches, func(rows int) float64 {
		return float64(wholeShare(k, n, rows))
	})
	return rows, ok, nil
}

// RowsForUpper returns the total number of rows at which the one-sided
// Clopper-Pearson upper bound at confidence comes down to level, if the observed
// share k/n stays what it is (whole events, rounded up). It mirrors
// RowsForLower. With k = 0 it is the rule of three made exact: the rows without
// an event that rule out a rate above level.
func RowsForUpper(k, n int, level, confidence float64) (int, bool, error) {
	if err := checkRows(k, n, level, confidence); err != nil {
		return 0, false, err
	}
	return RowsForLower(n-k, n, 1-level, confidence)
}

func checkRows(k, n int, level, confidence float64) error {
	if err := checkProportion(k, n, confidence); err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("plan sample size: no rows to take the share from")
	}
	if n > MaxRows {
		return fmt.Errorf("plan sample size: %d rows are more than %d", n, MaxRows)
	}
	if !(level >= 0 && level <= 1) {
		return fmt.Errorf("plan sample size: level %v is outside [0, 1]", level)
	}
	return nil
}

// wholeShare is the whole number of successes in rows at the share k/n. No
// product leaves int64, for k, n and rows stay at or below MaxRows.
func wholeShare(k, n, rows int) int64 {
	return int64(rows) * int64(k) / int64(n)
}

// smallestRows finds the least number of rows that reaches. Rounded down
// successes never do better than the share itself, so the first whole answer is
// at or after the real one.
func smallestRows(share float64, reaches func(successes, rows float64) bool, successes func(rows int) float64) (int, bool) {
	exact := func(rows int) bool { return reaches(share*float64(rows), float64(rows)) }
	high := 1
	for !exact(high) {
		if high > MaxRows {
			return 0, false
		}
		high *= 2
	}
	low := high / 2
	for low+1 < high {
		middle := low + (high-low)/2
		if exact(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	for rows := high; rows <= MaxRows; rows++ {
		if reaches(successes(rows), float64(rows)) {
			return rows, true
		}
	}
	return 0, false
}

func wholeRows(rows float64) (int, bool) {
	if !(rows <= MaxRows) {
		return 0, false
	}
	// An answer that is whole but for rounding is not pushed to the next row.
	return max(1, int(math.Ceil(rows-1e-9))), true
}

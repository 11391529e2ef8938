package wording

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/result"
)

// Share is the unit of numbers that are shown as percentages.
const Share = "share"

// Thin is the space within numbers: narrow and unbreakable.
const Thin = "\u202f"

// Number shows a number that somebody chose, or a place on a scale: at most four
// significant digits, whole numbers in full.
func Number(v float64) string {
	if whole(v) {
		return Whole(int64(math.Round(v)))
	}
	return power(fmt.Sprintf("%.4g", v))
}

// Measured shows a measured number with four significant digits, the last ones too
// where they are 0; whole numbers in full.
func Measured(v float64) string {
	if whole(v) {
		return Whole(int64(math.Round(v)))
	}
	return power(fmt.Sprintf("%#.4g", v))
}

// whole tells whether v is shown without a fraction.
func whole(v float64) bool {
	a := math.Abs(v)
	return a < 1e15 && (a == math.Trunc(a) || a >= 1e4)
}

// power writes an exponent as a power of ten: "5.6e-05" as 5.6×10⁻⁵.
func power(s string) string {
	digits, exponent, ok := strings.Cut(s, "e")
	digits = strings.Replace(digits, "-", "−", 1)
	if !ok {
		return digits
	}
	exponent = strings.TrimLeft(exponent, "+0")
	exponent = strings.NewReplacer("-0", "⁻", "-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").Replace(exponent)
	return digits + "×10" + exponent
}

// Whole shows a whole number in groups of three digits from five digits on.
func Whole(v int64) string {
	s := strconv.FormatInt(v, 10)
	sign := ""
	if v < 0 {
		sign, s = "−", s[1:]
	}
	if len(s) > 4 {
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + Thin + s[i:]
		}
	}
	return sign + s
}

// Percent shows a measured share as a percentage with one decimal. Close to 0 % and
// 100 % it takes as many as it needs not to claim either.
func Percent(share float64) string {
	p := share * 100
	return decimal(p, min(math.Abs(p), math.Abs(100-p))) + Thin + "%"
}

// Round shows a share that somebody chose, such as a level, without needless decimals.
func Round(share float64) string {
	return strings.Replace(strconv.FormatFloat(math.Round(share*1e6)/1e4, 'f', -1, 64), "-", "−", 1) + Thin + "%"
}

// decimal shows p with one decimal, or with two digits of how far it is from
// the nearest number that it must not be taken for. Nothing away, it is that number.
func decimal(p, away float64) string {
	if away == 0 {
		return Number(p)
	}
	digits := 1
	for digits < 8 && away < 0.5*math.Pow10(-digits) {
		digits++
	}
	s := strconv.FormatFloat(math.Abs(p), 'f', digits, 64)
	if p < 0 {
		s = "−" + s
	}
	return s
}

// In shows a measured v in its unit: a share as a percentage, anything else as a number alone.
func In(unit string, v float64) string {
	if unit == Share {
		return Percent(v)
	}
	return Measured(v)
}

// Interval shows a metric's interval as [a, b]; a number that was counted has none.
func Interval(m result.Metric) string {
	if m.Method == result.Exhaustive {
		return "counted"
	}
	return Between(m.Unit, m.Lower, m.Upper)
}

// Between shows [lower, upper] in their unit.
func Between(unit string, lower, upper float64) string {
	return "[" + In(unit, lower) + ", " + In(unit, upper) + "]"
}

// Points shows a difference of shares in percentage points, with its sign.
func Points(difference float64) string {
	s := decimal(difference*100, math.Abs(difference*100))
	if difference > 0 {
		s = "+" + s
	}
	return s + Thin + "pp"
}

// Level says what a criterion asks: "at least 65 %".
func Level(compare string, level *float64, unit string) string {
	if level == nil {
		return "no level"
	}
	return Words(compare) + " " + chosen(unit, *level)
}

// ShortLevel is Level with a sign for the comparison.
func ShortLevel(compare string, level *float64, unit string) string {
	if level == nil {
		return ""
	}
	sign := "≥ "
	if compare == catalogue.AtMost {
		sign = "≤ "
	}
	return sign + chosen(unit, *level)
}

func chosen(unit string, level float64) string {
	if unit == Share {
		return Round(level)
	}
	return Number(level)
}

// P shows a probability of a test.
func P(p float64) string {
	if p < 0.001 {
		return "p < 0.001"
	}
	return fmt.Sprintf("p = %.3f", min(p, 1))
}

// Bytes shows a size in the unit that fits.
func Bytes(n int64) string {
	const units = "KMGTPE"
	v, unit := float64(n), -1
	for v >= 1024 && unit+1 < len(units) {
		v, unit = v/1024, unit+1
	}
	if unit < 0 {
		return Whole(n) + " B"
	}
	return fmt.Sprintf("%.3g %ciB", v, units[unit])
}

// Moment shows a time for people, in UTC, to the second.
func Moment(t time.Time) string {
	if t.IsZero() {
		return "not recorded"
	}
	return t.UTC().Format("2 January 2006, 15:04:05 UTC")
}

// Seconds shows a duration for people.
func Seconds(s float64) string {
	switch {
	case s < 0.01:
		return "under 0.01 s"
	case s < 0.95:
		return fmt.Sprintf("%.2g s", s)
	case s < 100:
		return fmt.Sprintf("%.1f s", s)
	case s < 6000:
		return fmt.Sprintf("%.0f min", s/60)
	}
	return fmt.Sprintf("%.1f h", s/3600)
}

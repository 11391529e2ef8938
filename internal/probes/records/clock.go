package records

import (
	"strconv"
	"strings"
	"time"
)

// parseTime reads the time of an entry: a date and time of RFC 3339, with a
// space for the T and a comma for the point allowed and the offset in any form of ISO 8601, or
// seconds, milli-, micro- or nanoseconds since 1970 by their size. Without an offset it
// is taken as UTC and zone is false. Years from 1970 to 2199 are read.
func parseTime(s string) (t time.Time, zone, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) > 64 {
		return t, false, false
	}
	if t, ok := sinceEpoch(s); ok {
		return t, true, plausible(t)
	}
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	if rest, found := strings.CutSuffix(s, "UTC"); found {
		s = rest + "Z"
	}
	s = strings.ReplaceAll(s, " ", "")
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true, plausible(t)
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, false, plausible(t)
		}
	}
	return t, false, false
}

func plausible(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 2200 }

// sinceEpoch reads a number of seconds, or of a smaller unit where as seconds it would be beyond the year 5138.
func sinceEpoch(s string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || whole[0] == '+' || len(whole) < 9 {
		return time.Time{}, false
	}
	nanos := int64(0)
	if fraction != "" {
		v, err := strconv.ParseUint((fraction + "000000000")[:9], 10, 63)
		if err != nil {
			return time.Time{}, false
		}
		nanos = int64(v)
	}
	switch {
	case n < 1e11:
		return time.Unix(n, nanos).UTC(), true
	case n < 1e14:
		return time.UnixMilli(n).UTC(), true
	case n < 1e17:
		return time.UnixMicro(n).UTC(), true
	}
	return time.Unix(n/1e9, n%1e9).UTC(), true
}

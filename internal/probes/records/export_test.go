package records

import "time"

// ParseJSON is parseJSON for tests, its fields as name and value in turn.
func ParseJSON(line []byte) ([]string, error) {
	fields, err := parseJSON(line)
	return flat(fields), err
}

// ParseCSV reads a line below a header.
func ParseCSV(header, line []byte, time string) ([]string, error) {
	t, err := newTable(header, time)
	if err != nil {
		return nil, err
	}
	fields, err := t.parse(line)
	return flat(fields), err
}

func flat(fields []field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.name, f.value)
	}
	return out
}

// ParseTime is parseTime for tests.
func ParseTime(s string) (t time.Time, zone, ok bool) { return parseTime(s) }

// Find lists the kinds of personal data in a text.
func Find(text string) []string {
	var kinds []string
	find(text, func(kind, _ string) { kinds = append(kinds, kind) })
	return kinds
}

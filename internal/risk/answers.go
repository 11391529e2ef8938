package risk

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/assize/assize/internal/catalogue"
)

// FileName is the name of a file of answers in a target's folder.
const FileName = "risk.csv"

// The limits of a file of answers; ours has a row a threat.
const (
	maxAnswersBytes = 1 << 20
	maxAnswers      = 1000
)

// columns are those of a file of answers that are read; others may stand beside them.
func columns() []string {
	return []string{"threat", "asset_impact", "intensity", "potential", "potential_with_measures", "rated_by", "date", "reason"}
}

// ReadAnswers reads what a person rated: the CSV of assize risk, filled in. A
// row without a rating is skipped; one that is filled in half is refused. Every
// error names the file, the line and the fix.
func ReadAnswers(name string, t *catalogue.Tables) ([]Answer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAnswersBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	c, err := t.Catalogue()
	if err != nil {
		return nil, err
	}
	choices, err := Choices(t)
	if err != nil {
		return nil, err
	}
	var threats []string
	for _, x := range c.Threats {
		threats = append(threats, x.ID)
	}
	return ParseAnswers(b, name, threats, choices)
}

// ParseAnswers is ReadAnswers for bytes; name is how errors call them, threats
// are the ids that there are, choices what Choices returned.
func ParseAnswers(b []byte, name string, threats []string, choices map[string][]string) ([]Answer, error) {
	fail := func(line int, hint, format string, args ...any) error {
		return fmt.Errorf("read answers %q: line %d: %s\nhint: %s", name, line, fmt.Sprintf(format, args...), hint)
	}
	const export = "export the questions with assize risk TARGET --format csv and keep its header"
	if len(b) > maxAnswersBytes {
		return nil, fmt.Errorf("read answers %q: longer than %d bytes\nhint: %s", name, maxAnswersBytes, export)
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	header, err := in.Read()
	if err != nil {
		return nil, fail(1, export, "no header: %v", err)
	}
	at := map[string]int{}
	for _, need := range columns() {
		if at[need] = slices.Index(header, need); at[need] < 0 {
			return nil, fail(1, export, "no column %q", need)
		}
	}
	var all []Answer
	for rows := 0; ; rows++ {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return nil, fail(bad.Line, "save it as CSV with commas and quotes, in UTF-8", "%v", bad.Err)
		}
		if err != nil {
			return nil, fmt.Errorf("read answers %q: %w", name, err)
		}
		line, _ := in.FieldPos(0)
		if rows >= maxAnswers {
			return nil, fail(line, "give each threat one row", "more than %d rows", maxAnswers)
		}
		get := func(column string) string { return strings.TrimSpace(record[at[column]]) }
		a := Answer{
			Line: line, Threat: get("threat"), Impact: get("asset_impact"), Intensity: get("intensity"), Potential: get("potential"),
			With: get("potential_with_measures"), By: get("rated_by"), Date: get("date"), Reason: get("reason"),
		}
		if problem, hint := a.check(threats, choices); problem != "" {
			return nil, fail(line, hint, "%s", problem)
		}
		if i := slices.IndexFunc(all, func(b Answer) bool { return b.Threat == a.Threat }); i >= 0 {
			return nil, fail(line, "give each threat one row", "threat %s was rated in line %d already", a.Threat, all[i].Line)
		}
		if a.Impact != "" {
			all = append(all, a)
		}
	}
}

// check says what is wrong with an answer, and the fix.
func (a Answer) check(threats []string, choices map[string][]string) (problem, hint string) {
	if !slices.Contains(threats, a.Threat) {
		return fmt.Sprintf("there is no threat %q", clip(a.Threat)), "threats are " + strings.Join(threats, ", ")
	}
	if a.Impact+a.Intensity+a.Potential+a.With == "" {
		return "", ""
	}
	for _, f := range []struct{ column, value string }{{"asset_impact", a.Impact}, {"intensity", a.Intensity}, {"potential", a.Potential}, {"potential_with_measures", a.With}} {
		if f.value == "" && f.column == "potential_with_measures" {
			continue
		}
		if !slices.Contains(choices[f.column], f.value) {
			return fmt.Sprintf("%s of %s is %q", f.column, a.Threat, clip(f.value)), "one of " + strings.Join(choices[f.column], ", ")
		}
	}
	if a.By == "" || a.Reason == "" {
		return fmt.Sprintf("the rating of %s has no rated_by or no reason", a.Threat), "say who rated and why: a rating is a judgement"
	}
	if _, err := time.Parse(time.DateOnly, a.Date); err != nil {
		return fmt.Sprintf("date %q is no date", clip(a.Date)), "write the day of the rating as 2026-11-03"
	}
	return "", ""
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

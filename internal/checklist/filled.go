package checklist

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
)

// FileName is the name of a filled checklist in a target's folder.
const FileName = "checklist.csv"

// The limits of a filled checklist. Ours has under 200 rows.
const (
	maxFilledBytes = 2 << 20
	maxFilledRows  = 5000
)

// Row is one line of a checklist that somebody filled in.
type Row struct {
	Line       int // of the file
	ID         string
	Record     string // path below the target's folder, with slashes
	Owner      string
	Role       string
	Date       manifest.Date
	ValidUntil manifest.Date
	Digest     artefact.Digest // pin; "" where not pinned
}

// fillable are the columns that a person fills in. Others are not read.
func fillable() []string {
	return []string{"record", "owner", "role", "date", "valid_until", "digest"}
}

// ReadFilled reads a filled checklist: the CSV that this package exports, with
// record, owner and date beside the items that a record answers. Rows without
// a record are skipped. Every error names the file, the line and the fix.
func ReadFilled(name string, known []catalogue.Requirement) ([]Row, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read checklist: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFilledBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read checklist: %w", err)
	}
	return ParseFilled(b, name, known)
}

// ParseFilled is ReadFilled for bytes; name is how errors call them.
func ParseFilled(b []byte, name string, known []catalogue.Requirement) ([]Row, error) {
	fail := func(line int, hint, format string, args ...any) error {
		return fmt.Errorf("read checklist %q: line %d: %s\nhint: %s", name, line, fmt.Sprintf(format, args...), hint)
	}
	if len(b) > maxFilledBytes {
		return nil, fmt.Errorf("read checklist %q: longer than %d bytes\nhint: export one with assize checklist TARGET --format csv", name, maxFilledBytes)
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	in.ReuseRecord = true
	header, err := in.Read()
	if err != nil {
		return nil, fail(1, "export one with assize checklist TARGET --format csv", "no header: %v", err)
	}
	at := map[string]int{}
	for i, h := range header {
		if _, twice := at[h]; twice {
			return nil, fail(1, "keep the header as it was exported", "column %q stands twice", clip(h))
		}
		at[strings.Clone(h)] = i
	}
	for _, need := range append([]string{"id"}, fillable()...) {
		if _, ok := at[need]; !ok {
			return nil, fail(1, "keep the header as it was exported, with commas between its columns", "no column %q", need)
		}
	}
	var rows []Row
	seen := map[string]int{}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return nil, fail(bad.Line, "save it as CSV with commas and quotes, in UTF-8", "%v", bad.Err)
		}
		if err != nil {
			return nil, fmt.Errorf("read checklist %q: %w", name, err)
		}
		line, _ := in.FieldPos(0)
		get := func(column string) string { return strings.Clone(strings.TrimSpace(record[at[column]])) }
		row := Row{
			Line: line, ID: get("id"), Record: get("record"), Owner: get("owner"), Role: get("role"),
			Date: manifest.Date(get("date")), ValidUntil: manifest.Date(get("valid_until")), Digest: artefact.Digest(get("digest")),
		}
		if problem, hint := row.check(known); problem != "" {
			return nil, fail(line, hint, "%s", problem)
		}
		if before, twice := seen[row.ID]; twice {
			return nil, fail(line, "give each item one row; several files go into one folder or document", "item %s stands in line %d already", row.ID, before)
		}
		seen[row.ID] = line
		if len(seen) > maxFilledRows {
			return nil, fail(line, "one row an item", "more than %d rows", maxFilledRows)
		}
		if row.Record != "" {
			rows = append(rows, row)
		}
	}
}

// check says what is wrong with a row by itself, and the fix.
func (r Row) check(known []catalogue.Requirement) (problem, hint string) {
	i := slices.IndexFunc(known, func(k catalogue.Requirement) bool { return k.ID == r.ID && asked(k) })
	if i < 0 {
		return fmt.Sprintf("there is no item %q", clip(r.ID)), "keep the ids as they were exported"
	}
	if r.Record == "" {
		if r.Date != "" || r.ValidUntil != "" || r.Owner != "" || r.Digest != "" {
			return fmt.Sprintf("item %s has an owner or a date, but no record", r.ID), "name the file in the column record, or clear the row"
		}
		return "", ""
	}
	if known[i].Framework == catalogue.Groups {
		return fmt.Sprintf("%s is a group", r.ID), "answer its items; the group follows from them"
	}
	if !filepath.IsLocal(filepath.FromSlash(r.Record)) || strings.Contains(r.Record, `\`) {
		return fmt.Sprintf("record %q leaves the target's folder", clip(r.Record)), "put the file below the target's folder and name it from there, with slashes"
	}
	if r.Owner == "" {
		return fmt.Sprintf("record %q has no owner", clip(r.Record)), "say in the column owner who stands for it"
	}
	if r.Digest != "" {
		if _, err := artefact.ParseDigest(string(r.Digest)); err != nil {
			return err.Error(), "leave the digest empty or write sha256: and 64 hexadecimal digits"
		}
	}
	if r.Date == "" {
		return fmt.Sprintf("record %q has no date", clip(r.Record)), "write the day of the record as 2026-11-03"
	}
	for _, d := range []struct {
		column string
		date   manifest.Date
	}{{"date", r.Date}, {"valid_until", r.ValidUntil}} {
		if d.date == "" {
			continue
		}
		if _, err := time.Parse(time.DateOnly, string(d.date)); err != nil {
			return fmt.Sprintf("%s %q is no date", d.column, clip(string(d.date))), "write the day as 2026-11-03"
		}
	}
	if r.ValidUntil != "" && r.ValidUntil.Time().Before(r.Date.Time()) {
		return fmt.Sprintf("valid_until %s lies before date %s", r.ValidUntil, r.Date), "valid_until is the last day on which the record counts"
	}
	return "", ""
}

// CheckFiles says whether every record of rows is there: a regular file below
// dir, dated no later than today, with the digest that the row pins.
func CheckFiles(ctx context.Context, rows []Row, name, dir string, today time.Time) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("read checklist %q: %w", name, err)
	}
	defer root.Close()
	for _, r := range rows {
		fail := func(hint, format string, args ...any) error {
			return fmt.Errorf("read checklist %q: line %d: %s\nhint: %s", name, r.Line, fmt.Sprintf(format, args...), hint)
		}
		if r.Date.Time().After(today) {
			return fail("a record is dated the day it was made", "date %s of record %q lies in the future", r.Date, r.Record)
		}
		info, err := root.Stat(r.Record) // refuses links that lead out of dir
		if err != nil {
			return fail("name a file below the target's folder", "record %q: %v", r.Record, errors.Unwrap(err))
		}
		if !info.Mode().IsRegular() {
			return fail("name a file", "record %q is no regular file", r.Record)
		}
		digest, _, err := artefact.DigestOf(ctx, filepath.Join(dir, filepath.FromSlash(r.Record)))
		if err != nil {
			return fail("make it readable", "record %q: %v", r.Record, err)
		}
		if r.Digest != "" && r.Digest != digest {
			return fail("look at the record again, then clear the digest or write this one", "record %q changed: it has %s", r.Record, digest)
		}
	}
	return nil
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

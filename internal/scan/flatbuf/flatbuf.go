// Package flatbuf reads FlatBuffers that may be hostile. A buffer is walked once by
// its schema, with every offset checked, before anything is taken from it; every byte
// is accounted for, since nothing but padding belongs between the parts.
package flatbuf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
)

// Kind says what a field of a table holds.
type Kind uint8

// The kinds of field.
const (
	Value  Kind = iota // Size bytes in the table itself: a number or a struct
	Text               // a string
	Array              // a vector of values of Size bytes each
	Texts              // a vector of strings
	Table              // a table of the kind Of
	Tables             // a vector of tables of the kind Of
	Union              // a table of the kind that the field before it counts, from 1 on, among those of Of
)

// Field is one field of a table.
type Field struct {
	Kind Kind
	Size int64  // of a Value, or of each value of an Array, in bytes
	Of   string // the kind of table, of a Union all of them with spaces between
}

// Schema is the fields of each kind of table, in the order of their numbers.
type Schema map[string][]Field

const (
	maxNesting = 64
	maxPadding = 15 // bytes between two parts
	heldBytes  = 96 // of memory for each part that is remembered
)

// part is a thing in a buffer that may be referred to from more than one place.
type part struct {
	at   int64
	kind string
}

// walker checks one buffer.
type walker struct {
	Buffer
	ctx     context.Context
	out     *scan.Sink
	schema  Schema
	rule    string
	used    extent.Set
	seen    map[part]bool
	unknown int
}

// Read walks through the buffer at bytes from to end of a file, whose outermost table is
// of the kind root. It tells out what each byte is, and of findings, whose rules begin with
// rule: an offset that leads outside, parts that overlap, bytes that no part holds.
// The table that it returns is safe to read.
func Read(ctx context.Context, in *scan.Input, out *scan.Sink, from, end int64, schema Schema, root, rule string) (Object, error) {
	return ReadMarked(ctx, in, out, from, end, schema, root, rule, "")
}

// ReadMarked is Read for a buffer whose format has a mark behind the first offset.
func ReadMarked(ctx context.Context, in *scan.Input, out *scan.Sink, from, end int64, schema Schema, root, rule, mark string) (Object, error) {
	w := &walker{Buffer: Buffer{in: in, from: from, to: end}, ctx: ctx, out: out, schema: schema, rule: rule, seen: map[part]bool{}}
	defer func() {
		out.Hold(-heldBytes * int64(len(w.seen)))
		w.seen, w.used = nil, extent.Set{}
	}()
	at, err := w.follow(from)
	if err == nil {
		w.used.Add(from, from+4+int64(len(mark)), extent.Structured)
		err = w.table(at, root, 0)
	}
	w.account(err == nil)
	var outside *outsideError
	if errors.As(err, &outside) {
		out.Find(scan.Finding{
			Rule: rule + "/offset", Outcome: scan.Dangerous, Offset: outside.at, Evidence: outside.Error(), Cites: []string{"CWE-125"},
			Fix: "Do not load it: loaders that believe this read memory that is not theirs. Ask for the model to be saved again.",
		})
		return Object{}, scan.Problemf(rule+"/offset", outside.at, "%v", err)
	}
	if err != nil {
		return Object{}, err
	}
	return w.object(at)
}

// account tells what each byte is. Parts that were not reached leave gaps that say nothing.
func (w *walker) account(whole bool) {
	sum := w.used.Sum(w.from, w.to)
	for _, r := range w.used.Ranges() {
		if r.Use == extent.Opaque {
			w.out.Opaque(r.From, r.Len())
		} else {
			w.out.Structured(r.From, r.Len())
		}
	}
	if len(sum.Overlaps) > 0 {
		w.deceive("overlap", sum.Overlaps[0].From, "two parts of the buffer lie in the same bytes")
	}
	if w.unknown > 0 {
		w.out.Incomplete(scan.Problemf(w.rule+"/unknown-field", w.from, "%d fields that nobody knows", w.unknown))
	}
	for _, gap := range sum.Gaps {
		zero := false
		if gap.Len() <= maxPadding {
			v := byte(0)
			for at := gap.From; at < gap.To; at++ {
				b, err := w.uint(at, 1)
				if err != nil {
					return
				}
				v |= byte(b)
			}
			zero = v == 0
		}
		if zero {
			w.out.Structured(gap.From, gap.Len())
		} else if whole && w.unknown == 0 {
			w.deceive("hidden-bytes", gap.From, "%d bytes that no part of the buffer holds", gap.Len())
		}
	}
}

func (w *walker) deceive(rule string, at int64, evidence string, args ...any) {
	w.out.Find(scan.Finding{
		Rule: w.rule + "/" + rule, Outcome: scan.Dangerous, Offset: at, Evidence: fmt.Sprintf(evidence, args...), Cites: []string{"CWE-436"},
		Fix: "Do not load it. Ask for the model to be saved again.",
	})
}

// first says that a part is met for the first time, which the budget allows.
func (w *walker) first(at int64, kind string) (bool, error) {
	if err := w.out.Spend(w.ctx, 16); err != nil || w.seen[part{at, kind}] {
		return false, err
	}
	if err := w.out.Hold(heldBytes); err != nil {
		return false, err
	}
	w.seen[part{at, kind}] = true
	return true, nil
}

// table checks a table and all that it refers to.
func (w *walker) table(at int64, kind string, depth int) error {
	if depth > maxNesting {
		return scan.Problemf(w.rule+"/nesting", at, "tables nest deeper than %d", maxNesting)
	}
	if first, err := w.first(at, kind); err != nil || !first {
		return err
	}
	o, err := w.object(at)
	if err != nil {
		return err
	}
	w.used.Add(at, at+o.size, extent.Structured)
	if first, err := w.first(o.vtable, "vtable"); err != nil {
		return err
	} else if first {
		w.used.Add(o.vtable, o.vtable+4+2*int64(o.fields), extent.Structured)
	}
	fields := w.schema[kind]
	for i := range o.fields {
		place, err := o.field(i)
		if err != nil {
			return err
		}
		if place == 0 {
			continue
		}
		if i >= len(fields) {
			w.unknown++
			continue
		}
		f := fields[i]
		if f.Kind == Union {
			if f, err = w.chosen(o, i, f); err != nil {
				return err
			}
			if f.Of == "" {
				w.unknown++
				continue
			}
		}
		if err := w.content(o, place, f, depth); err != nil {
			return err
		}
	}
	return nil
}

// chosen is the kind of table that stands in a union, without a name where nobody knows it.
func (w *walker) chosen(o Object, i int, f Field) (Field, error) {
	n, err := o.Uint(i-1, 1, 0)
	all := strings.Fields(f.Of)
	if err != nil || n == 0 || n > uint64(len(all)) {
		return Field{}, err
	}
	return Field{Kind: Table, Of: all[n-1]}, nil
}

// content checks what one field holds, whose bytes in the table begin at place.
func (w *walker) content(o Object, place int64, f Field, depth int) error {
	size := int64(4)
	if f.Kind == Value {
		size = f.Size
	}
	if place+size > o.at+o.size {
		return w.outside(place, "a field goes past its table")
	}
	if f.Kind == Value {
		return nil
	}
	at, err := w.follow(place)
	if err != nil {
		return err
	}
	if f.Kind == Table {
		return w.table(at, f.Of, depth+1)
	}
	each, use, end := f.Size, extent.Opaque, int64(0)
	switch f.Kind {
	case Text:
		each, use, end = 1, extent.Structured, 1
	case Texts, Tables:
		each, use = 4, extent.Structured
	}
	n, err := w.uint(at, 4)
	if err != nil {
		return err
	}
	to := at + 4 + int64(n)*each + end
	if to > w.to {
		return w.outside(at, "a vector of %d values of %d bytes, %d are left", n, each, w.to-at-4)
	}
	if first, err := w.first(at, fmt.Sprint("vector ", f.Kind, f.Size, f.Of)); err != nil || !first {
		return err
	}
	w.used.Add(at, at+4, extent.Structured)
	w.used.Add(at+4, to, use)
	if f.Kind == Text {
		if last, err := w.uint(to-1, 1); err != nil || last != 0 {
			return cmp.Or(err, w.outside(at, "a text without an end"))
		}
	}
	if f.Kind != Texts && f.Kind != Tables {
		return nil
	}
	inner := Field{Kind: Text}
	if f.Kind == Tables {
		inner = Field{Kind: Table, Of: f.Of}
	}
	whole := Object{Buffer: o.Buffer, at: at, size: to - at}
	for place := at + 4; place < to; place += 4 {
		if err := w.content(whole, place, inner, depth+1); err != nil {
			return err
		}
	}
	return nil
}

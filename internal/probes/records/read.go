package records

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

// maxEntries bounds what is kept in memory of one log.
const maxEntries = 4_000_000

// reading is what came of reading one log.
type reading struct {
	name       string
	why        string // it could not be read, or not to its end
	changed    bool   // its bytes are not those that were digested
	entries    int    // lines that could be read
	unreadable int
	incomplete int // entries without event, readable time or, where declared, id
	zoneless   int // entries whose time says nothing of its zone
}

// visitor is told of every line of a log in its order.
type visitor interface {
	entry(e *entry)
	unreadable(line int, why string, raw []byte)
}

// read goes through a log. What is wrong with the log is in the reading; an
// error means that ctx ended.
func read(ctx context.Context, rec *measure.Record, v visitor, progress func(share float64)) (*reading, error) {
	got := &reading{name: rec.Name}
	info, err := os.Stat(rec.OpenPath)
	if err != nil || !info.Mode().IsRegular() {
		got.why = "it cannot be opened, or is no file"
		return got, ctx.Err()
	}
	f, err := os.Open(rec.OpenPath)
	if err != nil {
		got.why = "it cannot be opened"
		return got, ctx.Err()
	}
	defer f.Close()
	sum := sha256.New()
	r := &lines{in: bufio.NewReaderSize(io.TeeReader(f, sum), 1<<16), hash: sha256.New()}
	total := max(1, info.Size())
	p := parser{format: rec.Log.Format, time: rec.Log.Time}
	for {
		if r.number%1000 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			progress(min(1, float64(r.bytes)/float64(total)))
		}
		before := r.sum
		raw, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			got.why = "reading stopped in line " + fmt.Sprint(r.number)
			return got, nil
		}
		if got.entries+got.unreadable == maxEntries {
			got.why = fmt.Sprintf("it has more than %d lines; the rest was not read", maxEntries)
			return got, nil
		}
		fields, skip, err := p.parse(raw, r.long)
		switch {
		case skip:
		case err != nil:
			got.unreadable++
			v.unreadable(r.number, err.Error(), raw)
		default:
			got.entries++
			e := &entry{line: r.number, before: before, fields: fields}
			got.complete(e, &rec.Log)
			v.entry(e)
		}
	}
	got.changed = rec.Digest != "" && hex.EncodeToString(sum.Sum(nil)) != rec.Digest.Hex()
	return got, nil
}

// complete settles what the declared fields of an entry say, and counts what they lack.
func (r *reading) complete(e *entry, l *measure.Log) {
	e.event, e.id = e.get(l.Event), e.get(l.ID)
	e.at, e.zone, e.timed = parseTime(e.get(l.Time))
	if e.event == "" || !e.timed || l.ID != "" && e.id == "" {
		r.incomplete++
	}
	if e.timed && !e.zone {
		r.zoneless++
	}
}

// latest is the end of the day on which a log was taken, wherever on Earth.
func latest(rec *measure.Record) time.Time { return rec.Date.Add(day + 12*time.Hour) }

// parser knows the format of a log once it has seen the first line.
type parser struct {
	format string
	time   string
	begun  bool
	table  *table
	broken error // what is wrong with the first line of a CSV file
}

// parse takes a line apart; skip says that it is no entry.
func (p *parser) parse(raw []byte, long bool) (fields []field, skip bool, err error) {
	if long {
		return nil, false, fmt.Errorf("it has more than %d bytes", maxLineBytes)
	}
	blank := len(bytes.TrimSpace(raw)) == 0
	if blank {
		return nil, true, nil
	}
	first := !p.begun
	p.begun = true
	if first && p.format == "" {
		if p.format = "csv"; bytes.TrimSpace(raw)[0] == '{' {
			p.format = "jsonl"
		}
	}
	switch {
	case p.format == "jsonl":
		fields, err = parseJSON(raw)
	case first:
		p.table, p.broken = newTable(raw, p.time)
		return nil, p.broken == nil, p.broken
	case p.broken != nil:
		err = fmt.Errorf("the first line, which should name the columns, cannot be used: %w", p.broken)
	default:
		fields, err = p.table.parse(raw)
	}
	return fields, false, err
}

// lines reads lines of any length into bounded memory.
type lines struct {
	in     *bufio.Reader
	hash   hash.Hash
	buf    []byte
	number int    // of the last line, from 1
	bytes  int64  // read so far
	long   bool   // the last line is longer than the limit
	sum    string // SHA-256 of the last line that is not blank, without its line break; "" where it is too long
}

// next is the next line without its line break, valid until the next call. The
// error is io.EOF after the last line.
func (l *lines) next() ([]byte, error) {
	l.buf, l.long = l.buf[:0], false
	for {
		part, err := l.in.ReadSlice('\n')
		l.bytes += int64(len(part))
		if len(l.buf)+len(part) > maxLineBytes {
			l.long = true
		} else {
			l.buf = append(l.buf, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) && (len(l.buf) > 0 || l.long) {
			err = nil
		}
		if err != nil {
			return nil, err
		}
		break
	}
	l.number++
	line := bytes.TrimSuffix(bytes.TrimSuffix(l.buf, []byte("\n")), []byte("\r"))
	if l.long {
		l.sum = ""
	} else if len(bytes.TrimSpace(line)) > 0 {
		l.hash.Reset()
		l.hash.Write(line)
		l.sum = hex.EncodeToString(l.hash.Sum(nil))
	}
	if l.number == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return line, nil
}

// What a measurement on a log asks of the log.
const (
	leastEntries = 20   // in each log
	leastShare   = 0.99 // of lines that can be read, entries that are complete, times that have a zone
)

// check says whether the logs were read well enough to say something of them.
func check(res *result.Result, readings []*reading) {
	problems := map[string][]string{}
	fault := func(check, format string, args ...any) {
		problems[check] = append(problems[check], fmt.Sprintf(format, args...))
	}
	for _, r := range readings {
		name := escape(r.name)
		share := func(check string, bad, of int, what string) {
			if float64(bad) > (1-leastShare)*float64(of) {
				fault(check, "%s: %d of %d %s", name, bad, of, what)
			}
		}
		if r.why != "" {
			fault("logs-read", "%s: %s", name, r.why)
			continue
		}
		if r.changed {
			fault("files-as-digested", "changed since it was digested: %s", name)
		}
		if r.entries < leastEntries {
			fault("enough-entries", "%s: %d entries, fewer than %d", name, r.entries, leastEntries)
		}
		share("lines-readable", r.unreadable, r.entries+r.unreadable, "lines cannot be read")
		share("entries-complete", r.incomplete, r.entries, "entries lack an event, a readable time or an id")
		share("times-have-a-zone", r.zoneless, r.entries, "times do not say their offset from UTC")
	}
	for _, c := range []struct{ check, well string }{
		{"logs-read", "every log was read to its end"},
		{"files-as-digested", "the bytes that were read are those that were digested"},
		{"enough-entries", fmt.Sprintf("every log has at least %d entries", leastEntries)},
		{"lines-readable", "at least 99 % of the lines of every log can be read"},
		{"entries-complete", "at least 99 % of the entries of every log have an event, a time and the declared id"},
		{"times-have-a-zone", "at least 99 % of the times of every log say their offset from UTC"},
	} {
		note := c.well
		if p := problems[c.check]; p != nil {
			note = strings.Join(p[:min(len(p), 5)], "; ")
		}
		res.Check(c.check, problems[c.check] == nil, note)
	}
}

package treefile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/window"
)

// LightGBM reads the text that save_model writes.
type LightGBM struct{}

// Name implements scan.Format.
func (LightGBM) Name() string { return "lightgbm" }

// Sniff implements scan.Format.
func (LightGBM) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if rest, ok := bytes.CutPrefix(bytes.ReplaceAll(head, []byte("\r\n"), []byte("\n")), []byte("tree\n")); ok && bytes.Contains(rest, []byte("version=")) {
		return scan.Sure
	}
	return scan.No
}

// lgb reads one file.
type lgb struct {
	out    *scan.Sink
	at     int64 // of the block
	tree   string
	counts map[string]int64 // values by key of the block
	leaves int64
	cats   int64
	ended  bool
}

// Scan implements scan.Format.
func (LightGBM) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	g := &lgb{out: out, counts: map[string]int64{}}
	r := window.New(in, 0, in.Size)
	for r.Left() > 0 {
		at := r.Offset()
		if err := g.line(ctx, r); err != nil {
			var p *scan.Problem
			if errors.As(err, &p) || ctx.Err() != nil {
				return err
			}
			return scan.Problemf("lightgbm/broken", at, "%v", err)
		}
		out.Structured(at, r.Offset()-at)
	}
	if !g.ended {
		return scan.Problemf("lightgbm/truncated", in.Size, "the end of the trees is missing")
	}
	return nil
}

// line reads one, of which it keeps the key and, where they are short, the value; it counts the words.
func (g *lgb) line(ctx context.Context, r *window.Reader) error {
	at := r.Offset()
	var head []byte
	words, in := int64(0), false
	value := false
	for {
		b := r.Peek(64 << 10)
		if len(b) == 0 {
			if r.Left() > 0 {
				return io.ErrUnexpectedEOF
			}
			break
		}
		if err := g.out.Spend(ctx, int64(len(b))); err != nil {
			return err
		}
		end := bytes.IndexByte(b, '\n')
		part := b
		if end >= 0 {
			part = b[:end]
		}
		for _, c := range part {
			switch {
			case c < ' ' && c != '\t' && c != '\r':
				return scan.Problemf("lightgbm/text", at, "the line holds what is no text")
			case c == '=' && !value:
				value, in = true, false
			case c == ' ' || c == '\t' || c == '\r':
				in = false
			case value && !in:
				in = true
				words++
			}
		}
		if room := 200 - len(head); room > 0 {
			head = append(head, part[:min(room, len(part))]...)
		}
		if end >= 0 {
			r.Skip(uint64(end) + 1)
			break
		}
		r.Skip(uint64(len(b)))
	}
	return g.take(strings.TrimRight(string(head), "\r"), words, at)
}

// take understands a line by its beginning.
func (g *lgb) take(line string, words, at int64) error {
	key, value, pair := strings.Cut(line, "=")
	switch {
	case g.ended:
		return nil // importances, parameters and categories: text
	case line == "end of trees":
		g.ended = true
		return g.check()
	case key == "Tree" && pair:
		err := g.check()
		g.tree, g.at, g.leaves, g.cats = value, at, 0, 0
		clear(g.counts)
		return err
	case line == "" || line == "tree" || line == "average_output":
		return nil
	case !pair:
		return scan.Problemf("lightgbm/line", at, "the line %.60q is no key with a value", line)
	}
	if len(key) > 60 || len(g.counts) > 200 {
		return scan.Problemf("lightgbm/line", at, "a block of more than 200 keys")
	}
	if _, twice := g.counts[key]; twice {
		g.deceive("duplicate-key", at, "the key %q stands twice in a block", key)
	}
	g.counts[key] = words
	if key == "num_leaves" || key == "num_cat" {
		n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err != nil || n < 0 || n > 1<<31-1 {
			g.deceive("count", at, "%s is %.40q", key, value)
			return scan.Problemf("lightgbm/count", at, "%s is %.40q", key, value)
		}
		if key == "num_leaves" {
			g.leaves = n
		} else {
			g.cats = n
		}
	}
	return nil
}

func (g *lgb) deceive(rule string, at int64, evidence string, args ...any) {
	g.out.Find(scan.Finding{
		Rule: "lightgbm/" + rule, Outcome: scan.Dangerous, Offset: at, Evidence: fmt.Sprintf(evidence, args...), Cites: []string{"CWE-130"},
		Fix: "Do not load it: loaders that believe this read memory that is not theirs. Ask for the model to be saved again.",
	})
}

// check compares what a tree announces with what it holds.
func (g *lgb) check() error {
	if g.tree == "" {
		return nil
	}
	want := map[string]int64{"leaf_value": g.leaves}
	if g.leaves > 1 {
		for _, key := range []string{"split_feature", "threshold", "decision_type", "left_child", "right_child"} {
			want[key] = g.leaves - 1
		}
	}
	if g.cats > 0 {
		want["cat_boundaries"] = g.cats + 1
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if have, n := g.counts[key], want[key]; have != n {
			g.deceive("count", g.at, "tree %.20q needs %d values of %s and has %d", g.tree, n, key, have)
		}
	}
	return nil
}

// Package gguf reads GGUF files that may be hostile: counts, lengths, names,
// dimensions and ranges are checked against the file (ggml, docs/gguf.md, versions 1
// to 3), and chat templates, which loaders run as programs, are read word by word.
package gguf

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/window"
)

// The most that a file may claim; the largest models have 2,000 tensors and 500,000 words.
const (
	maxKeys    = 100_000
	maxTensors = 1_000_000
	maxItems   = 50_000_000 // of an array
	maxString  = 16 << 20
	maxDims    = 4
	maxNesting = 8
)

// Format reads GGUF files.
type Format struct{}

// Name implements scan.Format.
func (Format) Name() string { return "gguf" }

// Sniff implements scan.Format.
func (Format) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if bytes.HasPrefix(head, []byte("GGUF")) && len(head) >= 24 {
		return scan.Sure
	}
	return scan.No
}

// reader reads one file.
type reader struct {
	ctx       context.Context
	in        *scan.Input
	out       *scan.Sink
	r         *window.Reader
	big       bool
	wide      bool // lengths of 8 bytes
	alignment uint64
	held      int64
	names     map[string]bool
	tensors   []tensor
}

type tensor struct {
	from, n uint64
	at      int64
}

// Scan implements scan.Format.
func (Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	g := &reader{ctx: ctx, in: in, out: out, r: window.New(in, 4, in.Size), alignment: 32, names: map[string]bool{}}
	defer func() { out.Hold(-g.held) }()
	err := g.read()
	var p *scan.Problem
	if err == nil || errors.As(err, &p) || ctx.Err() != nil {
		return err
	}
	return scan.Problemf("gguf/truncated", g.r.Offset(), "%v", err)
}

func (g *reader) deceive(rule string, at int64, cite, evidence string, args ...any) {
	g.out.Find(scan.Finding{
		Rule: "gguf/" + rule, Outcome: scan.Dangerous, Offset: at, Evidence: fmt.Sprintf(evidence, args...), Cites: []string{cite},
		Fix: "Do not load it: loaders that believe these numbers read or write memory that is not theirs. Ask for the model to be converted again.",
	})
}

// refuse is deceive where nothing behind can be read.
func (g *reader) refuse(rule string, at int64, cite, evidence string, args ...any) error {
	g.deceive(rule, at, cite, evidence, args...)
	return scan.Problemf("gguf/"+rule, at, evidence, args...)
}

func (g *reader) hold(n int64) error {
	if err := g.out.Hold(n); err != nil {
		return err
	}
	g.held += n
	return nil
}

// size reads a count or length.
func (g *reader) size() (uint64, error) {
	if g.wide {
		return g.r.Uint64()
	}
	return g.r.Uint(4)
}

func (g *reader) read() error {
	b := bytes.Clone(g.r.Peek(4))
	version := binary.LittleEndian.Uint32(b)
	if version&0xffff == 0 && version != 0 { // written on a machine of the other byte order
		g.big = true
		g.r = g.r.BigEndian()
		version = binary.BigEndian.Uint32(b)
	}
	if version < 1 || version > 3 {
		return scan.Problemf("gguf/version", 4, "version %d is not known", version)
	}
	g.r.Skip(4)
	g.wide = version > 1
	tensors, err := g.size()
	if err != nil {
		return err
	}
	keys, err := g.size()
	if err != nil {
		return err
	}
	if tensors > maxTensors || keys > maxKeys || tensors*24+keys*12 > uint64(g.in.Size) {
		return g.refuse("count", 8, "CWE-789", "%d tensors and %d keys in a file of %d bytes", tensors, keys, g.in.Size)
	}
	for range keys {
		if err := g.entry(); err != nil {
			return err
		}
	}
	clear(g.names)
	for range tensors {
		if err := g.tensor(); err != nil {
			return err
		}
	}
	return g.data()
}

// text reads a string.
func (g *reader) text(what string) (string, error) {
	at := g.r.Offset()
	n, err := g.size()
	if err != nil {
		return "", err
	}
	if n > uint64(g.r.Left()) {
		return "", g.refuse("length", at, "CWE-130", "%s of %d bytes, %d are left", what, n, g.r.Left())
	}
	if err := g.out.Spend(g.ctx, int64(min(n, 1<<40))); err != nil {
		return "", err
	}
	b, err := g.r.Bytes(n, maxString)
	if err != nil {
		return "", scan.Problemf("gguf/length", at, "%s: %v", what, err)
	}
	return string(b), nil
}

// name reads a name that may stand once.
func (g *reader) name(what string, most int) (string, error) {
	at := g.r.Offset()
	s, err := g.text(what)
	if err != nil {
		return "", err
	}
	if len(s) > most {
		g.deceive("name", at, "CWE-120", "%s of %d bytes, over the %d that loaders have room for", what, len(s), most)
	}
	if g.names[s] {
		g.deceive("duplicate-name", at, "CWE-694", "%s %q stands twice: loaders differ in which one they take", what, s)
	}
	g.names[s] = true
	return s, g.hold(int64(len(s)) + 64)
}

// The types of values.
const (
	typeBool   = 7
	typeString = 8
	typeArray  = 9
)

// width is the bytes of a value of a type, 0 where it has no fixed number.
func width(kind uint32) uint64 {
	return map[uint32]uint64{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, typeBool: 1, 10: 8, 11: 8, 12: 8}[kind]
}

// entry reads a key and its value.
func (g *reader) entry() error {
	at := g.r.Offset()
	key, err := g.name("the key", 1<<16-1)
	if err != nil {
		return err
	}
	kind, err := g.r.Uint32()
	if err != nil {
		return err
	}
	if key == "general.alignment" && kind == 4 {
		a := g.r.Peek(4)
		if len(a) == 4 {
			v := binary.LittleEndian.Uint32(a)
			if g.big {
				v = binary.BigEndian.Uint32(a)
			}
			if v == 0 || v&(v-1) != 0 || v > 1<<20 {
				g.deceive("alignment", at, "CWE-1284", "an alignment of %d bytes", v)
			} else {
				g.alignment = uint64(v)
			}
		}
	}
	return g.value(key, kind, 0)
}

func (g *reader) value(key string, kind uint32, depth int) error {
	at := g.r.Offset()
	switch {
	case kind == typeString:
		s, err := g.text("the value of " + quoteKey(key))
		if err == nil && strings.HasPrefix(key, "tokenizer.chat_template") {
			template(g.out, at, key, s)
		}
		return err
	case kind == typeArray:
		return g.array(key, depth+1)
	case kind == typeBool:
		b, err := g.r.Uint8()
		if err == nil && b > 1 {
			g.deceive("value", at, "CWE-1284", "the value of %q is no boolean", key)
		}
		return err
	case width(kind) > 0:
		return g.r.Skip(width(kind))
	}
	return g.refuse("type", at, "CWE-1284", "the value of %q is of the unknown type %d", key, kind)
}

func quoteKey(s string) string { return fmt.Sprintf("%.60q", s) }

func (g *reader) array(key string, depth int) error {
	at := g.r.Offset()
	if depth > maxNesting {
		return g.refuse("nesting", at, "CWE-674", "arrays in %q nest deeper than %d", key, maxNesting)
	}
	kind, err := g.r.Uint32()
	if err != nil {
		return err
	}
	n, err := g.size()
	if err != nil {
		return err
	}
	least := max(width(kind), 1)
	if kind == typeString || kind == typeArray {
		least = 4
	}
	if n > maxItems || n > uint64(g.r.Left())/least {
		return g.refuse("count", at, "CWE-789", "%q has %d items, %d bytes are left", key, n, g.r.Left())
	}
	if kind == typeArray {
		g.out.Incomplete(scan.Problemf("gguf/nesting", at, "%q holds arrays in an array, which loaders take differently", key))
	}
	if w := width(kind); w > 0 && kind != typeBool {
		return g.r.Skip(n * w)
	}
	for range n {
		if err := g.out.Spend(g.ctx, 1); err != nil {
			return err
		}
		if kind == typeString { // words are not kept
			if err := g.word(key); err != nil {
				return err
			}
			continue
		}
		if err := g.value(key, kind, depth); err != nil {
			return err
		}
	}
	return nil
}

// word passes over a string of an array; those of templates are read.
func (g *reader) word(key string) error {
	if strings.HasPrefix(key, "tokenizer.chat_template") {
		at := g.r.Offset()
		s, err := g.text("an item of " + quoteKey(key))
		if err == nil {
			template(g.out, at, key, s)
		}
		return err
	}
	at := g.r.Offset()
	n, err := g.size()
	if err != nil {
		return err
	}
	if n > uint64(g.r.Left()) {
		return g.refuse("length", at, "CWE-130", "a string of %q of %d bytes, %d are left", key, n, g.r.Left())
	}
	return g.r.Skip(n)
}

// tensor reads the description of one.
func (g *reader) tensor() error {
	at := g.r.Offset()
	if err := g.out.Spend(g.ctx, 32); err != nil {
		return err
	}
	name, err := g.name("the tensor", 63)
	if err != nil {
		return err
	}
	dims, err := g.r.Uint32()
	if err != nil {
		return err
	}
	if dims > maxDims {
		return g.refuse("dimensions", at, "CWE-1284", "tensor %q has %d dimensions", name, dims)
	}
	count, overflow, first := uint64(1), false, uint64(1)
	for i := range dims {
		d, err := g.size()
		if err != nil {
			return err
		}
		if i == 0 {
			first = d
		}
		high, low := bits.Mul64(count, d)
		overflow = overflow || high != 0 || low > 1<<62
		count = low
	}
	kind, err := g.r.Uint32()
	if err != nil {
		return err
	}
	from, err := g.r.Uint64()
	if err != nil {
		return err
	}
	block, size, ok := layout(kind)
	if !ok {
		return g.refuse("type", at, "CWE-1284", "tensor %q is of the unknown type %d", name, kind)
	}
	high, total := bits.Mul64(count/block, size)
	switch {
	case overflow || high != 0:
		return g.refuse("dimensions", at, "CWE-190", "the dimensions of tensor %q overflow", name)
	case first%block != 0:
		g.deceive("dimensions", at, "CWE-131", "rows of %d elements of tensor %q do not fill blocks of %d", first, name, block)
	case from%g.alignment != 0:
		g.deceive("alignment", at, "CWE-1284", "tensor %q begins at %d, which is no multiple of %d", name, from, g.alignment)
	}
	g.tensors = append(g.tensors, tensor{from, total, at})
	return g.hold(40)
}

// data accounts for what follows the descriptions.
func (g *reader) data() error {
	end := g.r.Offset()
	from := (end + int64(g.alignment) - 1) / int64(g.alignment) * int64(g.alignment)
	g.out.Structured(0, end)
	if from > g.in.Size {
		if len(g.tensors) > 0 {
			return scan.Problemf("gguf/truncated", g.in.Size, "the data are missing")
		}
		return nil
	}
	slices.SortFunc(g.tensors, func(a, b tensor) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.n, b.n)) })
	at, size := uint64(0), uint64(g.in.Size-from)
	if err := g.gap(end, from); err != nil {
		return err
	}
	for _, t := range g.tensors {
		if t.from > size || t.n > size-t.from {
			g.deceive("range", t.at, "CWE-125", "a tensor of %d bytes at %d goes past the end of %d bytes of data", t.n, t.from, size)
			return scan.Problemf("gguf/truncated", g.in.Size, "the data of a tensor are missing")
		}
		if t.from < at && t.n > 0 {
			g.deceive("overlap", t.at, "CWE-436", "a tensor begins at %d, before the last one ends at %d", t.from, at)
		}
		if t.from > at {
			if err := g.gap(from+int64(at), from+int64(t.from)); err != nil {
				return err
			}
		}
		g.out.Opaque(from+int64(t.from), int64(t.n))
		at = max(at, t.from+t.n)
	}
	return g.gap(from+int64(at), g.in.Size)
}

// gap is padding where it is short and of zeros.
func (g *reader) gap(from, to int64) error {
	if from >= to {
		return nil
	}
	r := window.New(g.in, from, to)
	for r.Left() > 0 {
		if err := g.out.Spend(g.ctx, 64<<10); err != nil {
			return err
		}
		b := r.Peek(64 << 10)
		if len(b) == 0 || len(bytes.TrimLeft(b, "\x00")) > 0 {
			g.deceive("hidden-bytes", from, "CWE-436", "%d bytes belong to no tensor", to-from)
			return nil
		}
		r.Skip(uint64(len(b)))
	}
	g.out.Structured(from, to-from)
	return nil
}

// layout is how many elements a block of a type has, and its bytes (ggml.h, type traits).
func layout(kind uint32) (elements, size uint64, ok bool) {
	v, ok := map[uint32][2]uint64{
		0: {1, 4}, 1: {1, 2}, 2: {32, 18}, 3: {32, 20}, 6: {32, 22}, 7: {32, 24}, 8: {32, 34}, 9: {32, 36}, 10: {256, 84}, 11: {256, 110},
		12: {256, 144}, 13: {256, 176}, 14: {256, 210}, 15: {256, 292}, 16: {256, 66}, 17: {256, 74}, 18: {256, 98}, 19: {256, 50},
		20: {32, 18}, 21: {256, 110}, 22: {256, 82}, 23: {256, 136}, 24: {1, 1}, 25: {1, 2}, 26: {1, 4}, 27: {1, 8}, 28: {1, 8},
		29: {256, 56}, 30: {1, 2}, 34: {256, 54}, 35: {256, 66}, 39: {32, 17}, 40: {64, 36}, 41: {128, 18},
	}[kind]
	return v[0], v[1], ok
}

package treefile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/flatbuf"
	"github.com/assize/assize/internal/scan/window"
)

// catboostSchema is the tables of a model and of a table of statistics over
// categories, after CatBoost 1.2, catboost/libs/model/flatbuffers.
func catboostSchema() flatbuf.Schema {
	value := func(size int64) flatbuf.Field { return flatbuf.Field{Kind: flatbuf.Value, Size: size} }
	array := func(size int64) flatbuf.Field { return flatbuf.Field{Kind: flatbuf.Array, Size: size} }
	tables := func(of string) flatbuf.Field { return flatbuf.Field{Kind: flatbuf.Tables, Of: of} }
	table := func(of string) flatbuf.Field { return flatbuf.Field{Kind: flatbuf.Table, Of: of} }
	text := flatbuf.Field{Kind: flatbuf.Text}
	union := func(of string) flatbuf.Field { return flatbuf.Field{Kind: flatbuf.Union, Of: of} }
	feature := []flatbuf.Field{value(4), value(4), text, value(1)} // index, flat index, name, used
	return flatbuf.Schema{
		"Core":     {text, table("Trees"), tables("KeyValue"), {Kind: flatbuf.Texts}},
		"KeyValue": {text, text},
		"Trees": {
			value(4), array(4), array(4), array(4), // dimension, splits, sizes, starts
			tables("Category"), tables("Number"), tables("OneHot"), tables("Ctr"),
			array(8), array(8), array(4), array(4), // values and weights of leaves, steps, leaves of steps
			tables("Words"), tables("Estimated"), value(8), value(8), array(8), array(4), tables("Embedding"),
		},
		"Category":    feature,
		"Words":       feature,
		"Embedding":   {value(4), value(4), text, value(4), value(1)},
		"Number":      {value(1), value(4), value(4), array(4), text, value(1)},
		"Estimated":   {value(4), value(16), value(4), array(4), value(1)},
		"OneHot":      {value(4), array(4), {Kind: flatbuf.Texts}},
		"Ctr":         {table("CtrOf"), array(4)},
		"CtrOf":       {table("CtrBase"), value(4), value(4), value(4), value(4), value(4)},
		"CtrBase":     {table("Combination"), value(1), value(4)},
		"Combination": {array(4), array(8), array(8)},
		"CtrTable":    {table("CtrBase"), array(1), array(1), value(4), value(4)},

		"Part":              {value(1), value(16)},
		"TextHeader":        {array(16), array(16), array(16), tables("List"), tables("List")},
		"EmbeddingHeader":   {array(16), tables("List")},
		"List":              {array(4)},
		"TextCalcer":        {value(16), array(4), value(1), union("BM25 NaiveBayes Words-in-bag")},
		"EmbeddingCalcer":   {value(16), array(4), value(1), union("Discriminants Neighbours")},
		"BM25":              {value(4), value(4), value(4), value(4), value(8), array(8), array(8)},
		"NaiveBayes":        {value(4), value(4), value(4), value(8), array(4), array(8)},
		"Words-in-bag":      {value(4)},
		"Discriminants":     {value(4), value(4), value(4), value(1), array(4), value(1)},
		"Neighbours":        {value(4), value(4), value(4), value(4), value(1)},
		"Dictionary":        {value(4), table("DictionaryOptions"), value(4), value(4)},
		"DictionaryOptions": {value(1), value(4), value(4), value(4), value(1), value(1)},
	}
}

// CatBoost reads CatBoost's binary format.
type CatBoost struct{}

// Name implements scan.Format.
func (CatBoost) Name() string { return "catboost" }

// Sniff implements scan.Format.
func (CatBoost) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if bytes.HasPrefix(head, []byte("CBM1")) {
		return scan.Sure
	}
	return scan.No
}

// Scan implements scan.Format.
func (CatBoost) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	c := &cbm{ctx: ctx, in: in, out: out, r: window.New(in, 4, in.Size)}
	out.Structured(0, 4)
	err := c.model()
	var p *scan.Problem
	switch {
	case errors.As(err, &p), ctx.Err() != nil:
		return err
	case err != nil:
		return scan.Problemf("catboost/broken", c.r.Offset(), "%v", err)
	case c.r.Left() > 0:
		c.deceive("trailing-bytes", c.r.Offset(), "CWE-436", "%d bytes stand behind the model", c.r.Left())
	}
	return nil
}

// cbm reads one file.
type cbm struct {
	ctx context.Context
	in  *scan.Input
	out *scan.Sink
	r   *window.Reader
}

func (c *cbm) deceive(rule string, at int64, cite, evidence string, args ...any) {
	c.out.Find(scan.Finding{
		Rule: "catboost/" + rule, Outcome: scan.Dangerous, Offset: at, Evidence: fmt.Sprintf(evidence, args...), Cites: []string{cite},
		Fix: "Do not load it: loaders that believe this use memory that is not theirs. Ask for the model to be saved again.",
	})
}

// size reads a length: of four bytes, or of eight behind four that are all ones.
func (c *cbm) size() (int64, error) {
	at := c.r.Offset()
	n, err := c.r.Uint(4)
	if err != nil {
		return 0, err
	}
	if n == 1<<32-1 && c.r.Left() >= 8 {
		if n, err = c.r.Uint64(); err != nil {
			return 0, err
		}
	}
	c.out.Structured(at, c.r.Offset()-at)
	if n > uint64(c.r.Left()) {
		c.deceive("length", at, "CWE-130", "a part of %d bytes, %d are left", n, c.r.Left())
		return 0, scan.Problemf("catboost/length", at, "a part of %d bytes, %d are left", n, c.r.Left())
	}
	return int64(n), nil
}

// buffer checks a buffer of so many bytes and passes over it.
func (c *cbm) buffer(n int64, root string) (flatbuf.Object, error) {
	from := c.r.Offset()
	if err := c.r.Skip(uint64(n)); err != nil {
		return flatbuf.Object{}, err
	}
	return flatbuf.Read(c.ctx, c.in, c.out, from, from+n, catboostSchema(), root, "catboost")
}

func (c *cbm) model() error {
	n, err := c.size()
	if err != nil {
		return err
	}
	core, err := c.buffer(n, "Core")
	if err != nil {
		return err
	}
	if err := core.Objects(2, c.setting); err != nil {
		return err
	}
	if trees, ok, err := core.Object(1); err != nil {
		return err
	} else if ok {
		if err := c.trees(trees); err != nil {
			return err
		}
	}
	return core.Texts(3, func(at, n int64) error {
		name, err := window.New(c.in, at, at+n).Bytes(uint64(n), maxName)
		if err != nil {
			return err
		}
		switch strings.TrimRight(string(name), "\x00") {
		case ctrPart:
			return c.ctrs()
		case textPart:
			return c.texts()
		case embeddingPart:
			return c.embeddings()
		}
		return scan.Problemf("catboost/part", at, "a part %q that nobody knows", name)
	})
}

// setting looks into a value that is kept beside the model.
func (c *cbm) setting(o flatbuf.Object) error {
	at, n, err := o.Vector(1)
	if err != nil {
		return err
	}
	return inside(c.ctx, c.in, c.out, at, n)
}

// ctrs reads the tables of statistics over categories.
func (c *cbm) ctrs() error {
	n, err := c.size() // each takes a byte at the least, so that it is a length too
	for range n {
		if err != nil {
			return err
		}
		err = c.ctr()
	}
	return err
}

// bucketBytes is an entry of a table: the hash of a category and its place.
const bucketBytes = 12

// ctr reads one: the places of its categories are in its values.
func (c *cbm) ctr() error {
	size, err := c.size()
	if err != nil {
		return err
	}
	table, err := c.buffer(size, "CtrTable")
	if err != nil {
		return err
	}
	base, ok, err := table.Object(0)
	if err != nil {
		return err
	}
	if !ok {
		c.deceive("ctr", table.Offset(), "CWE-476", "a table of categories without a kind")
		return nil
	}
	kind, err := base.Uint(1, 1, 0)
	if err != nil {
		return err
	}
	classes, err := table.Uint(4, 4, 0)
	if err != nil {
		return err
	}
	width := uint64(4) // of a counter
	switch kind {
	case 0, 1: // of each class
		width = 4 * max(classes, 2)
	case 2, 3: // a sum and a count
		width = 8
	}
	at, n, err := table.Vector(1)
	if err != nil {
		return err
	}
	_, values, err := table.Vector(2)
	if err != nil {
		return err
	}
	if n%bucketBytes != 0 || classes > 1<<31 {
		c.deceive("ctr", at, "CWE-130", "a table of %d bytes for %d classes", n, int32(classes))
	}
	r := window.New(c.in, at, at+n-n%bucketBytes)
	for r.Left() > 0 {
		if err := c.out.Spend(c.ctx, bucketBytes); err != nil {
			return err
		}
		hash, err := r.Uint64()
		if err != nil {
			return err
		}
		place, err := r.Uint32()
		if err != nil {
			return err
		}
		if hash != 1<<64-1 && uint64(place) >= uint64(values)/width {
			c.deceive("ctr", r.Offset()-bucketBytes, "CWE-125", "a category has value %d of %d bytes each, of %d bytes", place, width, values)
			return nil
		}
	}
	return nil
}

package treefile

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/flatbuf"
)

// The names of what may follow the core. The latter two are marks too, with a zero behind.
const (
	ctrPart       = "static_provider_v1"
	textPart      = "text_process_v2"
	embeddingPart = "embed_process_1"
)

const (
	markBytes = 16
	guidBytes = 16
	cellBytes = 16 // an entry of a dictionary: hash and number of a word
)

// mark passes over the name of what follows, which is filled up with zeros.
func (c *cbm) mark(want string) func() error {
	return func() error {
		at := c.r.Offset()
		b, err := c.r.Take(markBytes)
		if err != nil {
			return err
		}
		if got := strings.TrimRight(string(b), "\x00"); got != want {
			return scan.Problemf("catboost/part", at, "%q where %q belongs", got, want)
		}
		c.out.Structured(at, markBytes)
		return nil
	}
}

// number reads an unsigned number of width bytes.
func (c *cbm) number(width int) (uint64, error) {
	at := c.r.Offset()
	n, err := c.r.Uint(width)
	if err == nil {
		c.out.Structured(at, int64(width))
	}
	return n, err
}

// steps takes one step after the other, up to the first that ends in an error.
func steps(all ...func() error) error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// values passes over n values of size bytes each.
func (c *cbm) values(n uint64, size int64) func() error {
	return func() error {
		at := c.r.Offset()
		if n > uint64(c.r.Left()/size) {
			return scan.Problemf("catboost/length", at, "%d values of %d bytes, %d bytes are left", n, size, c.r.Left())
		}
		c.out.Opaque(at, int64(n)*size)
		return c.r.Skip(n * uint64(size))
	}
}

// list passes over values behind their count.
func (c *cbm) list(size int64) func() error {
	return func() error {
		n, err := c.size()
		if err != nil {
			return err
		}
		return c.values(uint64(n), size)()
	}
}

// long reads a buffer behind its length of eight bytes.
func (c *cbm) long(root string) (flatbuf.Object, error) {
	at := c.r.Offset()
	n, err := c.number(8)
	if err != nil {
		return flatbuf.Object{}, err
	}
	return c.sized(at, n, root)
}

// sized reads a buffer of n bytes, whose length stands at a place.
func (c *cbm) sized(at int64, n uint64, root string) (flatbuf.Object, error) {
	if n > uint64(c.r.Left()) {
		c.deceive("length", at, "CWE-130", "a part of %d bytes, %d are left", n, c.r.Left())
		return flatbuf.Object{}, scan.Problemf("catboost/length", at, "a part of %d bytes, %d are left", n, c.r.Left())
	}
	return c.buffer(int64(n), root)
}

// partBytes is a table that says what follows. Versions up to 1.2 left the one before in the bytes behind it.
const partBytes = 36

// part reads the table that says what follows.
func (c *cbm) part() (flatbuf.Object, error) {
	at := c.r.Offset()
	n, err := c.number(8)
	if err != nil {
		return flatbuf.Object{}, err
	}
	if n <= partBytes || n > 2*partBytes {
		return c.sized(at, n, "Part")
	}
	part, err := c.buffer(partBytes, "Part")
	if err == nil {
		_, err = c.buffer(int64(n)-partBytes, "Part")
	}
	return part, err
}

// texts reads what was learnt of texts: how they are cut into words, the words and their numbers.
func (c *cbm) texts() error {
	if err := c.mark(textPart)(); err != nil {
		return err
	}
	header, err := c.long("TextHeader")
	if err != nil {
		return err
	}
	var have [3]int64 // of what the header lists, in its order
	for {
		part, err := c.part()
		if err != nil {
			return err
		}
		kind, err := part.Uint(0, 1, 0)
		if err != nil {
			return err
		}
		switch kind {
		case 0:
			err = c.tokenizer()
		case 1:
			err = c.dictionary()
		case 2:
			err = c.calcer("FeatureCalcerV1", "TextCalcer")
		case 3:
			return c.listed(header, have[:])
		default:
			err = fmt.Errorf("a part of texts of kind %d", kind)
		}
		if err != nil {
			return err
		}
		have[kind]++
	}
}

// listed checks that what a header lists is there, kind by kind: loaders use it unseen.
func (c *cbm) listed(header flatbuf.Object, have []int64) error {
	for i, got := range have {
		_, n, err := header.Vector(i)
		if err != nil {
			return err
		}
		if n != got {
			c.deceive("parts", header.Offset(), "CWE-476", "%d parts of kind %d are listed, %d are there", n, i, got)
		}
	}
	return nil
}

// tokenizer passes over settings of how text is cut into words.
func (c *cbm) tokenizer() error {
	word := func() error {
		n, err := c.size()
		if err != nil {
			return err
		}
		at := c.r.Offset()
		c.out.Structured(at, n)
		if err := c.r.Skip(uint64(n)); err != nil {
			return err
		}
		return inside(c.ctx, c.in, c.out, at, n)
	}
	plain := func(n int64) func() error { return c.values(1, n) }
	return steps(c.mark("TokenizerV1"), plain(guidBytes+2+4), word, plain(4), word, plain(2), c.list(4), plain(4), c.list(4))
}

// dictionary passes over words, which are kept by their hashes.
func (c *cbm) dictionary() error {
	if err := steps(c.mark("DictionaryV1"), c.values(guidBytes, 1), c.mark("MMapDictionary")); err != nil {
		return err
	}
	at := c.r.Offset()
	total, err := c.number(8)
	if err != nil {
		return err
	}
	if _, err := c.long("Dictionary"); err != nil {
		return err
	}
	for tables := 0; uint64(c.r.Offset()-at) < total; tables++ { // of words, and of groups of them
		n, err := c.number(8)
		if err != nil {
			return err
		}
		if n == 0 || n%cellBytes != 0 || n&(n-1) != 0 || tables > 1 {
			c.deceive("dictionary", c.r.Offset()-8, "CWE-125", "table %d of a dictionary has %d bytes", tables, n)
			return fmt.Errorf("table %d of a dictionary has %d bytes", tables, n)
		}
		if err := steps(c.values(1, 8), c.values(n, 1)); err != nil {
			return err
		}
	}
	return nil
}

// embeddings reads what was learnt of embeddings, up to the end of the file.
func (c *cbm) embeddings() error {
	if err := c.mark(embeddingPart)(); err != nil {
		return err
	}
	header, err := c.long("EmbeddingHeader")
	if err != nil {
		return err
	}
	n := int64(0)
	for ; c.r.Left() > 0; n++ {
		part, err := c.part()
		if err != nil {
			return err
		}
		kind, err := part.Uint(0, 1, 0)
		if err != nil {
			return err
		}
		if kind != 0 {
			return fmt.Errorf("a part of embeddings of kind %d", kind)
		}
		if err := c.calcer("EmbedCalcerV1", "EmbeddingCalcer"); err != nil {
			return err
		}
	}
	return c.listed(header, []int64{n})
}

// calcer reads what makes numbers of a text or an embedding.
func (c *cbm) calcer(mark, root string) error {
	if err := c.mark(mark)(); err != nil {
		return err
	}
	at := c.r.Offset()
	kind, err := c.number(4)
	if err != nil {
		return err
	}
	table, err := c.long(root)
	if err != nil {
		return err
	}
	chosen, err := table.Uint(2, 1, 0)
	if err != nil {
		return err
	}
	// The kinds: words, naive Bayes, BM25, linear discriminants, neighbours.
	if want := map[uint64]uint64{0: 3, 1: 2, 2: 1, 3: 1, 4: 2}; want[kind] != chosen || kind > 4 || (kind > 2) != (root == "EmbeddingCalcer") {
		c.deceive("calcer", at, "CWE-843", "a calculation of kind %d with settings of kind %d", kind, chosen)
		return fmt.Errorf("a calculation of kind %d with settings of kind %d", kind, chosen)
	}
	switch kind {
	case 1, 2:
		n, err := c.size()
		for range n {
			if err != nil {
				return err
			}
			err = c.frequencies()
		}
		return err
	case 4: // targets, the index of neighbours, the embeddings
		return steps(c.list(4), c.list(1), c.list(4))
	}
	return nil
}

// frequencies reads the counts of words, in a table whose mask loaders believe.
func (c *cbm) frequencies() error {
	at := c.r.Offset()
	mask, err := c.number(8)
	if err != nil {
		return err
	}
	filled, err := c.number(8)
	if err != nil {
		return err
	}
	if err := c.values(1, 8)(); err != nil {
		return err
	}
	n, err := c.size()
	if err != nil {
		return err
	}
	if mask+1 != uint64(n) || n&(n-1) != 0 || filled >= uint64(n) {
		c.deceive("frequencies", at, "CWE-125", "a table of %d counts with the mask %#x, %d are used", n, mask, filled)
	}
	return steps(c.values(uint64(n), 8), c.values(2, 4))
}

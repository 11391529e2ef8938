package savedmodel

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/window"
	"github.com/assize/assize/internal/scan/wire"
)

// tableMark ends a sorted table of LevelDB, which the index of variables is.
const tableMark = 0xdb4775248b80fb57

const (
	footerBytes  = 48
	trailerBytes = 5
	maxBlock     = 64 << 20
)

// Index reads variables.index.
type Index struct{}

// Name implements scan.Format.
func (Index) Name() string { return "tensorflow-index" }

// Sniff implements scan.Format.
func (Index) Sniff(_ []byte, in *scan.Input) scan.Confidence {
	b := make([]byte, 8)
	if in.Size < footerBytes {
		return scan.No
	}
	if _, err := in.ReadAt(b, in.Size-8); err != nil || binary.LittleEndian.Uint64(b) != tableMark {
		return scan.No
	}
	return scan.Sure
}

// Scan implements scan.Format.
func (Index) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	return readIndex(ctx, in, out, true, nil)
}

// readIndex reads an index and calls visit, where there is one, with every variable.
// Own says that out speaks of the index itself.
func readIndex(ctx context.Context, in *scan.Input, out *scan.Sink, own bool, visit func(key, value []byte) error) error {
	w, err := newWalker(ctx, in, out)
	if err != nil {
		return err
	}
	w.silent = !own
	r := window.New(in, in.Size-footerBytes, in.Size)
	footer, err := r.Take(footerBytes)
	if err != nil {
		return err
	}
	w.structured(in.Size-footerBytes, footerBytes)
	footer = bytes.Clone(footer)
	meta, rest, err := handle(footer)
	if err != nil {
		return err
	}
	index, _, err := handle(rest)
	if err != nil {
		return err
	}
	if err := w.block(meta, func(_, _ []byte) error { return nil }); err != nil {
		return err
	}
	return w.block(index, func(_, value []byte) error {
		data, _, err := handle(value)
		if err != nil {
			return err
		}
		return w.block(data, func(key, value []byte) error {
			if err := w.entry(key, value); err != nil || visit == nil || len(key) == 0 {
				return err
			}
			return visit(key, value)
		})
	})
}

// structured says that bytes were understood, where they are of the file that is reported.
func (w *walker) structured(at, n int64) {
	if !w.silent {
		w.out.Structured(at, n)
	}
}

// place is a block of the table.
type place struct{ at, n uint64 }

func handle(b []byte) (place, []byte, error) {
	at, k := binary.Uvarint(b)
	if k <= 0 {
		return place{}, nil, scan.Problemf("savedmodel/index", 0, "a place that does not end")
	}
	n, j := binary.Uvarint(b[k:])
	if j <= 0 {
		return place{}, nil, scan.Problemf("savedmodel/index", 0, "a place that does not end")
	}
	return place{at, n}, b[k+j:], nil
}

// block reads keys and values, whose keys share their beginnings, and checks the sum.
func (w *walker) block(p place, visit func(key, value []byte) error) error {
	broken := func(why string) error { return scan.Problemf("savedmodel/index", int64(min(p.at, 1<<62)), "%s", why) }
	if p.at > uint64(w.in.Size) || p.n > uint64(w.in.Size)-p.at || p.n > maxBlock {
		return broken(fmt.Sprintf("a block of %d bytes at %d", p.n, p.at))
	}
	if err := w.out.Hold(int64(p.n)); err != nil {
		return err
	}
	defer w.out.Hold(-int64(p.n))
	b, err := window.New(w.in, int64(p.at), w.in.Size).Bytes(p.n+trailerBytes, maxBlock+trailerBytes)
	if err != nil {
		return err
	}
	w.structured(int64(p.at), int64(len(b)))
	if err := w.out.Spend(w.ctx, int64(len(b))); err != nil {
		return err
	}
	sum := crc32.Checksum(b[:p.n+1], crc32.MakeTable(crc32.Castagnoli))
	if masked := sum>>15 | sum<<17; masked+0xa282ead8 != binary.LittleEndian.Uint32(b[p.n+1:]) {
		return broken("the checksum of a block is wrong")
	}
	if b[p.n] != 0 {
		return broken("compressed blocks are not supported")
	}
	b = b[:p.n]
	if len(b) < 4 {
		return broken("a block without an end")
	}
	restarts := uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))
	if restarts*4+4 > uint64(len(b)) {
		return broken("a block of more starts than bytes")
	}
	b = b[:uint64(len(b))-4-4*restarts]
	var key []byte
	for len(b) > 0 {
		var n [3]uint64
		for i := range n {
			v, k := binary.Uvarint(b)
			if k <= 0 {
				return broken("a length that does not end")
			}
			n[i], b = v, b[k:]
		}
		if n[0] > uint64(len(key)) || n[1] > uint64(len(b)) || n[2] > uint64(len(b))-n[1] {
			return broken("an entry that goes past its block")
		}
		key = append(key[:n[0]:n[0]], b[:n[1]]...)
		if err := visit(key, b[n[1]:n[1]+n[2]]); err != nil {
			return err
		}
		b = b[n[1]+n[2]:]
	}
	return nil
}

// entry checks where a variable is said to lie: in the shards beside the index, from 0 on.
func (w *walker) entry(key, value []byte) error {
	if len(key) == 0 {
		return nil
	}
	err := wire.Each(bytes.NewReader(value), 0, int64(len(value)), func(f wire.Field) error {
		if f.Num < 1 || f.Num > 7 {
			return scan.Problemf("savedmodel/index", 0, "the variable %.100q has a field that nobody knows", key)
		}
		if (f.Num == 4 || f.Num == 5) && int64(f.Value) < 0 {
			w.out.Find(scan.Finding{
				Rule: "savedmodel/range", Outcome: scan.Dangerous, Evidence: fmt.Sprintf("the variable %.100q lies at a negative place", key), Cites: []string{"CWE-129"},
				Fix: "Do not load it. Ask for the model to be saved again.",
			})
		}
		return nil
	})
	return err
}

// Fingerprint reads fingerprint.pb: five numbers and a version.
type Fingerprint struct{}

// Name implements scan.Format.
func (Fingerprint) Name() string { return "tensorflow-fingerprint" }

// Sniff implements scan.Format.
func (Fingerprint) Sniff(head []byte, in *scan.Input) scan.Confidence {
	if in.Size > 1024 || len(head) < 8 || head[0] != 8 {
		return scan.No
	}
	seen := 0
	err := wire.Each(in, 0, in.Size, func(f wire.Field) error {
		if f.Num < 1 || f.Num > 7 || (f.Num < 6) != (f.Type == wire.Varint) {
			return fmt.Errorf("another message")
		}
		seen |= 1 << f.Num
		return nil
	})
	if err == nil && seen&0b111110 == 0b111110 {
		return scan.Sure
	}
	return scan.No
}

// Scan implements scan.Format.
func (Fingerprint) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	w, err := newWalker(ctx, in, out)
	if err != nil {
		return err
	}
	return w.file("FingerprintDef")
}

// Metadata reads keras_metadata.pb.
type Metadata struct{}

// Name implements scan.Format.
func (Metadata) Name() string { return "keras-metadata" }

// Sniff implements scan.Format.
func (Metadata) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if len(head) > 16 && head[0] == 0x0a && bytes.Contains(head, []byte("_tf_keras_")) && !bytes.Contains(head, []byte("serve")) {
		return scan.Sure
	}
	return scan.No
}

// Scan implements scan.Format.
func (Metadata) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	w, err := newWalker(ctx, in, out)
	if err != nil {
		return err
	}
	return w.file("SavedMetadata")
}

package savedmodel

import (
	"context"
	"io"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/wire"
)

// Frozen reads a graph that stands alone, as TensorFlow 1 froze them.
type Frozen struct{}

// Name implements scan.Format.
func (Frozen) Name() string { return "tensorflow-graph" }

// Sniff implements scan.Format: the first node names an operator of TensorFlow.
func (Frozen) Sniff(head []byte, in *scan.Input) scan.Confidence {
	if len(head) < 8 || head[0] != 0x0a {
		return scan.No
	}
	op := ""
	wire.Each(in, 0, in.Size, func(node wire.Field) error {
		if node.Num != 1 || node.Type != wire.Bytes {
			return io.EOF
		}
		wire.Each(in, node.From, node.To, func(f wire.Field) error {
			if f.Num == 1 && f.Type == wire.Bytes {
				return nil
			}
			if f.Num == 2 && f.Type == wire.Bytes {
				op, _ = wire.Text(in, f, 200)
			}
			return io.EOF
		})
		return io.EOF
	})
	if op == "" {
		return scan.No
	}
	if w, err := newWalker(context.Background(), in, nil); err == nil && (w.vetted[op] || w.denied[op] != "") {
		return scan.Sure
	}
	return scan.No
}

// Scan implements scan.Format.
func (Frozen) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	w, err := newWalker(ctx, in, out)
	if err != nil {
		return err
	}
	return w.file("GraphDef")
}

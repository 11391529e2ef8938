package savedmodel

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/wire"
)

// shardName is what TensorFlow calls a file with the values of variables.
var shardName = regexp.MustCompile(`^(.+)\.data-([0-9]{5})-of-[0-9]{5}$`)

// Shard reads the values of variables. They have no mark of their own: what they are
// is told by the index beside them, and what it does not speak of is unread.
type Shard struct{}

// Name implements scan.Format.
func (Shard) Name() string { return "tensorflow-variables" }

// Sniff implements scan.Format.
func (Shard) Sniff(_ []byte, in *scan.Input) scan.Confidence {
	m := shardName.FindStringSubmatch(filepath.Base(in.Path))
	if m == nil {
		return scan.No
	}
	f, _, err := in.Sibling(m[1] + ".index")
	if err != nil {
		return scan.No
	}
	f.Close()
	return scan.Possible
}

// Scan implements scan.Format.
func (Shard) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	m := shardName.FindStringSubmatch(filepath.Base(in.Path))
	f, size, err := in.Sibling(m[1] + ".index")
	if err != nil {
		return err
	}
	defer f.Close()
	index := &scan.Input{ReaderAt: f, Path: m[1] + ".index", Size: size}
	if (Index{}).Sniff(nil, index) != scan.Sure {
		return scan.ErrOther
	}
	number, err := strconv.Atoi(m[2])
	if err != nil {
		return err
	}
	return readIndex(ctx, index, out, false, func(_, value []byte) error {
		var field [8]uint64
		err := wire.Each(bytes.NewReader(value), 0, int64(len(value)), func(f wire.Field) error {
			if f.Num < len(field) {
				field[f.Num] = f.Value
			}
			return nil
		})
		if err == nil && field[3] == uint64(number) && field[4] <= uint64(in.Size) && field[5] <= uint64(in.Size)-field[4] {
			out.Opaque(int64(field[4]), int64(field[5]))
		}
		return err
	})
}

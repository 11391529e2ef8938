package wire_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/scan/wire"
)

func TestEach(t *testing.T) {
	var b []byte
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), 1<<63)
	b = protowire.AppendBytes(protowire.AppendTag(b, 2000, protowire.BytesType), bytes.Repeat([]byte("x"), 300))
	b = protowire.AppendFixed32(protowire.AppendTag(b, 3, protowire.Fixed32Type), 7)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 4, protowire.Fixed64Type), 8)
	var got []wire.Field
	in := bytes.NewReader(append([]byte("head"), b...))
	if err := wire.Each(in, 4, in.Size(), func(f wire.Field) error { got = append(got, f); return nil }); err != nil || len(got) != 4 {
		t.Fatalf("%d fields, %v", len(got), err)
	}
	if got[0].Value != 1<<63 || got[1].Num != 2000 || got[1].Len() != 300 || got[2].Value != 7 || got[3].Value != 8 || got[3].To != in.Size() {
		t.Errorf("fields %+v", got)
	}
	if s, err := wire.Text(in, got[1], 300); err != nil || len(s) != 300 {
		t.Errorf("text of %d bytes, %v", len(s), err)
	}
	if _, err := wire.Text(in, got[1], 299); err == nil {
		t.Error("a text over the limit is read")
	}
}

func none(wire.Field) error { return nil }

// FuzzEach accepts what protowire accepts, groups apart.
func FuzzEach(f *testing.F) {
	f.Add([]byte("\x08\x01\x12\x02ab"))
	f.Add([]byte("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add([]byte("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add([]byte("\x00"))
	f.Add([]byte("\x80\xff\xff\xff\x10\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		err := wire.Each(bytes.NewReader(b), 0, int64(len(b)), none)
		ok := true
		for rest := b; len(rest) > 0 && ok; {
			num, typ, n := protowire.ConsumeField(rest)
			ok = n > 0 && typ != protowire.StartGroupType && num <= protowire.MaxValidNumber // which protowire lets pass
			rest = rest[max(n, 0):]
		}
		if ok != (err == nil) {
			t.Errorf("%x: error %v, protowire takes it: %v", b, err, ok)
		}
	})
}

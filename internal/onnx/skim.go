package onnx

import (
	"encoding/binary"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/scan/window"
	"github.com/assize/assize/internal/scan/wire"
)

// Span is bytes From up to To of a file.
type Span struct{ From, To int64 }

// Len is the number of bytes.
func (s Span) Len() int64 { return s.To - s.From }

// Meter counts what a Skim is about to take; an error of it ends the Skim.
type Meter struct {
	Hold  func(bytes int64) error // memory, fewer where bytes is negative; what is held at the end is the model's
	Spend func(steps int64) error // fields and bytes that are read
}

// Skimmed is a model whose arrays stay in the file. Tensors say in RawAt, PackedAt and
// PackedBytes where and how long their data are; attributes lack their lists of numbers.
//
// The counts account for every byte up to End, so that bytes which no reader looks at,
// where something can be hidden, show as a number:
//
//   - Structured: tags, lengths and numbers of known messages;
//   - Opaque: the content of known strings and tensor data;
//   - Unread: fields that onnx-ml.proto does not know, strings and data that
//     a later occurrence of the same field replaces, and tensor data beyond
//     what shape and type call for or beside data that are in another file.
type Skimmed struct {
	Model                      *Model
	End                        int64 // where fields of protocol buffers end; what follows them is no part of the model
	Structured, Opaque, Unread int64
}

// messageBytes is what a decoded message takes in memory beside its strings, at most on average.
const messageBytes = 400

// Skim reads the model in the first size bytes of a file in one pass, in memory that does not
// grow with its arrays. Errors are those of Read, and what the meter says.
func Skim(in io.ReaderAt, size int64, lim Limits, meter Meter) (*Skimmed, error) {
	head := make([]byte, min(size, SniffBytes))
	if n, err := in.ReadAt(head, 0); n < len(head) {
		return nil, fmt.Errorf("read model: %w", err)
	}
	if err := recognise("model", head); err != nil {
		return nil, err
	}
	if size > lim.MaxBytes {
		return nil, tooLarge("model", size, lim)
	}
	s := &skimmer{in: window.New(in, 0, size), lim: lim, meter: meter}
	err := s.message("Model", size, lim.MaxDepth)
	var m *Model
	if err == nil {
		m, err = (&decoder{lim: lim, skimmed: true}).model(s.out)
	}
	if err != nil {
		return nil, fmt.Errorf("read %q: %w\nhint: the file is truncated, damaged or not ONNX; export or copy it again", "model", err)
	}
	return &Skimmed{m, s.end, s.structured, s.opaque, s.unread}, nil
}

// skimmer copies the file's messages without their arrays. Where data of a tensor stood
// there is a reference, 16 bytes with From and To, for all of them, however short: so
// nothing in the file can pass for one.
type skimmer struct {
	in                         *window.Reader
	lim                        Limits
	meter                      Meter
	out                        []byte
	messages                   int
	end                        int64
	structured, opaque, unread int64
}

// room makes room for n bytes more of the copy, whose strings are copied once more when it is decoded.
func (s *skimmer) room(n int64) error {
	old := int64(cap(s.out))
	if int64(len(s.out))+n <= old {
		return nil
	}
	next := max(2*old, int64(len(s.out))+n, 4096)
	if err := s.meter.Hold(2 * next); err != nil {
		return err
	}
	s.out = append(make([]byte, 0, next), s.out...)
	return s.meter.Hold(-2 * old)
}

// message copies and accounts for the message that goes to end.
func (s *skimmer) message(name message, end int64, depth int) error {
	if depth == 0 {
		return fmt.Errorf("messages nest deeper than %d", s.lim.MaxDepth)
	}
	if s.messages++; s.messages > s.lim.MaxMessages {
		return fmt.Errorf("more than %d messages", s.lim.MaxMessages)
	}
	if err := s.meter.Hold(messageBytes); err != nil {
		return err
	}
	begun := len(s.out)
	var last [32]int64 // bytes of the last occurrence of a single string or number
	graph := false
	for s.in.Offset() < end {
		at := s.in.Offset()
		f, err := wire.Next(s.in)
		if err == nil && f.To > end {
			err = fmt.Errorf("field %d claims %d bytes, %d are left", f.Num, f.Len(), end-f.From)
		}
		if err != nil && name == "Model" && graph { // a model with something behind it
			s.end = at
			return nil
		}
		if err == nil {
			graph = graph || f.Num == 7
			err = s.field(name, f, &last, depth)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	s.end = end
	if name == "Tensor" {
		s.surplus(s.out[begun:])
	}
	return nil
}

// field accounts for one field, and copies it unless it holds an array.
func (s *skimmer) field(name message, f wire.Field, last *[32]int64, depth int) error {
	if err := s.meter.Spend(1); err != nil {
		return err
	}
	kind := schema[name][protowire.Number(f.Num)]
	isBytes := f.Type == wire.Bytes
	size, content := f.To-f.Start, int64(0)
	if isBytes {
		content = f.Len()
	}
	switch {
	case f.Type == wire.Fixed64 && kind != opaques,
		kind == "", kind == number && isBytes, kind == opaque && !isBytes:
		s.unread += size
	case kind == number:
		s.structured, s.unread = s.structured+size-last[f.Num], s.unread+last[f.Num]
		last[f.Num] = size
	case kind == opaque:
		s.opaque, s.unread = s.opaque+content-last[f.Num], s.unread+last[f.Num]
		s.structured += size - content
		last[f.Num] = content
	case kind == numbers:
		s.structured += size
		if err := s.meter.Hold(16 * (content + 1)); err != nil { // a byte may be a number
			return err
		}
	case kind == opaques:
		s.structured += size - content
		s.opaque += content
	case !isBytes: // a message's field with a number in it
		s.unread += size
	default:
		s.structured += size - content
		return s.inner(kind, f, depth)
	}
	switch {
	case name == "Attribute" && (f.Num == 7 || f.Num == 8):
		return s.skip(f)
	case name == "Tensor" && isBytes && (f.Num == 9 || f.Num == inFloat || f.Num == inDouble):
		if err := s.room(32); err != nil {
			return err
		}
		s.out = protowire.AppendTag(s.out, protowire.Number(f.Num), protowire.BytesType)
		s.out = append(s.out, 16)
		s.out = binary.LittleEndian.AppendUint64(s.out, uint64(f.From))
		s.out = binary.LittleEndian.AppendUint64(s.out, uint64(f.To))
		return s.skip(f)
	}
	return s.copy(f)
}

// lengthBytes is how many bytes the length of a copied message takes, which is known
// when the message is copied: a varint may have leading zeros.
const lengthBytes = 5

func (s *skimmer) inner(kind message, f wire.Field, depth int) error {
	if err := s.room(16); err != nil {
		return err
	}
	s.out = protowire.AppendTag(s.out, protowire.Number(f.Num), protowire.BytesType)
	at := len(s.out)
	s.out = append(s.out, make([]byte, lengthBytes)...)
	if err := s.message(kind, f.To, depth-1); err != nil {
		return err
	}
	n := len(s.out) - at - lengthBytes
	for i := range lengthBytes {
		s.out[at+i] = byte(n>>(7*i))&0x7f | 0x80
	}
	s.out[at+lengthBytes-1] &= 0x7f
	return nil
}

func (s *skimmer) skip(f wire.Field) error {
	if f.Type != wire.Bytes {
		return nil // Next took it
	}
	return s.in.Skip(uint64(f.Len()))
}

// copy copies a field as it is.
func (s *skimmer) copy(f wire.Field) error {
	content := int64(0)
	if f.Type == wire.Bytes {
		content = f.Len()
	}
	if err := s.room(24 + content); err != nil {
		return err
	}
	s.out = protowire.AppendTag(s.out, protowire.Number(f.Num), protowire.Type(f.Type))
	switch f.Type {
	case wire.Varint:
		s.out = protowire.AppendVarint(s.out, f.Value)
	case wire.Fixed32:
		s.out = protowire.AppendFixed32(s.out, uint32(f.Value))
	case wire.Fixed64:
		s.out = protowire.AppendFixed64(s.out, f.Value)
	default:
		s.out = protowire.AppendVarint(s.out, uint64(content))
		to := s.out[len(s.out) : len(s.out)+int(content)]
		if _, err := io.ReadFull(s.in, to); err != nil {
			return fmt.Errorf("field %d: %w", f.Num, err)
		}
		s.out = s.out[:len(s.out)+int(content)]
		return s.meter.Spend(content)
	}
	return nil
}

// surplus moves the data that a tensor does not use from opaque to unread:
// raw data beyond the shape, typed data beside raw data, and either beside
// data in another file.
func (s *skimmer) surplus(copied []byte) {
	t, err := (&decoder{lim: DefaultLimits(), skimmed: true}).tensor(copied)
	if err != nil {
		return // the model is refused
	}
	raw, typed := t.RawBytes(), t.DataBytes()
	extra := int64(0)
	if n, err := t.Len(); err == nil && t.Type.Bits() > 0 && n/64 <= raw {
		extra = max(0, raw-(n*t.Type.Bits()+7)/8)
	}
	if t.HasRaw {
		extra += typed
	}
	if t.Location != 0 {
		extra = raw + typed
	}
	s.opaque -= extra
	s.unread += extra
}

// reference decodes what stands in place of data.
func reference(b []byte) (Span, error) {
	if len(b) != 16 {
		return Span{}, fmt.Errorf("a reference of %d bytes", len(b))
	}
	return Span{int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint64(b[8:]))}, nil
}

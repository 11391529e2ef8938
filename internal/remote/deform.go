package remote

import (
	"bytes"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/model"
)

// deformed is a request after what a question asks to be done to it. No body is longer than rawBytes more
// than it was. A body of protobuf has not got its length in front yet.
func deformed(kind string, m message, protobuf bool) message {
	text := func(json string, proto []byte) []byte {
		if protobuf {
			return proto
		}
		return []byte(json)
	}
	switch kind {
	case model.WireCutShort:
		m.body = m.body[:len(m.body)/2]
	case model.WireEmpty:
		m.body = nil
	case model.WireText:
		m.body = []byte("<?xml version=\"1.0\"?><rows>1</rows>\x00")
	case model.WireOtherType:
		m.contentType = "text/plain"
	case model.WirePadded:
		unknown := protowire.AppendBytes(protowire.AppendTag(nil, 1000, protowire.BytesType), make([]byte, rawBytes-16))
		m.body = slices.Concat(m.body, text(strings.Repeat(" ", rawBytes), unknown))
	case model.WireNested:
		group := protowire.AppendTag(nil, 15, protowire.StartGroupType)
		m.body = text(strings.Repeat("[", rawBytes), bytes.Repeat(group, rawBytes/len(group)))
	case model.WireLongNumber:
		varint := slices.Concat(protowire.AppendTag(nil, 1, protowire.VarintType), bytes.Repeat([]byte{0xff}, rawBytes-2))
		m.body = text(`{"id": 1`+strings.Repeat("0", rawBytes-9)+"}", varint)
	}
	return m
}

// deforms tells whether a kind is one that deformed knows.
func deforms(kind string) bool {
	return slices.Contains([]string{
		model.WireCutShort, model.WireEmpty, model.WireText, model.WireOtherType, model.WirePadded, model.WireNested, model.WireLongNumber,
	}, kind)
}

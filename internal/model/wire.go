package model

import (
	"context"

	"github.com/assize/assize/internal/onnx/ort"
)

// What is done to a well-formed request of a served model on its way out. In JSON and in
// protobuf each has the form that the parser there must survive.
const (
	WireCutShort   = "cut-short"   // the body ends in its middle
	WireEmpty      = "empty"       // there is no body
	WireText       = "text"        // the body is of another language
	WireOtherType  = "other-type"  // the header says that the body is plain text
	WirePadded     = "padded"      // much that means nothing stands behind the data
	WireNested     = "nested"      // lists in lists, without an end
	WireLongNumber = "long-number" // a number of very many digits
)

// Wired puts rows as Raw does, in a request that the way there damages. ErrNoRaw means
// that the model is not served.
func (m *Model) Wired(ctx context.Context, kind string, t *ort.Tensor) (*RawAnswer, error) {
	if m.asks == nil {
		return nil, ErrNoRaw
	}
	*m.queries++
	return m.asks.raw(ctx, t, kind)
}

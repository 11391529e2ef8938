package remote

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/model"
)

// grpc is the Open Inference Protocol over gRPC. A call is one HTTP/2 request
// with a length before each message and the status in the trailer, which net/http
// speaks by itself; nothing else of gRPC is needed here.
type grpc struct{ *Client }

// The status codes of gRPC that are told apart.
const (
	codeInvalidArgument    = 3
	codeDeadlineExceeded   = 4
	codeNotFound           = 5
	codePermissionDenied   = 7
	codeResourceExhausted  = 8
	codeFailedPrecondition = 9
	codeAborted            = 10
	codeOutOfRange         = 11
	codeUnimplemented      = 12
	codeInternal           = 13
	codeUnknown            = 2
	codeUnavailable        = 14
	codeUnauthenticated    = 16
)

// invoke makes a unary call with a message of protobuf.
func (g *grpc) invoke(ctx context.Context, method string, m message) ([]byte, *failure) {
	m.method, m.address = http.MethodPost, g.base.JoinPath("inference.GRPCInferenceService", method).String()
	if m.contentType == "" {
		m.contentType = "application/grpc+proto"
	}
	m.body = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m.body))), m.body...)
	m.limit += 5
	a, f := g.call(ctx, m)
	if f != nil {
		return nil, f
	}
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "application/grpc") {
		if f := g.judge(a); f != nil {
			return nil, f
		}
		return nil, &failure{text: "it does not speak gRPC: " + g.words(a), hint: "check protocol and url under endpoint"}
	}
	status := a.trailer.Get("Grpc-Status")
	if status == "" { // an answer without a message carries it in the header
		a.trailer = a.header
		status = a.header.Get("Grpc-Status")
	}
	code, err := strconv.ParseUint(status, 10, 16)
	switch {
	case err != nil:
		return nil, &failure{do: again, text: "the server ended its answer without a status", silent: true}
	case code != 0:
		return nil, g.status(int(code), a.trailer)
	case len(a.body) < 5 || a.body[0] != 0 || int64(binary.BigEndian.Uint32(a.body[1:])) != int64(len(a.body)-5):
		return nil, notNumbers("it is not one plain message of gRPC")
	}
	return a.body[5:], nil
}

// status turns a status of gRPC into a failure.
func (g *grpc) status(code int, trailer http.Header) *failure {
	message, err := url.PathUnescape(trailer.Get("Grpc-Message"))
	if err != nil {
		message = trailer.Get("Grpc-Message")
	}
	f := &failure{text: fmt.Sprintf("gRPC status %d: %s", code, g.clean(message))}
	switch code {
	case codeInvalidArgument, codeOutOfRange, codeFailedPrecondition:
		f.do = refuse
	case codeUnavailable, codeResourceExhausted, codeAborted, codeDeadlineExceeded, codeInternal, codeUnknown:
		f.do, f.busy = again, code == codeUnavailable || code == codeResourceExhausted
	case codeNotFound, codeUnimplemented:
		f.hint = "check url, model and version under endpoint"
	case codeUnauthenticated, codePermissionDenied:
		f.hint = "name the environment variable with the credential under endpoint.headers, and set it"
	}
	f.wait = retryAfter(trailer.Get("Retry-After"), time.Now())
	return f
}

// named is a message with the model's name and version in these fields.
func (g *grpc) named(name, version protowire.Number) []byte {
	b := appendText(nil, name, g.cfg.Model)
	return appendText(b, version, g.cfg.Version)
}

func appendText(b []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendMessage(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}

// describe implements protocol.
func (g *grpc) describe(ctx context.Context) (*artefact.EndpointInfo, *failure) {
	b, f := g.invoke(ctx, "ModelReady", message{body: g.named(1, 2), limit: limitBytes})
	ready := false
	if f == nil {
		if err := fields(b, func(n protowire.Number, v value) error { ready = ready || n == 1 && v.number == 1; return nil }); err != nil {
			return nil, notNumbers(err.Error())
		}
		if !ready {
			f = &failure{do: again, text: "the server says so"}
		}
	}
	if f != nil {
		if f.do == refuse {
			f.do = again
		}
		f.text = "the model is not ready: " + f.text
		return nil, f
	}
	d := &artefact.EndpointInfo{}
	if b, f := g.invoke(ctx, "ServerMetadata", message{limit: limitBytes}); f == nil {
		var name, version string
		_ = fields(b, func(n protowire.Number, v value) error {
			switch n {
			case 1:
				name = string(v.bytes)
			case 2:
				version = string(v.bytes)
			}
			return nil
		}) // what cannot be read is left out
		d.Server = g.clean(name + " " + version)
	}
	b, f = g.invoke(ctx, "ModelMetadata", message{body: g.named(1, 2), limit: limitBytes})
	if f != nil {
		if f.do == again {
			return nil, f
		}
		return d, nil
	}
	var inputs, outputs []restTensor
	err := fields(b, func(n protowire.Number, v value) error {
		switch n {
		case 2:
			if len(d.Versions) < kept {
				d.Versions = append(d.Versions, g.clean(string(v.bytes)))
			}
		case 3:
			d.Platform = g.clean(string(v.bytes))
		case 4, 5:
			t, err := readTensor(v.bytes)
			if err != nil {
				return err
			}
			if n == 4 {
				inputs = append(inputs, t.restTensor)
			} else {
				outputs = append(outputs, t.restTensor)
			}
		}
		return nil
	})
	if err != nil {
		return nil, notNumbers(err.Error())
	}
	d.Inputs, d.Outputs = g.tensors(inputs), g.tensors(outputs)
	return d, nil
}

// infer implements protocol.
func (g *grpc) infer(ctx context.Context, q *model.Question) (*numbers, *failure) {
	input := appendText(nil, 1, g.cfg.Input)
	input = appendText(input, 2, g.typeOf(q))
	var shape []byte
	for _, n := range q.Shape {
		shape = protowire.AppendVarint(shape, uint64(n))
	}
	input = appendMessage(input, 3, shape)
	data := q.Data
	if q.Type == "BYTES" {
		for _, s := range q.Text {
			data = binary.LittleEndian.AppendUint32(data, uint32(len(s)))
			data = append(data, s...)
		}
	}
	m := appendMessage(g.named(1, 2), 5, input)
	m = appendMessage(m, 6, appendText(nil, 1, g.cfg.Output))
	m = appendMessage(m, 7, data)
	b, f := g.invoke(ctx, "ModelInfer", deformed(q.Wire, message{body: m, rows: rowsOf(q), limit: g.room(q)}, true))
	if f != nil {
		return nil, f
	}
	t, err := g.output(b)
	if err != nil {
		return nil, notNumbers(g.clean(err.Error()))
	}
	return shaped(t.values, t.Shape, q)
}

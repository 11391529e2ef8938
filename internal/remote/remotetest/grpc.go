package remotetest

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// grpc answers one call of inference.GRPCInferenceService.
func (s *Server) grpc(w http.ResponseWriter, r *http.Request, method string) {
	b, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil || len(b) < 5 || r.Header.Get("Te") != "trailers" {
		http.Error(w, "no message of gRPC", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
	var m []byte
	text := func(n protowire.Number, v string) {
		m = protowire.AppendString(protowire.AppendTag(m, n, protowire.BytesType), v)
	}
	code := 0
	switch method {
	case "ModelReady":
		m = protowire.AppendVarint(protowire.AppendTag(m, 1, protowire.VarintType), 1)
	case "ServerMetadata":
		text(1, "loopback")
		text(2, "1")
	case "ModelMetadata":
		text(1, s.Name)
		text(2, "1")
		text(3, "test")
		m = protowire.AppendBytes(protowire.AppendTag(m, 4, protowire.BytesType), tensor("in", -1, int64(s.Width)))
		m = protowire.AppendBytes(protowire.AppendTag(m, 5, protowire.BytesType), tensor("out", -1, int64(s.Columns)))
	case "ModelInfer":
		if m, err = s.infer(b[5:]); err != nil {
			code = 3
			w.Header().Set("Grpc-Message", url.PathEscape(err.Error()))
		}
	default:
		code = 12
	}
	if code == 0 {
		_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)) // a client that is gone is nobody's fault
	}
	w.Header().Set("Grpc-Status", strconv.Itoa(code))
}

func tensor(name string, shape ...int64) []byte {
	b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
	b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), "FP32")
	for _, d := range shape { // not packed, which readers must take as well
		b = protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), uint64(d))
	}
	return b
}

// each calls fn for every field that holds bytes.
func each(b []byte, fn func(n protowire.Number, v []byte)) error {
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return protowire.ParseError(size)
		}
		b = b[size:]
		if kind == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(b)
			fn(n, v)
		}
		if size = protowire.ConsumeFieldValue(n, kind, b); size < 0 {
			return protowire.ParseError(size)
		}
		b = b[size:]
	}
	return nil
}

func (s *Server) infer(b []byte) ([]byte, error) {
	var data, shape []byte
	datatype := ""
	err := each(b, func(n protowire.Number, v []byte) {
		switch n {
		case 5:
			_ = each(v, func(n protowire.Number, v []byte) {
				switch n {
				case 2:
					datatype = string(v)
				case 3:
					shape = v
				}
			}) // checked by what was found
		case 7:
			data = v
		}
	})
	rows, _ := protowire.ConsumeVarint(shape)
	if err != nil || datatype != "FP32" || len(data)%4 != 0 || len(shape) < 2 {
		return nil, fmt.Errorf("not one FP32 tensor of rows: %v, %q", err, datatype)
	}
	x := make([]float32, len(data)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	out, err := s.answer(x, int(rows))
	if err != nil {
		return nil, err
	}
	var raw []byte
	for _, v := range out {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	m := protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), tensor("out", int64(rows), int64(s.Columns)))
	return protowire.AppendBytes(protowire.AppendTag(m, 6, protowire.BytesType), raw), nil
}

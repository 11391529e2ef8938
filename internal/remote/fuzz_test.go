package remote_test

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/remote"
	"github.com/assize/assize/internal/remote/remotetest"
)

// inner appends a message as a field.
func inner(b []byte, n protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), m)
}

// FuzzAnswers gives every protocol's reader the bytes of an answer: it ends, in an
// error or in exactly the numbers that were asked for.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"outputs":[{"name":"out","datatype":"FP32","shape":[2,2],"data":[1,2.5,-3e-7,NaN]}]}`,
		`{"outputs":[{"name":"x"},{"name":"out","shape":[2,1],"data":[["a"],[true]]}]}`,
		`{"predictions":[{"scores":[1,2]},{"scores":{"a":1,"b":Infinity}}]}`,
		`{"predictions":[{"scores":"a"},{"scores":null}]}`, `[]`, `{"predictions":{"scores":1}}`,
	} {
		f.Add([]byte(s))
	}
	out := inner(nil, 1, []byte("out"))
	out = inner(inner(out, 2, []byte("FP32")), 3, []byte{2, 1})
	packed := inner(out, 5, inner(nil, 6, make([]byte, 8)))
	f.Add(inner(nil, 5, packed))
	f.Add(inner(inner(nil, 5, out), 6, make([]byte, 8)))
	f.Add(inner(inner(nil, 5, out), 6, nil))
	f.Add(inner(nil, 5, inner(out, 5, inner(nil, 8, []byte("a")))))

	var body []byte
	s := sums()
	s.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if !inference(r.URL.Path) {
			return false
		}
		if bytes.HasPrefix([]byte(r.URL.Path), []byte("/inference.")) {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Trailer", "Grpc-Status")
			_, _ = w.Write(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body)))) // the client notices
			defer w.Header().Set("Grpc-Status", "0")
		}
		_, _ = w.Write(body)
		return true
	}
	url, stop := s.Listen()
	f.Cleanup(stop)
	var clients []*remote.Client
	for _, protocol := range protocols() {
		c := config(url, protocol)
		c.Output, c.Classes, c.Retries = "out", []string{"a", "b"}, 0
		client, err := remote.New(c)
		if err != nil {
			f.Fatal(err)
		}
		clients = append(clients, client)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		body = b
		for _, client := range clients {
			got, err := client.Ask(t.Context(), question(2, 1, 2, 3, 4, 5, 6))
			if err == nil && (got.Rows != 2 || got.Columns < 1 || len(got.Data) != 4*got.Rows*got.Columns) {
				t.Errorf("got %d bytes for %d rows of %d", len(got.Data), got.Rows, got.Columns)
			}
		}
	})
}

// FuzzDescriptions does the same for what a server says of itself.
func FuzzDescriptions(f *testing.F) {
	f.Add([]byte(`{"name":"m","versions":["1"],"inputs":[{"name":"in","datatype":"FP32","shape":[-1,3]}],"outputs":[{"name":"out"}]}`))
	f.Add([]byte(`{"name":{},"inputs":7}`))
	tensor := inner(inner(inner(nil, 1, []byte("in")), 2, []byte("FP32")), 3, []byte{2, 3})
	f.Add(inner(inner(protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1), 4, tensor), 5, tensor))
	var body []byte
	s := &remotetest.Server{Name: "m", Before: func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Trailer", "Grpc-Status")
			_, _ = w.Write(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body)))) // the client notices
			defer w.Header().Set("Grpc-Status", "0")
		}
		_, _ = w.Write(body)
		return true
	}}
	url, stop := s.Listen()
	f.Cleanup(stop)
	f.Fuzz(func(t *testing.T, b []byte) {
		body = b
		for _, protocol := range []string{remote.REST, remote.GRPC} {
			c := config(url, protocol)
			c.Retries = 0
			client, err := remote.New(c)
			if err != nil {
				t.Fatal(err)
			}
			d, err := client.Describe(t.Context())
			if err == nil && (len(d.Server) > 1000 || len(d.Inputs) > 100 || remote.Width(d, "") < 0) {
				t.Errorf("got %+v", d)
			}
			client.Close()
		}
	})
}

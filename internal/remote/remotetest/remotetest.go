// Package remotetest serves a function or an ONNX model on loopback as real servers
// do: the Open Inference Protocol over HTTP and gRPC, and plain JSON.
package remotetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// Server answers rows of Width numbers with rows of Columns numbers.
type Server struct {
	Name           string // of the model
	Width, Columns int
	Predict        func(x []float32, n int) ([]float32, error)
	// Check turns rows away with status 400; nil takes all.
	Check func(row []float32) error
	// Credential must come as header Authorization where it is not empty. A refusal repeats what came.
	Credential string
	// Before may answer a request itself and then returns true; nil never does.
	Before func(w http.ResponseWriter, r *http.Request) bool

	// Rows and Calls count what was inferred.
	Rows, Calls atomic.Int64
	mu          sync.Mutex
}

// Start serves on loopback until the test ends and returns the address.
func Start(tb testing.TB, s *Server) string {
	tb.Helper()
	url, stop := s.Listen()
	tb.Cleanup(stop)
	return url
}

// Listen serves on loopback until stop is called.
func (s *Server) Listen() (url string, stop func()) {
	h := httptest.NewUnstartedServer(s)
	h.Config.Protocols = &http.Protocols{}
	h.Config.Protocols.SetHTTP1(true)
	h.Config.Protocols.SetUnencryptedHTTP2(true)
	h.Start()
	return h.URL, h.Close
}

// FromFile makes a server of an ONNX model on ONNX Runtime.
func FromFile(tb testing.TB, name, path, input, output string, shape ...int64) *Server {
	tb.Helper()
	orttest.Load(tb)
	file, err := onnx.ReadFile(context.Background(), path, onnx.DefaultLimits())
	if err != nil {
		tb.Fatal(err)
	}
	file, _ = onnx.DropZipMap(file)
	session, err := ort.NewSession(file.Bytes(), ort.Options{Outputs: []string{output}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { session.Close() })
	s := &Server{Name: name, Width: 1}
	for _, d := range shape {
		s.Width *= int(d)
	}
	s.Predict = func(x []float32, n int) ([]float32, error) {
		out, err := session.Run(context.Background(), []*ort.Tensor{{Type: onnx.Float, Shape: append([]int64{int64(n)}, shape...), Data: x}})
		if err != nil {
			return nil, err
		}
		return out[0].Data.([]float32), nil
	}
	one, err := s.Predict(make([]float32, s.Width), 1)
	if err != nil {
		tb.Fatal(err)
	}
	s.Columns = len(one)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Credential != "" && r.Header.Get("Authorization") != s.Credential {
		http.Error(w, fmt.Sprintf("unknown credential %q", r.Header.Get("Authorization")), http.StatusUnauthorized)
		return
	}
	if s.Before != nil && s.Before(w, r) {
		return
	}
	model := "/v2/models/" + s.Name
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/inference.GRPCInferenceService/"):
		s.grpc(w, r, strings.TrimPrefix(path, "/inference.GRPCInferenceService/"))
	case path == "/v2":
		write(w, map[string]any{"name": "loopback", "version": "1", "extensions": []string{}})
	case path == model+"/ready", path == model+"/versions/1/ready":
	case path == model, path == model+"/versions/1":
		write(w, map[string]any{"name": s.Name, "versions": []string{"1"}, "platform": "test",
			"inputs":  []any{map[string]any{"name": "in", "datatype": "FP32", "shape": []int{-1, s.Width}}},
			"outputs": []any{map[string]any{"name": "out", "datatype": "FP32", "shape": []int{-1, s.Columns}}}})
	case path == model+"/infer", path == model+"/versions/1/infer":
		s.rest(w, r)
	case path == "/predict":
		s.plain(w, r)
	default:
		http.NotFound(w, r)
	}
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that is gone is nobody's fault
}

// answer checks rows and predicts, one call at a time.
func (s *Server) answer(x []float32, n int) ([]float32, error) {
	if n < 1 || len(x) != n*s.Width {
		return nil, fmt.Errorf("got %d values for %d rows of %d", len(x), n, s.Width)
	}
	if s.Check != nil {
		for i := range n {
			if err := s.Check(x[i*s.Width : (i+1)*s.Width]); err != nil {
				return nil, err
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Rows.Add(int64(n))
	s.Calls.Add(1)
	return s.Predict(x, n)
}

func (s *Server) rest(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Inputs []struct {
			Name, Datatype string
			Shape          []int64
			Data           []float32
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || len(q.Inputs) != 1 || q.Inputs[0].Datatype != "FP32" || len(q.Inputs[0].Shape) < 2 {
		w.WriteHeader(http.StatusBadRequest)
		write(w, map[string]any{"error": fmt.Sprintf("not one FP32 tensor of rows: %v", err)})
		return
	}
	n := int(q.Inputs[0].Shape[0])
	out, err := s.answer(q.Inputs[0].Data, n)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		write(w, map[string]any{"error": err.Error()})
		return
	}
	write(w, map[string]any{"model_name": s.Name, "outputs": []any{map[string]any{"name": "out", "datatype": "FP32", "shape": []int{n, s.Columns}, "data": out}}})
}

// plain takes {"instances": [[…], …]} and answers {"predictions": [{"scores": […]}, …]}.
func (s *Server) plain(w http.ResponseWriter, r *http.Request) {
	var q struct{ Instances [][]float32 }
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	var x []float32
	for _, row := range q.Instances {
		x = append(x, row...)
	}
	out, err := s.answer(x, len(q.Instances))
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	predictions := make([]map[string]any, len(q.Instances))
	for i := range predictions {
		predictions[i] = map[string]any{"scores": out[i*s.Columns : (i+1)*s.Columns]}
	}
	write(w, map[string]any{"predictions": predictions})
}

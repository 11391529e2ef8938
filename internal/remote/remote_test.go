package remote_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/remote"
	"github.com/assize/assize/internal/remote/remotetest"
)

// sums answers a row with the sum of its values and the first of them.
func sums() *remotetest.Server {
	return &remotetest.Server{Name: "m", Width: 3, Columns: 2, Predict: func(x []float32, n int) ([]float32, error) {
		var out []float32
		for i := range n {
			r := x[3*i : 3*i+3]
			out = append(out, r[0]+r[1]+r[2], r[0])
		}
		return out, nil
	}}
}

// config asks the server at url by a protocol, quickly.
func config(url, protocol string) remote.Config {
	c := remote.Config{
		URL: url, Protocol: protocol, Model: "m", Row: []int{3}, Batch: 4,
		Timeout: 2 * time.Second, Retries: 2, Backoff: 2 * time.Millisecond,
	}
	if protocol == remote.JSON {
		c.URL, c.Model, c.Request, c.Response = url+"/predict", "", `{"instances": $rows}`, "predictions.*.scores"
	}
	return c
}

func protocols() []string { return []string{remote.REST, remote.GRPC, remote.JSON} }

// open makes a client that knows what is served.
func open(t *testing.T, c remote.Config) *remote.Client {
	t.Helper()
	client, err := remote.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	return client
}

func question(rows int, x ...float32) *model.Question {
	q := &model.Question{Type: "FP32", Shape: []int64{int64(rows), int64(len(x) / rows)}}
	for _, v := range x {
		q.Data = binary.LittleEndian.AppendUint32(q.Data, math.Float32bits(v))
	}
	return q
}

func numbers(b []byte) []float32 {
	var out []float32
	for ; len(b) >= 4; b = b[4:] {
		out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return out
}

func TestAsk(t *testing.T) {
	var x, want []float32
	const rows = 10
	for i := range rows {
		r := []float32{float32(i) / 7, 1e-30, -float32(i) * 1e20}
		x = append(x, r...)
		want = append(want, r[0]+r[1]+r[2], r[0])
	}
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			s := sums()
			client := open(t, config(remotetest.Start(t, s), protocol))
			got, err := client.Ask(t.Context(), question(rows, x...))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, numbers(got.Data)); d != "" {
				t.Errorf("numbers (-want +got):\n%s", d)
			}
			if got.Rows != rows || got.Columns != 2 || got.Calls != 3 || got.Retries != 0 || got.Refused != nil || s.Rows.Load() != rows {
				t.Errorf("got %d rows of %d in %d calls, %d retries, refused %v, the server saw %d", got.Rows, got.Columns, got.Calls, got.Retries, got.Refused, s.Rows.Load())
			}
		})
	}
}

// TestRefusedRows has a server that turns away whole batches for one bad row:
// each row's fate is its own.
func TestRefusedRows(t *testing.T) {
	for _, protocol := range protocols() {
		s := sums()
		s.Check = func(row []float32) error {
			if row[0] < 0 {
				return errors.New("a negative amount")
			}
			return nil
		}
		client := open(t, config(remotetest.Start(t, s), protocol))
		got, err := client.Ask(t.Context(), question(5, 1, 0, 0, -1, 0, 0, 2, 0, 0, 3, 0, 0, -4, 0, 0))
		if err != nil {
			t.Fatal(protocol, err)
		}
		if d := cmp.Diff([]bool{false, true, false, false, true}, got.Refused); d != "" {
			t.Errorf("%s: refused (-want +got):\n%s", protocol, d)
		}
		if d := cmp.Diff([]float32{1, 1, 0, 0, 2, 2, 3, 3, 0, 0}, numbers(got.Data)); d != "" {
			t.Errorf("%s: numbers (-want +got):\n%s", protocol, d)
		}
		if !strings.Contains(got.Refusal, "a negative amount") {
			t.Errorf("%s: refusal %q", protocol, got.Refusal)
		}
	}
}

// TestRetries has a server that fails twice and then answers.
func TestRetries(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"429":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"503":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"hangup": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		for _, protocol := range protocols() {
			s, left := sums(), 0
			s.Before = func(w http.ResponseWriter, r *http.Request) bool {
				if left == 0 {
					return false
				}
				left--
				fail(w, r)
				return true
			}
			client := open(t, config(remotetest.Start(t, s), protocol))
			left = 2
			got, err := client.Ask(t.Context(), question(1, 1, 2, 3))
			if err != nil {
				t.Errorf("%s, %s: %v", name, protocol, err)
				continue
			}
			if got.Retries != 2 || numbers(got.Data)[0] != 6 {
				t.Errorf("%s, %s: %d retries, %v", name, protocol, got.Retries, numbers(got.Data))
			}
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	s, failed := sums(), time.Time{}
	var waited time.Duration
	s.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/infer") {
			return false
		}
		if failed.IsZero() {
			failed = time.Now()
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		waited = time.Since(failed)
		return false
	}
	client := open(t, config(remotetest.Start(t, s), remote.REST))
	if _, err := client.Ask(t.Context(), question(1, 1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	if waited < 900*time.Millisecond {
		t.Errorf("came back after %s, the server had asked for 1 s", waited)
	}
}

func TestRates(t *testing.T) {
	c := config(remotetest.Start(t, sums()), remote.REST)
	c.RowsPerSecond, c.RequestsPerSecond, c.Batch = 100, 1000, 10
	client := open(t, c)
	begun := time.Now()
	done := make(chan error)
	for range 2 {
		go func() {
			_, err := client.Ask(context.WithoutCancel(t.Context()), question(15, make([]float32, 45)...))
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	// Thirty rows at a hundred a second, the last call's share not waited for.
	if took := time.Since(begun); took < 190*time.Millisecond || took > 2*time.Second {
		t.Errorf("30 rows took %s at 100 rows a second", took)
	}
}

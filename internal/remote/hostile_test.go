package remote_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/remote"
	"github.com/assize/assize/internal/remote/remotetest"
)

// inference is what a question reaches, by any protocol.
func inference(path string) bool {
	return strings.HasSuffix(path, "/infer") || strings.HasSuffix(path, "/ModelInfer") || path == "/predict"
}

// endless writes the same bytes until nobody reads any more.
func endless(w http.ResponseWriter, block []byte, pause time.Duration) {
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		time.Sleep(pause)
	}
}

// hang keeps a request until the client leaves, which a server only hears of once it has read the request.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the client may be gone already
	<-r.Context().Done()
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}
}

// TestHostileServers asks servers that answer what no honest one does. Each ends in one
// clear line, soon.
func TestHostileServers(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "ended the connection in the middle of its answer (tried 3 times)"},
		{"says nothing", hang, "no whole answer came within 150ms"},
		{"drips", func(w http.ResponseWriter, _ *http.Request) { endless(w, []byte(" "), 20*time.Millisecond) }, "no whole answer came within 150ms"},
		{"never ends", func(w http.ResponseWriter, _ *http.Request) { endless(w, bytes.Repeat([]byte("[0,"), 1<<16), 0) }, "the answer is longer than"},
		{"bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			endless(w, make([]byte, 1<<10), 0)
		}, `packed with "gzip", which was not asked for`},
		{"claims much", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10000000000")
			fmt.Fprint(w, "{")
		}, "ended the connection in the middle"},
		{"long header", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 100 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 1<<11))
			}
		}, "headers exceeded"},
		{"page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "<html><script>alert(1)</script>")
		}, "status 500 Internal Server Error: a page of HTML (tried 3 times)"},
		{"page as success", text("<html><body>Sign in"), "the answer cannot be read"},
		{"nothing", text(""), "the answer cannot be read"},
		{"nested", text(strings.Repeat("[", 1<<19)), "the answer cannot be read"},
		{"other object", text(`{"outputs":[],"predictions":[]}`), "the answer cannot be read"},
		{"too few rows", text(`{"outputs":[{"name":"out","shape":[1,2],"data":[1,2]}],"predictions":[{"scores":[1,2]}]}`), "and 2 rows were asked"},
		{"shape that lies", text(`{"outputs":[{"name":"out","shape":[2,2],"data":[1,2,3]}],"predictions":[{"scores":[1,2]},{"scores":[1]}]}`), "the answer cannot be read"},
		{"shape that overflows", text(`{"outputs":[{"name":"out","shape":[4294967296,4294967296,2],"data":[1]}],"predictions":[{"scores":{}},{}]}`), "the answer cannot be read"},
		{"negative shape", text(`{"outputs":[{"name":"out","shape":[-2,-2],"data":[1,2,3,4]}],"predictions":7}`), "the answer cannot be read"},
		{"words", text(`{"outputs":[{"name":"out","shape":[2,1],"data":["paid","gone"]}],"predictions":[{"scores":"a"},{"scores":"b"}]}`), "the answer cannot be read"},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://other.invalid/x?token=1", http.StatusTemporaryRedirect)
		}, `leads to host "other.invalid" and is not followed`},
		{"come back later", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "asks to wait 24h0m0s"},
		{"control characters", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "a\x1b[31m\u202eb\nc", strings.Repeat("x", 1000))
		}, "status 404 Not Found: a [31m b c"},
		{"not gRPC", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Trailer", "Grpc-Status")
			fmt.Fprint(w, "\x00\xff\xff\xff\xffabc")
			w.Header().Set("Grpc-Status", "0")
		}, "the answer cannot be read"},
	}
	for _, protocol := range protocols() {
		for _, test := range tests {
			if test.name == "not gRPC" && protocol != remote.GRPC {
				continue
			}
			t.Run(protocol+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				s := sums()
				s.Before = func(w http.ResponseWriter, r *http.Request) bool {
					if inference(r.URL.Path) {
						test.answer(w, r)
						return true
					}
					return false
				}
				c := config(remotetest.Start(t, s), protocol)
				c.Timeout, c.Retries = 150*time.Millisecond, 2
				if test.name != "says nothing" && test.name != "drips" {
					c.Timeout = 5 * time.Second
				}
				client := open(t, c)
				begun := time.Now()
				_, err := client.Ask(t.Context(), question(2, 1, 2, 3, 4, 5, 6))
				if err == nil {
					t.Fatal("got no error")
				}
				first, _, _ := strings.Cut(err.Error(), "\nhint: ")
				want := test.want
				if protocol == remote.GRPC && !strings.Contains(first, want) {
					want = map[string]string{ // said in its own words
						"hangs up": "(tried 3 times)", "claims much": "(tried 3 times)", "long header": "PROTOCOL_ERROR",
						"page as success": "does not speak gRPC", "nothing": "does not speak gRPC", "nested": "does not speak gRPC", "other object": "does not speak gRPC",
						"too few rows": "does not speak gRPC", "shape that lies": "does not speak gRPC", "shape that overflows": "does not speak gRPC",
						"negative shape": "does not speak gRPC", "words": "does not speak gRPC",
					}[test.name]
				}
				if want == "" || !strings.Contains(first, want) {
					t.Errorf("got %q, want %q", first, test.want)
				}
				if strings.ContainsAny(first, "\n\r\x1b\u202e") || len(first) > 500 {
					t.Errorf("not one clean line: %q", first)
				}
				if took := time.Since(begun); took > 8*time.Second {
					t.Errorf("took %s", took)
				}
			})
		}
	}
}

// TestNotANumber has a server that writes NaN as Python does: that is an answer, and the finding of a probe.
func TestNotANumber(t *testing.T) {
	s := sums()
	s.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/infer") {
			text(`{"outputs":[{"name":"NaN \" Infinity"},{"name":"out","shape":[2,2],"data":[NaN,[-Infinity],1e400,null]}]}`)(w, r)
			return true
		}
		return false
	}
	client := open(t, config(remotetest.Start(t, s), remote.REST))
	got, err := client.Ask(t.Context(), question(2, 1, 2, 3, 4, 5, 6))
	if err != nil {
		t.Fatal(err)
	}
	v := numbers(got.Data)
	if !math.IsNaN(float64(v[0])) || !math.IsInf(float64(v[1]), -1) || !math.IsInf(float64(v[2]), 1) || !math.IsNaN(float64(v[3])) {
		t.Errorf("got %v, want NaN, -Inf, +Inf, NaN", v)
	}
}

// TestGivenUp has a server that dies: after three calls in a row nothing more is asked.
func TestGivenUp(t *testing.T) {
	s, calls := sums(), 0
	s.Before = func(_ http.ResponseWriter, r *http.Request) bool {
		if inference(r.URL.Path) {
			calls++
			panic(http.ErrAbortHandler)
		}
		return false
	}
	c := config(remotetest.Start(t, s), remote.GRPC)
	c.Retries = 0
	client := open(t, c)
	var last error
	for range 10 {
		_, last = client.Ask(t.Context(), question(1, 1, 2, 3))
	}
	if calls != 3 || last == nil || !strings.Contains(last.Error(), "given up after 3 calls in a row without an answer") {
		t.Errorf("%d calls, the last error: %v", calls, last)
	}
}

// TestMalformedQuestionsGiveNothingUp sends tensors that a server answers with status 500, as several do: that is
// a refusal, it is not asked again, and well-formed rows are still asked.
func TestMalformedQuestionsGiveNothingUp(t *testing.T) {
	s, broken, calls := sums(), true, 0
	s.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if inference(r.URL.Path) && broken {
			calls++
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	}
	for _, protocol := range protocols() {
		client := open(t, config(remotetest.Start(t, s), protocol))
		broken, calls = true, 0
		for range 5 {
			q := question(1, 1, 2)
			q.Raw = true
			if got, err := client.Ask(t.Context(), q); err != nil || got.Refusal == "" || got.Lost != "" {
				t.Fatalf("%s: got %+v, %v, want a refusal", protocol, got, err)
			}
		}
		if broken = false; calls != 5 {
			t.Errorf("%s: 5 questions took %d calls", protocol, calls)
		}
		if _, err := client.Ask(t.Context(), question(1, 1, 2, 3)); err != nil {
			t.Errorf("%s: %v", protocol, err)
		}
	}
}

// TestRawQuestions: what is too large for what was agreed is not sent, what brings no answer is lost.
func TestRawQuestions(t *testing.T) {
	s := sums()
	client := open(t, config(remotetest.Start(t, s), remote.REST))
	large := question(10_000, make([]float32, 30_000)...)
	large.Raw = true
	if got, err := client.Ask(t.Context(), large); err != nil || got.Unsent == "" || s.Rows.Load() != 0 {
		t.Errorf("got %+v, %v, want it unsent", got, err)
	}
	for name, q := range map[string]*model.Question{
		"text":  {Type: "BYTES", Shape: []int64{1, 3}, Text: []string{"a\x00\"", "b", "c"}},
		"bool":  {Type: "BOOL", Shape: []int64{1, 3}, Data: []byte{1, 0, 1}},
		"bytes": {Type: "UINT8", Shape: []int64{3}, Data: []byte{1, 0, 255}},
		"whole": {Type: "INT64", Shape: []int64{1, 1}, Data: bytes.Repeat([]byte{255}, 8)},
		"none":  {Type: "FP32", Shape: []int64{0, 3}},
		"one":   {Type: "FP32", Shape: []int64{}, Data: make([]byte, 4)},
	} {
		for _, protocol := range protocols() {
			q.Raw = true
			got, err := open(t, config(remotetest.Start(t, s), protocol)).Ask(t.Context(), q)
			if err != nil || got.Refusal == "" {
				t.Errorf("%s, %s: got %+v, %v, want a refusal", name, protocol, got, err)
			}
		}
	}
	s.Before = func(_ http.ResponseWriter, r *http.Request) bool {
		if inference(r.URL.Path) {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	q := question(1, 1, 2, 3)
	q.Raw = true
	if got, err := client.Ask(t.Context(), q); err != nil || got.Lost == "" {
		t.Errorf("got %+v, %v, want it lost", got, err)
	}
	for _, bad := range []*model.Question{
		{Type: "FP32", Shape: []int64{1, 3}, Data: make([]byte, 4)}, {Type: "FP99", Shape: []int64{1}}, {Type: "FP32", Shape: []int64{-1, 1}},
		{Type: "FP32", Shape: []int64{1 << 40, 1 << 40}}, {Type: "FP32", Shape: make([]int64, 17)},
	} {
		if _, err := client.Ask(t.Context(), bad); err == nil {
			t.Errorf("%v: got no error", bad.Shape)
		}
	}
}

func TestCancel(t *testing.T) {
	s := sums()
	s.Before = func(_ http.ResponseWriter, r *http.Request) bool {
		if inference(r.URL.Path) {
			hang(nil, r)
		}
		return false
	}
	client := open(t, config(remotetest.Start(t, s), remote.REST))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := client.Ask(ctx, question(1, 1, 2, 3)); err == nil || time.Since(begun) > time.Second {
		t.Errorf("got %v after %s", err, time.Since(begun))
	}
}

// TestCredentialsStayHere has servers repeat a credential in every way they can.
func TestCredentialsStayHere(t *testing.T) {
	password := "hunter2 with+space"
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+password))
	for _, protocol := range protocols() {
		for i, repeat := range []func(string) string{
			func(v string) string { return v },
			func(v string) string { return strings.TrimPrefix(v, "Basic ") },
			func(string) string { return "wrong password: " + password },
			func(v string) string { return fmt.Sprintf("%q", v) },
		} {
			s := sums()
			s.Before = func(w http.ResponseWriter, r *http.Request) bool {
				if !inference(r.URL.Path) {
					return false
				}
				w.Header().Set("Grpc-Message", repeat(r.Header.Get("Authorization")))
				w.Header().Set("Location", "http://"+repeat(r.Header.Get("Authorization")))
				w.WriteHeader([]int{403, 400, 302, 500}[i])
				fmt.Fprint(w, repeat(r.Header.Get("Authorization")))
				return true
			}
			c := config(remotetest.Start(t, s), protocol)
			c.Headers = map[string]string{"Authorization": basic}
			client := open(t, c)
			got, err := client.Ask(t.Context(), question(1, 1, 2, 3))
			said := fmt.Sprint(got, err)
			for _, secret := range []string{basic, strings.TrimPrefix(basic, "Basic "), password} {
				if strings.Contains(said, secret) {
					t.Errorf("%s: said %q", protocol, said)
				}
			}
		}
	}
}

// TestCertificates: a server's certificate must be signed by an authority that is trusted.
func TestCertificates(t *testing.T) {
	for _, protocol := range protocols() {
		h := httptest.NewUnstartedServer(sums())
		h.EnableHTTP2 = true
		h.StartTLS()
		defer h.Close()
		c := config(h.URL, protocol)
		client, err := remote.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = client.Describe(t.Context()); protocol == remote.JSON {
			_, err = client.Ask(t.Context(), question(1, 1, 2, 3))
		}
		if err == nil || !strings.Contains(err.Error(), "unknown authority") || !strings.Contains(err.Error(), "endpoint.ca") {
			t.Errorf("%s: a certificate of nobody: got %v", protocol, err)
		}
		c.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})
		if got, err := open(t, c).Ask(t.Context(), question(1, 1, 2, 3)); err != nil || numbers(got.Data)[0] != 6 {
			t.Errorf("%s: got %v, %v", protocol, got, err)
		}
	}
	c := config("https://h:1", remote.REST)
	c.CA = []byte("no certificate")
	if _, err := remote.New(c); err == nil {
		t.Error("an empty authority was taken")
	}
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"", "h:1", "ftp://h", "http://", "http://me:secret@h", "http://h/#x", "http://h:x"} {
		if _, err := remote.New(config(bad, remote.REST)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

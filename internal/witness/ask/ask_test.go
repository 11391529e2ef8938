package ask_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/witness/ask"
	"github.com/assize/assize/internal/witness/stamp"
	"github.com/assize/assize/internal/witness/witnesstest"
)

func TestStamp(t *testing.T) {
	authority := witnesstest.NewAuthority(t)
	message := []byte("checkpoint")
	answer, err := ask.Stamp(context.Background(), http.DefaultClient, authority.URL, message)
	if err != nil {
		t.Fatal(err)
	}
	s, err := stamp.Check(answer, message, nil)
	if err != nil || time.Since(s.Time) > time.Hour {
		t.Errorf("got %+v, %v", s, err)
	}
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   string
	}{
		"refuses":       {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, "answered 403"},
		"another's":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }, "answered another request"},
		"nothing":       {func(http.ResponseWriter, *http.Request) {}, "check time stamp"},
		"without end":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) }, "longer than any can be"},
		"another thing": {func(w http.ResponseWriter, r *http.Request) { authority.Stamp(w, []byte("another"), nil) }, "of something else"},
	} {
		server := httptest.NewServer(http.HandlerFunc(tt.answer))
		_, err := ask.Stamp(context.Background(), http.DefaultClient, server.URL, message)
		if server.Close(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

package wording_test

import (
	"testing"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/report/wording"
)

func TestTraffic(t *testing.T) {
	for _, c := range []struct {
		t    evidence.Traffic
		want string
	}{
		{evidence.Traffic{}, "nothing"},
		{evidence.Traffic{Calls: 3, Seconds: 1}, "3 answered calls; none throttled, made again or given up; 1.0 s of the server"},
		{evidence.Traffic{Calls: 1, Requests: 1, Sent: 1, Seconds: 1}, "1 row in 1 request; none throttled, made again or given up; 1.0 s of the server"},
		{evidence.Traffic{Calls: 90, Requests: 104, Sent: 11964, Throttled: 12, Retries: 14, Failed: 1, Seconds: 2.5, Waited: 31},
			"11 964 rows in 104 requests; 12 answers that it is asked too much (429, 503), 14 calls made again, 1 call given up; 2.5 s of the server, 31.0 s waited for the rate and before retries"},
	} {
		if got := plain(wording.Traffic(&c.t)); got != c.want {
			t.Errorf("%+v:\n got %q\nwant %q", c.t, got, c.want)
		}
	}
}

func TestAsked(t *testing.T) {
	d := &dossier.Dossier{Observations: []evidence.Observation{{}, {}}}
	if got := wording.Asked(d); got != "" {
		t.Errorf("of a file: %q", got)
	}
	d.Observations[0].Traffic = &evidence.Traffic{Calls: 2, Requests: 2, Sent: 5, Seconds: 1}
	d.Observations[1].Traffic = &evidence.Traffic{Calls: 1, Requests: 2, Sent: 2, Seconds: 2, Retries: 1}
	want := "asked of the served model: 7 rows in 4 requests; 1 call made again; 3.0 s of the server"
	if got := wording.Asked(d); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	d.Plan.Cap = &plan.Cap{Rows: 9, Requests: 20}
	if got := wording.Asked(d); got != want+". The cap of 9 rows and 20 requests was not reached" {
		t.Errorf("below the cap: %q", got)
	}
	d.Observations[1].Traffic.Unasked = 3
	if got := wording.Asked(d); got != want+". The cap of 9 rows and 20 requests was reached: 1 observation was not measured, or not whole" {
		t.Errorf("at the cap: %q", got)
	}
}

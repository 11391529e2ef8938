package judge_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// TestMissingRowsWouldDecide draws inconclusive shares and checks what is said
// to be missing by doing it: with that many rows and the same share the decision
// is the one foretold, by the exact interval.
func TestMissingRowsWouldDecide(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	outcomes := map[string]int{}
	for range 1000 {
		n := 5 + rng.IntN(400)
		k := rng.IntN(n + 1)
		level := float64(1+rng.IntN(99)) / 100
		compare := []string{catalogue.AtLeast, catalogue.AtMost}[rng.IntN(2)]
		p, obs := assessment(criterion(compare, level), share(t, k, n))
		d := only(t, judge.Decide(p, obs))
		if d.Decision != dossier.Inconclusive {
			continue
		}
		var more, sofar int
		var outcome string
		if _, err := fmt.Sscanf(d.Missing, "about %d more rows of the kind that it counts, %d so far, after which it would %s if", &more, &sofar, &outcome); err != nil {
			if float64(k)/float64(n) != level {
				gap := float64(k)/float64(n) - level
				t.Errorf("%d of %d, %s %v (gap %v): missing is %q", k, n, compare, level, gap, d.Missing)
			}
			continue
		}
		outcomes[compare+" "+outcome]++
		total := n + more
		// The share stays: rounded to whole rows against the outcome, as the sample sizes do.
		above := float64(k)/float64(n) > level
		then := int(int64(total) * int64(k) / int64(n))
		if !above {
			then = total - int(int64(total)*int64(n-k)/int64(n))
		}
		in, err := stat.ClopperPearson(then, total, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		const slack = 1e-9
		decided := map[string]bool{
			"at_least pass": in.Lower >= level-slack, "at_least fail": in.Upper <= level+slack,
			"at_most pass": in.Upper <= level+slack, "at_most fail": in.Lower >= level-slack,
		}[compare+" "+outcome]
		if more < 1 || !decided {
			t.Errorf("%d of %d, %s %v: %q, but %d of %d gives %v to %v", k, n, compare, level, d.Missing, then, total, in.Lower, in.Upper)
		}
	}
	for _, want := range []string{"at_least pass", "at_least fail", "at_most pass", "at_most fail"} {
		if outcomes[want] < 10 {
			t.Errorf("only %d draws would %s", outcomes[want], want)
		}
	}
}

// TestMissingRowsKnown checks a number by hand: with 0 events in 10 rows a rate
// over 5\u202f% is ruled out at one-sided 97.5\u202f% by ln 0.025 / ln 0.95 = 71.9, so 72 rows.
func TestMissingRowsKnown(t *testing.T) {
	p, obs := assessment(criterion("at_most", 0.05), share(t, 0, 10))
	got := only(t, judge.Decide(p, obs)).Missing
	if want := "about 62 more rows of the kind that it counts, 10 so far, after which it would pass if the share stays 0\u202f%"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMissingWhereRowsCannotBeCounted(t *testing.T) {
	auc := result.Metric{Value: 0.7, Lower: 0.65, Upper: 0.75, N: 100, Unit: "score", Method: "DeLong", Confidence: 0.95}
	wide := share(t, 90, 100)
	wide.Lower, wide.Method = 0.1, "some wider one"
	for _, tt := range []struct {
		name   string
		level  float64
		metric result.Metric
		want   string
	}{
		{"no share", 0.7, auc, "square root"},
		{"a wider method", 0.6, wide, "square root"},
		{"at the level", 0.5, share(t, 50, 100), "the value is at the level itself"},
		{"a level that no share has", 1.5, share(t, 50, 100), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, obs := assessment(criterion("at_least", tt.level), tt.metric)
			d := only(t, judge.Decide(p, obs))
			if !strings.Contains(d.Missing, tt.want) || (d.Missing == "") != (tt.want == "") {
				t.Errorf("%s, missing %q, want %q", d.Decision, d.Missing, tt.want)
			}
		})
	}
}

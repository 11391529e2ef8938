package evasion_test

import (
	"context"
	"math"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// far is a plane that no change within epsilon reaches, so that attacks are tested on copies.
func far(queries float64) *system {
	s := linear(120, 12, "linf", queries)
	near := math.Inf(1)
	for _, row := range s.rows {
		near = min(near, exact(s, row, "linf"))
	}
	s.params["epsilon"] = near / 2
	return s
}

func planted(r *result.Result) (tried, found int) {
	for _, v := range r.Rows.Column("planted") {
		if v >= 0 {
			tried++
			found += int(v)
		}
	}
	return tried, found
}

func TestPlantedExamplesAreFound(t *testing.T) {
	s := far(1500)
	noise := map[string]*result.Result{"evasion/noise": s.run(t, "evasion/noise", nil)}
	for _, id := range []string{"evasion/square", "evasion/hopskipjump", "evasion/boundary"} {
		r := s.run(t, id, noise)
		if got := sum(r.Rows.Column("broken")); got != 0 {
			t.Fatalf("%s: got %v rows broken, want none", id, got)
		}
		if tried, found := planted(r); tried < 5 || found != tried {
			t.Errorf("%s: found %d of %d planted examples, want all of 5 or more", id, found, tried)
		}
		check(t, r, "planted-examples-found", true)
	}
}

// TestPlantedExamplesAreMissed hides the way: answers near a row say the same wherever one looks, but
// for a drop in places so rare that a walk with a small budget does not come upon it.
func TestPlantedExamplesAreMissed(t *testing.T) {
	s := far(140)
	of := s.of
	s.of = func(x []float32) float32 {
		h := uint64(14695981039346656037)
		for _, v := range x {
			h = (h ^ uint64(math.Float32bits(v))) * 1099511628211
		}
		h ^= h >> 29
		h *= 0x9e3779b97f4a7c15
		wobble := float64(h>>40) / (1 << 24) // of the row's bits alone: nothing to follow
		if p := of(x); p >= 0.5 {
			return float32(0.6 + 0.3*math.Pow(wobble, 0.01))
		}
		return float32(0.4 - 0.3*math.Pow(wobble, 0.01))
	}
	noise := map[string]*result.Result{"evasion/noise": s.run(t, "evasion/noise", nil)}
	r := s.run(t, "evasion/hopskipjump", noise)
	tried, found := planted(r)
	if tried < 5 || found == tried {
		t.Fatalf("found %d of %d planted examples, want some missed of 5 or more", found, tried)
	}
	check(t, r, "planted-examples-found", false)
	// An attack that found them all makes up for it, one that found none does not.
	other := *r
	rows := *r.Rows
	other.Rows, other.Validity = &rows, nil
	other.Rows.Columns = append([]result.Column(nil), r.Rows.Columns...)
	for i := range other.Rows.Columns {
		if c := &other.Rows.Columns[i]; c.Name == "planted" {
			values := make([]float64, len(c.Values))
			for k, v := range c.Values {
				values[k] = math.Abs(v)
				if v < 0 {
					values[k] = -1
				} else {
					values[k] = 1
				}
			}
			c.Values = values
		}
	}
	check(t, worst(t, map[string]*result.Result{"evasion/hopskipjump": r}), "planted-examples-found", false)
	check(t, worst(t, map[string]*result.Result{"evasion/hopskipjump": r, "evasion/square": &other}), "planted-examples-found", true)
}

// TestFewQuestionsAreNotTested: what luck finds as well proves nothing.
func TestFewQuestionsAreNotTested(t *testing.T) {
	s := far(100)
	r := s.run(t, "evasion/square", map[string]*result.Result{"evasion/noise": s.run(t, "evasion/noise", nil)})
	if tried, _ := planted(r); tried != 0 {
		t.Errorf("got %d tests with 100 questions, want none", tried)
	}
}

func TestWhiteBoxBehind(t *testing.T) {
	r := worst(t, map[string]*result.Result{"evasion/autoattack": outcome(0, 0, 0.5), "evasion/square": outcome(0.5, 0, 0)})
	check(t, r, "white-box-not-behind", false)
	r = worst(t, map[string]*result.Result{"evasion/autoattack": outcome(0.4, 0, 0.5), "evasion/square": outcome(0.5, 0, 0)})
	check(t, r, "white-box-not-behind", true)
}

// drawing answers at random: nothing it says twice is the same.
type drawing struct {
	scores
	turn int
}

func (d *drawing) Run(ctx context.Context, x []float32, n int, out []float32) error {
	d.turn++
	err := d.scores.Run(ctx, x, n, out)
	for i := range out {
		out[i] += 1e-4 * float32(d.turn%7)
	}
	return err
}

func TestAnswersThatDoNotRepeat(t *testing.T) {
	s := linear(40, 6, "linf", 100)
	m, err := model.New(&drawing{scores: scores{width: 6, of: s.of}}, &model.Spec{
		Output: model.Output{Kind: model.PositiveProbability}, Rule: s.rule, Domain: &model.Domain{Features: s.features},
	}, 6, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, d := find(t, "evasion/noise"), s.table()
	c := &measure.Case{Params: params(p, s.params), Model: m, Domain: s.domain(t), Data: d, Index: d.Index}
	shard, err := p.Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Join(&measure.Joint{Params: c.Params, Rows: shard.Rows})
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, "answers-repeat", false)
	r.Rows = shard.Rows
	square := s.run(t, "evasion/square", map[string]*result.Result{"evasion/noise": r})
	check(t, worst(t, map[string]*result.Result{"evasion/noise": r, "evasion/square": square}), "evasion/noise: answers-repeat", false)
}

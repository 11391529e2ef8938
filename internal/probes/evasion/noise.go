package evasion

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

func noiseProbe() measure.Probe {
	return measure.Probe{
		ID: "evasion/noise", Version: 3,
		Doc: "Random change within the threat model and the domain: the floor that every attack must beat.\n\n" +
			"Each row is changed at random some times, inside the ball of the threat model and moved onto the domain. A " +
			"system that does not stand this stands no attack; an attack that finds less than this is not working.",
		Metrics: []string{
			"attack_success", "clean_accuracy", "median_distance", "robust_accuracy", "rows_attackable",
		},
		Goals: goals, Threats: threats, Needs: needs, Feeds: Worst, Switch: true, Paired: "stands",
		Cites: []string{"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion"},
		Params: append(threatParams(),
			measure.Param{Name: "trials", Doc: "random changes of each row", Unit: "queries", Quick: 50.0, Standard: 200.0, Thorough: 1000.0},
			measure.Param{Name: "rows", Doc: "rows that are changed", Unit: "rows", Quick: 100.0, Standard: 500.0, Thorough: 2000.0},
		),
		Rows: func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		Queries: func(s measure.Scope) int {
			return min(s.TestRows, s.Params.Int("rows")) * (1 + s.Params.Int("trials"))
		},
		Run: runNoise, Join: joinNoise,
	}
}

// runNoise changes every row at random and asks in batches.
func runNoise(ctx context.Context, c *measure.Case) (*result.Result, error) {
	s, err := newSpace(c.Domain, c.Params)
	if err != nil {
		return nil, err
	}
	k, err := unchanged(ctx, c)
	if err != nil {
		return nil, err
	}
	n := &noise{s: s, c: c, k: k, normal: newNormal(), room: max(1, min(4096, 1<<20/max(1, c.Data.Width)))}
	n.nearest, n.asked = make([]float64, len(c.Index)), make([]int, len(c.Index))
	n.x = make([]float32, 0, n.room*c.Data.Width)
	rows := sharedRows(c.Index, result.Column{Name: "repeats", Doc: "1: asked twice, the system gave the same answer to the row"})
	rows.Columns = append(rows.Columns, randomColumn(c))
	if err := n.again(ctx, rows.Columns[sharedColumns].Values); err != nil {
		return nil, err
	}
	for i, row := range c.Index {
		n.nearest[i] = -1
		if k.attackable[i] {
			if err := n.row(ctx, i, c.Seed.Row(row)); err != nil {
				return nil, err
			}
		}
		c.Done(float64(i) / float64(len(c.Index)))
	}
	if err := n.flush(ctx); err != nil {
		return nil, err
	}
	for i := range c.Index {
		inside := c.Domain.Feasible(c.Data.Row(i), c.Data.Row(i))
		note(rows, i, s, k, inside, n.nearest[i], n.asked[i])
	}
	c.Done(1)
	return &result.Result{State: result.Measured, Rows: rows}, nil
}

// again asks for the rows twice and notes which got one answer.
func (n *noise) again(ctx context.Context, repeats []float64) error {
	var first, second model.Answers
	for _, a := range []*model.Answers{&first, &second} {
		n.c.Model.About(n.c.Index)
		if err := n.c.Model.Predict(ctx, n.c.Data.X, n.c.Data.Len(), a); err != nil {
			return err
		}
	}
	for i := range repeats {
		same := first.Refused[i] == second.Refused[i]
		for k, v := range first.Row(i) {
			w := second.Row(i)[k]
			same = same && (v == w || v != v && w != w)
		}
		if same {
			repeats[i] = 1
		}
	}
	return nil
}

// noise collects random changes of rows into batches.
type noise struct {
	s         *space
	c         *measure.Case
	k         *clean
	normal    *draw
	room      int
	x         []float32
	owner     []int
	about     []int // the owners' row numbers
	decisions []model.Decision
	nearest   []float64 // by row; -1: nothing gained
	asked     []int
}

// row draws the trials of one row. A draw that the domain moves out of the ball is drawn
// again a few times, each time smaller; a trial that finds no place is not asked.
func (n *noise) row(ctx context.Context, i int, rng *rand.Rand) error {
	const redraws = 8
	orig := n.c.Data.Row(i)
	w := len(orig)
	trials := n.c.Params.Int("trials")
	if limit := n.c.Model.QueryLimit(); limit > 0 {
		trials = min(trials, limit-1)
	}
	for range trials {
		at := len(n.x)
		n.x = n.x[:at+w]
		x := n.x[at : at+w : at+w]
		found := false
		for try := range redraws {
			n.ball(rng, x, orig, math.Pow(0.7, float64(try)))
			if n.s.project(x, orig) && n.s.within(n.s.distance(x, orig)) && differ(x, orig) {
				found = true
				break
			}
		}
		if !found {
			n.x = n.x[:at]
			continue
		}
		n.asked[i]++
		n.owner, n.about = append(n.owner, i), append(n.about, n.c.Index[i])
		if len(n.owner) == n.room {
			if err := n.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// ball draws x uniformly from the ball around orig, shrunk by a factor.
func (n *noise) ball(rng *rand.Rand, x, orig []float32, shrink float64) {
	s := n.s
	radius := float32(s.epsilon * shrink)
	switch {
	case s.norm == "linf":
		for i, o := range orig {
			x[i] = o + s.free[i]*s.scale[i]*radius*(2*rng.Float32()-1)
		}
		return
	case s.norm == "l1": // exponential sizes and one more of them make a uniform draw
		sum := rng.ExpFloat64()
		for i := range x {
			v := rng.ExpFloat64() * float64(s.free[i])
			sum += v
			if rng.Uint64()&1 == 0 {
				v = -v
			}
			x[i] = float32(v)
		}
		radius /= float32(sum)
	default:
		n.normal.fill(rng, x)
		sum := 0.0
		for i, v := range x {
			x[i] = v * s.free[i]
			sum += float64(x[i] * x[i])
		}
		radius *= float32(math.Pow(rng.Float64(), 1/float64(max(1, s.size))) / math.Sqrt(max(sum, math.SmallestNonzeroFloat32)))
	}
	for i, o := range orig {
		x[i] = o + x[i]*radius*s.scale[i]
	}
}

// flush asks for what is collected.
func (n *noise) flush(ctx context.Context) error {
	count := len(n.owner)
	if count == 0 {
		return nil
	}
	if cap(n.decisions) < count {
		n.decisions = make([]model.Decision, n.room)
	}
	n.c.Model.About(n.about)
	if err := n.c.Model.Decide(ctx, n.x, count, n.decisions[:count]); err != nil {
		return err
	}
	w := n.c.Data.Width
	for j, i := range n.owner {
		if !n.c.Model.Gains(n.k.decision[i], n.decisions[j]) {
			continue
		}
		x := n.x[j*w : (j+1)*w]
		d := n.s.distance(x, n.c.Data.Row(i))
		if n.nearest[i] >= 0 && d >= n.nearest[i] {
			continue
		}
		if n.c.Model.Random() { // once may be luck
			if gains, err := n.c.Model.Gained(ctx, n.k.decision[i], n.c.Index[i], x); err != nil || !gains {
				if err != nil {
					return err
				}
				continue
			}
		}
		n.nearest[i] = d
	}
	n.x, n.owner, n.about = n.x[:0], n.owner[:0], n.about[:0]
	return nil
}

func differ(x, orig []float32) bool {
	for i, v := range x {
		if v != orig[i] {
			return true
		}
	}
	return false
}

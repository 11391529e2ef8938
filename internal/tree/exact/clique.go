package exact

import (
	"context"
	"math"
	"math/bits"
)

// groupBoxes bounds the work on one group of trees.
const groupBoxes = 1 << 12

// merge raises what is proved towards top by bounds from merged trees, where the
// search itself ran out of its budget. It returns the least distance that is left.
func (s *search) merge(q *query, proved, top float64) float64 {
	if s.ctx.Err() == nil {
		for range 6 {
			limit := max(proved, s.r.start)
			limit += (top - limit) / 2
			if math.IsInf(limit, 1) {
				limit = min(max(2*proved, s.r.start), math.MaxFloat64)
			}
			if !(limit > proved && limit < top) {
				break
			}
			if q.apart(limit, 4) {
				proved = limit
			} else {
				top = limit
			}
		}
	}
	return max(q.after(proved), s.r.start)
}

// apart tells whether groups of trees merged into one show that nothing within a
// distance meets the goal: the sum over groups of the best choice of leaves that
// share an input (Chen, Zhang, Si, Li, Boning and Hsieh 2019, sections 3.2 and 3.3).
func (q *query) apart(limit float64, group int) bool {
	v := q.v
	if v.rows == nil {
		return q.pooled(limit)
	}
	root := make([]uint64, v.words)
	for b, l := range v.leafAt {
		if l >= 0 && q.dist[b] <= limit {
			root[b/64] |= 1 << (b % 64)
		}
	}
	sum := v.const0[0]
	for at := 0; at < len(v.trees); at += group {
		end := min(at+group, len(v.trees))
		m := merger{v: v, trees: v.trees[at:end], left: groupBoxes, best: math.Inf(-1)}
		m.tail = make([]float64, len(m.trees)+1)
		for i := len(m.trees) - 1; i >= 0; i-- {
			b, _ := m.trees[i].first(root)
			if b < 0 {
				return true
			}
			m.tail[i] = m.tail[i+1] + v.value[0][b]
		}
		m.branch(0, root, 0)
		if m.left <= 0 {
			m.best = m.tail[0]
		}
		sum += m.best
	}
	return !v.goal[0].mayHold(sum, q.loose)
}

// merger finds the best choice of one group of trees.
type merger struct {
	v     *view
	trees []vtree
	tail  []float64 // the best of the trees from here on, each alone
	left  int
	best  float64
}

func (m *merger) branch(depth int, set []uint64, sum float64) {
	if depth == len(m.trees) {
		m.best = max(m.best, sum)
		return
	}
	t := &m.trees[depth]
	next := make([]uint64, len(set))
	for w := t.word; w < t.word+t.words; w++ {
		for x := set[w] & t.mask; x != 0; x &= x - 1 {
			b := w*64 + bits.TrailingZeros64(x)
			m.left--
			if m.left <= 0 || sum+m.v.value[0][b]+m.tail[depth+1] <= m.best {
				return
			}
			for i, r := range m.v.row(int32(b)) {
				next[i] = set[i] & r
			}
			m.branch(depth+1, next, sum+m.v.value[0][b])
		}
	}
}

// Cliques is a lower bound of the Linf distance by merging group trees at a time
// and no search: the method of Chen et al. 2019, whose published figures it
// reproduces or tightens. Aims of several half-spaces are bounded by their first.
func (g *Engine) Cliques(ctx context.Context, x []float32, aim Aim, group int, slack float64) (float64, error) {
	if err := g.checkAim(aim); err != nil {
		return 0, err
	}
	r, ok, err := g.place(x, Linf)
	if err != nil || !ok {
		return math.Inf(1), err
	}
	lower := math.Inf(1)
	for _, goal := range aim {
		q := g.ask(r, goal, Options{Slack: slack})
		proved := math.Inf(-1)
		for ctx.Err() == nil {
			next := q.after(proved)
			if math.IsInf(next, 1) || !q.apart(next, max(group, 1)) {
				lower = min(lower, max(next, r.start))
				break
			}
			proved = next
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	return lower, nil
}

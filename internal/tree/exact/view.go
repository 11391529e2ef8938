package exact

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sync"
)

// view lays the leaves that matter to one list of half-spaces out as bits. A
// tree's leaves are neighbours, the best for the first half-space first, so
// that the first bit that is set is the tree's best leaf that is left. Trees of
// at most 64 leaves never straddle a word.
type view struct {
	goal   []Half
	const0 []float64 // per half-space: the base values
	trees  []vtree
	words  int
	leafAt []int32     // per bit: the leaf, or -1
	value  [][]float64 // per half-space and bit
	bitOf  []int32     // per leaf of the engine: its bit, or -1
	rows   []uint64    // per bit, words of bits: the leaves that it shares an input with; nil where there are too many
	rowOf  []int32     // per bit: its row of rows
	alive  []uint64    // leaves that some row can reach
}

type vtree struct {
	word  int
	words int    // 1 where mask is in use
	mask  uint64 // of its bits in its word
	tree  int32
}

// matrixLimit bounds the leaves of which every pair is compared.
const matrixLimit = 1 << 13

type viewCache struct {
	mu    sync.Mutex
	views map[string]*view
}

// cacheLimit bounds how many views an engine keeps: aims of ten classes have 90.
const cacheLimit = 100

func (g *Engine) view(goal []Half) *view {
	var key []byte
	for _, h := range goal {
		for _, w := range h.Weights {
			key = binary.LittleEndian.AppendUint64(key, math.Float64bits(w))
		}
	}
	g.views.mu.Lock()
	defer g.views.mu.Unlock()
	v, ok := g.views.views[string(key)]
	if !ok {
		v = g.newView(goal, g.all(), nil, nil)
		if g.views.views == nil || len(g.views.views) >= cacheLimit {
			g.views.views = map[string]*view{}
		}
		g.views.views[string(key)] = v
	}
	out := *v
	out.goal = goal
	return &out
}

// all is the number of every tree.
func (g *Engine) all() []int32 {
	all := make([]int32, len(g.trees))
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// newView lays out the leaves of trees that keep allows (nil: all). Features of which
// skip is true take no part in which leaves share an input.
func (g *Engine) newView(goal []Half, trees []int32, keep func(leaf int32) bool, skip []bool) *view {
	v := &view{goal: goal, const0: make([]float64, len(goal)), bitOf: make([]int32, len(g.leaves)), value: make([][]float64, len(goal))}
	for j, h := range goal {
		for o, w := range h.Weights {
			v.const0[j] += w * g.base[o]
		}
	}
	for i := range v.bitOf {
		v.bitOf[i] = -1
	}
	var order []int32
	for _, t := range trees {
		order = order[:0]
		matters := false
		for l := g.trees[t].first; l < g.trees[t].end; l++ {
			for j := range goal {
				matters = matters || g.leaves[l].value(goal[j].Weights) != 0
			}
			if (keep == nil || keep(l)) && !g.empty(&g.leaves[l], skip) {
				order = append(order, l)
			}
		}
		if matters || len(order) == 0 {
			v.place(g, t, order)
		}
	}
	v.alive = make([]uint64, v.words)
	n := 0
	for b, l := range v.leafAt {
		if l >= 0 {
			v.alive[b/64] |= 1 << (b % 64)
			n++
		}
	}
	if n <= matrixLimit {
		v.compare(g, n, skip)
	}
	return v
}

// place appends a tree's leaves, best first.
func (v *view) place(g *Engine, t int32, order []int32) {
	slices.SortStableFunc(order, func(a, b int32) int {
		va, vb := g.leaves[a].value(v.goal[0].Weights), g.leaves[b].value(v.goal[0].Weights)
		switch {
		case va > vb:
			return -1
		case va < vb:
			return 1
		}
		return 0
	})
	used := len(v.leafAt) % 64
	if used > 0 && used+len(order) > 64 {
		v.pad()
		used = 0
	}
	vt := vtree{word: len(v.leafAt) / 64, words: 1, tree: t}
	if len(order) <= 64 {
		vt.mask = (^uint64(0) >> (64 - max(len(order), 1))) << used
		if len(order) == 0 {
			vt.mask = 0
		}
	} else {
		vt.words, vt.mask = (len(order)+63)/64, ^uint64(0)
	}
	for _, l := range order {
		v.bitOf[l] = int32(len(v.leafAt))
		v.leafAt = append(v.leafAt, l)
		for j := range v.goal {
			v.value[j] = append(v.value[j], g.leaves[l].value(v.goal[j].Weights))
		}
	}
	if vt.words > 1 {
		v.pad()
	}
	v.words = max((len(v.leafAt)+63)/64, vt.word+1)
	v.trees = append(v.trees, vt)
}

func (v *view) pad() {
	for len(v.leafAt)%64 != 0 {
		v.leafAt = append(v.leafAt, -1)
		for j := range v.value {
			v.value[j] = append(v.value[j], math.Inf(-1))
		}
	}
}

// compare finds which leaves share an input. Boxes meet when their ranges meet
// in every feature, and by Helly's theorem on the line boxes that meet in pairs
// have an input in common; category variables are checked again on the way.
func (v *view) compare(g *Engine, n int, skip []bool) {
	lows, highs := map[int32][]end{}, map[int32][]end{}
	for b, l := range v.leafAt {
		if l < 0 {
			continue
		}
		for _, s := range g.leaves[l].spans {
			if skip == nil || !skip[s.feature] {
				lows[s.feature] = append(lows[s.feature], end{s.lo, int32(b)})
				highs[s.feature] = append(highs[s.feature], end{s.hi, int32(b)})
			}
		}
	}
	v.rows = make([]uint64, n*v.words)
	v.rowOf = make([]int32, len(v.leafAt))
	k := 0
	for b, l := range v.leafAt {
		v.rowOf[b] = -1
		if l >= 0 {
			v.rowOf[b] = int32(k)
			copy(v.rows[k*v.words:], v.alive)
			k++
		}
	}
	out := make([]uint64, v.words)
	for f, lo := range lows {
		hi := highs[f]
		// The leaves that lie apart from one only grow in number along these orders.
		slices.SortFunc(lo, func(a, b end) int { return cmp.Compare(b.value, a.value) })
		slices.SortFunc(hi, func(a, b end) int { return cmp.Compare(b.value, a.value) })
		v.exclude(hi, lo, out, func(high, low float32) bool { return low > high })
		slices.Reverse(lo)
		slices.Reverse(hi)
		v.exclude(lo, hi, out, func(low, high float32) bool { return high < low })
	}
	for b, l := range v.leafAt {
		if l < 0 || g.leaves[l].mask == nil {
			continue
		}
		for c, m := range v.leafAt {
			if m >= 0 && g.leaves[m].mask != nil && !g.meet(g.leaves[l].mask, g.leaves[m].mask) {
				v.row(int32(b))[c/64] &^= 1 << (c % 64)
			}
		}
	}
	for i := range v.trees { // one leaf of a tree alone
		t := &v.trees[i]
		for w := t.word; w < t.word+t.words; w++ {
			for m := v.alive[w] & t.mask; m != 0; m &= m - 1 {
				b := int32(w*64 + bits.TrailingZeros64(m))
				row := v.row(b)
				for x := t.word; x < t.word+t.words; x++ {
					row[x] &^= t.mask
				}
				row[b/64] |= 1 << (b % 64)
			}
		}
	}
}

// end is one end of a leaf's range of a feature.
type end struct {
	value float32
	bit   int32
}

// exclude takes the others that lie apart from each leaf out of its row.
func (v *view) exclude(leaves, others []end, out []uint64, apart func(leaf, other float32) bool) {
	clear(out)
	i := 0
	for _, l := range leaves {
		for i < len(others) && apart(l.value, others[i].value) {
			out[others[i].bit/64] |= 1 << (others[i].bit % 64)
			i++
		}
		row := v.row(l.bit)
		for w := range row {
			row[w] &^= out[w]
		}
	}
}

// row is the leaves that share an input with a leaf.
func (v *view) row(bit int32) []uint64 {
	k := int(v.rowOf[bit]) * v.words
	return v.rows[k : k+v.words]
}

// meet tells whether every category variable has an option in both masks.
func (g *Engine) meet(a, b []uint64) bool {
	for i := range g.cats {
		c := &g.cats[i]
		some := false
		for w := c.word; w < c.word+c.words() && !some; w++ {
			some = a[w]&b[w] != 0
		}
		if !some {
			return false
		}
	}
	return true
}

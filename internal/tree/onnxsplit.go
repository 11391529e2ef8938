package tree

import (
	"fmt"
	"math"
)

// column is one value of a tensor on its way from the graph's inputs to the
// trees: a function of one input feature. Where keys is not nil the feature
// is a category, and the function starts from the value of its key; else it
// starts from the feature itself. at, where not nil, follows, and rises
// (slope 1), falls (-1) or stays (0) as its argument grows.
type column struct {
	feature int
	typ     columnType
	keys    *keyTable
	at      func(float64) float64
	slope   int
	plain   bool // nothing but casts so far
}

// columnType is the type of element a column has where it stands.
type columnType uint8

const (
	isFloat columnType = iota
	isDouble
	isWhole // any integer
	isText
)

// keyTable maps categories to values. A category that is not in it has the value other.
type keyTable struct {
	keys   []int64
	values []float64
	other  float64
}

// round rounds v as an operation on elements of the type does.
func (t columnType) round(v float64) float64 {
	if t == isFloat {
		return float64(float32(v))
	}
	return v
}

// then returns the column with f behind it.
func (c column) then(f func(float64) float64, slope int) column {
	before := c.at
	c.slope *= slope
	c.plain = false
	c.at = f
	if before != nil {
		c.at = func(v float64) float64 { return f(before(v)) }
	}
	return c
}

// value is the column's value where its function starts from v.
func (c column) value(v float64) float64 {
	if c.at == nil {
		return v
	}
	return c.at(v)
}

// split is a test of a column's value, and where it leads.
type split struct {
	mode        string
	threshold   float64
	members     []float64
	missingTrue bool
	yes, no     int
}

// holds says whether the test holds for the column's value v, as the ONNX
// specification of nodes_modes and nodes_missing_value_tracks_true has it.
func (s *split) holds(v float64) bool {
	if s.missingTrue && math.IsNaN(v) {
		return true
	}
	switch s.mode {
	case "BRANCH_LEQ":
		return v <= s.threshold
	case "BRANCH_LT":
		return v < s.threshold
	case "BRANCH_GTE":
		return v >= s.threshold
	case "BRANCH_GT":
		return v > s.threshold
	case "BRANCH_EQ":
		return v == s.threshold
	case "BRANCH_NEQ":
		return v != s.threshold
	}
	for _, m := range s.members {
		if v == m {
			return true
		}
	}
	return false
}

// node returns the test of the column as a test of the column's feature.
func (c column) node(s split, t *Tree, p *onnxPlanter) (Node, error) {
	switch s.mode {
	case "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER":
	default:
		return Node{}, fmt.Errorf("nodes_modes %.20q is not supported", s.mode)
	}
	if math.IsNaN(s.threshold) {
		return Node{}, fmt.Errorf("a threshold is not a number")
	}
	if c.keys != nil {
		return c.keyNode(s, t, p)
	}
	if c.typ == isText {
		return Node{}, fmt.Errorf("trees compare text that no encoder turns into numbers")
	}
	goes := func(x float64) bool { return s.holds(c.value(x)) }
	nan := goes(math.NaN())
	n := Node{Feature: int32(c.feature), Left: int32(s.yes), Right: int32(s.no), Threshold: s.threshold,
		Compare: LessOrEqual, Missing: MissingNaN, MissingLeft: nan}
	flip := func() { n.Left, n.Right, n.MissingLeft = n.Right, n.Left, !nan }
	exact := c.at == nil && (!p.e.Single || float64(float32(s.threshold)) == s.threshold)
	switch s.mode {
	case "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER":
		if !exact {
			return Node{}, fmt.Errorf("%s behind an encoder of numbers is not supported", s.mode)
		}
		n.Compare = Equal
		if s.mode == "BRANCH_NEQ" {
			flip()
		}
		if s.mode == "BRANCH_MEMBER" {
			return p.memberNode(n, s, t)
		}
		return n, nil
	}
	if exact {
		if s.mode == "BRANCH_LT" || s.mode == "BRANCH_GTE" {
			n.Compare = Less
		}
		if s.mode == "BRANCH_GT" || s.mode == "BRANCH_GTE" {
			flip()
		}
		return n, nil
	}
	last, all := lastAlike(goes, p.e.Single)
	low := goes(-math.MaxFloat32)
	if !p.e.Single {
		low = goes(-math.MaxFloat64)
	}
	n.Threshold = last
	if all {
		n.Threshold = math.Inf(1)
	}
	if !low {
		flip()
	}
	return n, nil
}

// memberNode turns a list of whole values into a category set.
//
// BUG: ONNX compares for equality, while In cuts a fraction off first; the
// two differ on values that are no category at all, such as 1.5.
func (p *onnxPlanter) memberNode(n Node, s split, t *Tree) (Node, error) {
	categories := make([]int, 0, len(s.members))
	for _, m := range s.members {
		if m != math.Trunc(m) || m < 0 || m >= 1<<24 {
			return Node{}, fmt.Errorf("BRANCH_MEMBER of value %v is not supported: categories are whole numbers from 0", m)
		}
		categories = append(categories, int(m))
	}
	set, err := p.g.set(categories)
	if err != nil {
		return Node{}, err
	}
	n.Compare, n.Set, n.Threshold = In, int32(len(t.Sets)), 0
	t.Sets = append(t.Sets, set)
	return n, nil
}

// keyNode is node for a column that starts from categories. A missing
// value is no category.
func (c column) keyNode(s split, t *Tree, p *onnxPlanter) (Node, error) {
	if p.g.words += len(c.keys.keys)/16 + 1; p.g.words > p.g.lim.MaxNodes {
		return Node{}, fmt.Errorf("categories of splits take more than %d words", p.g.lim.MaxNodes)
	}
	other := s.holds(c.value(c.keys.other))
	var differ []int // keys that go another way than what is no key
	for i, k := range c.keys.keys {
		if s.holds(c.value(c.keys.values[i])) != other {
			differ = append(differ, int(k))
		}
	}
	n := Node{Feature: int32(c.feature), Left: int32(s.yes), Right: int32(s.no), Missing: MissingNaN}
	if other {
		n.Left, n.Right = n.Right, n.Left
	}
	if len(differ) == 1 {
		n.Compare, n.Threshold = Equal, float64(differ[0])
		return n, nil
	}
	set, err := p.g.set(differ)
	if err != nil {
		return Node{}, err
	}
	n.Compare, n.Set = In, int32(len(t.Sets))
	t.Sets = append(t.Sets, set)
	return n, nil
}

// lastAlike returns the largest finite number for which goes answers as it
// does for the smallest; all says that it answers so for every one. goes
// changes its answer at most once. Single looks at float32 numbers alone.
func lastAlike(goes func(float64) bool, single bool) (last float64, all bool) {
	at := func(k int64) float64 { return math.Float64frombits(unorder(k, 63)) }
	top := order(math.Float64bits(math.MaxFloat64), 63)
	if single {
		at = func(k int64) float64 { return float64(math.Float32frombits(uint32(unorder(k, 31)))) }
		top = order(uint64(math.Float32bits(math.MaxFloat32)), 31)
	}
	lo, hi := -top, top
	low := goes(at(lo))
	if goes(at(hi)) == low {
		return at(hi), true
	}
	for hi-lo > 1 { // goes(at(lo)) == low != goes(at(hi))
		mid := lo + (hi-lo)/2
		if goes(at(mid)) == low {
			lo = mid
		} else {
			hi = mid
		}
	}
	return at(lo), false
}

// order maps a float's bits to an integer that grows with it, 0 to 0; unorder
// maps it back. sign is the number of the sign bit.
func order(bits uint64, sign uint) int64 {
	if bits>>sign == 1 {
		return -int64(bits &^ (1 << sign))
	}
	return int64(bits)
}

func unorder(k int64, sign uint) uint64 {
	if k < 0 {
		return uint64(-k) | 1<<sign
	}
	return uint64(k)
}

package tree

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// catCtr is one statistic of categories as a feature (a "ctr"): how often the
// target, or the category, was seen in training, with a prior (Prokhorenkova et
// al. 2018, section 3.2).
type catCtr struct {
	Borders     []float32    `json:"borders"`
	Type        string       `json:"ctr_type"`
	Table       string       `json:"identifier"` // the name in ctr_data
	Numerator   float32      `json:"prior_numerator"`
	Denominator float32      `json:"prior_denomerator"`
	Scale       float32      `json:"scale"`
	Shift       float32      `json:"shift"`
	Target      int          `json:"target_border_idx"`
	Elements    []catElement `json:"elements"`
}

// catElement is what a statistic is about: the category of a feature, or
// whether a number is over a border or a feature has one category.
type catElement struct {
	Kind     string  `json:"combination_element"`
	Category int     `json:"cat_feature_index"`
	Float    int     `json:"float_feature_index"`
	Border   float32 `json:"border"`
	Value    int64   `json:"value"`
}

// catCounts is a table of counts by the hash of what was seen.
type catCounts struct {
	Denominator float32         `json:"counter_denominator"`
	Map         json.RawMessage `json:"hash_map"` // hash_stride numbers an entry, the hash first
	Stride      int             `json:"hash_stride"`

	rows   map[uint64]int // where an entry's counts begin
	counts []float32
}

// emptyHash marks the places of a table that hold nothing.
const emptyHash = math.MaxUint64

// index reads the table's entries.
func (t *catCounts) index() error {
	if t.rows != nil {
		return nil
	}
	inner, _ := bytes.CutPrefix(bytes.TrimSpace(t.Map), []byte("["))
	inner, ok := bytes.CutSuffix(inner, []byte("]"))
	if !ok || t.Stride < 2 || t.Stride > 1<<10 {
		return fmt.Errorf("hash_map of stride %d", t.Stride)
	}
	t.rows = map[uint64]int{}
	if len(bytes.TrimSpace(inner)) == 0 {
		return nil
	}
	at := 0
	for word := range bytes.SplitSeq(inner, []byte(",")) {
		text := string(bytes.Trim(word, " \t\r\n\""))
		if at++; at%t.Stride == 1 {
			hash, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return fmt.Errorf("hash %.30q of a hash_map is no number", text)
			}
			if hash != emptyHash {
				t.rows[hash] = len(t.counts)
			}
			continue
		}
		n, err := strconv.ParseFloat(text, 32)
		if err != nil || !finite(n) {
			return fmt.Errorf("count %.30q of a hash_map is no number", text)
		}
		t.counts = append(t.counts, float32(n))
	}
	if at%t.Stride != 0 {
		return fmt.Errorf("hash_map of %d numbers in entries of %d", at, t.Stride)
	}
	return nil
}

// mix joins a part to a hash, as CatBoost does.
func mix(hash, part uint64) uint64 {
	const by = 0x4906ba494954cb65
	return by * (hash + by*part)
}

// signed is a category's hash as it takes part in a joint one: its 32 bits with their sign.
func signed(hash uint32) uint64 { return uint64(int64(int32(hash))) }

// value is the statistic at a hash, in float32 as CatBoost computes it. What
// was never seen has no counts.
func (c *catCtr) value(t *catCounts, hash uint64) float32 {
	var good, total float32
	counter := c.Type == "Counter" || c.Type == "FeatureFreq"
	if counter {
		total = t.Denominator
	}
	if at, ok := t.rows[hash]; ok {
		row := t.counts[at : at+t.Stride-1]
		switch {
		case counter:
			good = row[0]
		case c.Type == "BinarizedTargetMeanValue" || c.Type == "FloatTargetMeanValue":
			good, total = row[0], row[1]
		case c.Type == "Buckets":
			good = row[c.Target]
			for _, n := range row {
				total += n
			}
		default:
			for k, n := range row {
				if total += n; k > c.Target {
					good += n
				}
			}
		}
	}
	return ((good+c.Numerator)/(total+c.Denominator) + c.Shift) * c.Scale
}

// check refuses what value could not compute.
func (c *catCtr) check(t *catCounts) error {
	need := 1
	switch c.Type {
	case "Counter", "FeatureFreq":
	case "BinarizedTargetMeanValue", "FloatTargetMeanValue":
		need = 2
	case "Buckets", "Borders":
		need = c.Target + 1
		if c.Type == "Borders" {
			need = max(2, c.Target+2)
		}
	default:
		return fmt.Errorf("ctr_type %.40q is not supported", c.Type)
	}
	if t == nil {
		return fmt.Errorf("ctr_data has no table %.80q", c.Table)
	}
	if err := t.index(); err != nil {
		return err
	}
	if c.Target < 0 || t.Stride-1 < need {
		return fmt.Errorf("target border %d of a %s with %d counts", c.Target, c.Type, t.Stride-1)
	}
	return nil
}

// catTest is a test of a row, or what a split says when both sides are nil.
type catTest struct {
	node        Node
	set         []uint64 // of a Compare In
	left, right *catTest
	holds       bool
}

// split is the test of one split.
func (r *catReader) split(s *catSplit) (*catTest, error) {
	switch s.Type {
	case "FloatFeature":
		return r.over(s.Float, s.Border, r.no, r.yes)
	case "OneHotFeature":
		return r.is(s.Category, s.Value, r.yes, r.no)
	case "OnlineCtr":
		return r.statistic(s)
	}
	return nil, fmt.Errorf("split_type %.40q is not supported", s.Type)
}

// over asks whether a number is over a border.
func (r *catReader) over(float int, border float32, below, above *catTest) (*catTest, error) {
	n, ok := r.floats[float]
	if !ok {
		return nil, fmt.Errorf("numerical feature %d is not there", float)
	}
	n.Threshold = float64(border)
	return r.intern(catTest{node: n, left: below, right: above}, ""), nil
}

// is asks for one category.
func (r *catReader) is(category int, value int64, yes, no *catTest) (*catTest, error) {
	flat, ok := r.flats[category]
	if !ok {
		return nil, fmt.Errorf("categorical feature %d is not there", category)
	}
	name, ok := r.names[uint32(value)]
	if !ok {
		return nil, fmt.Errorf("the name of category %d of feature %d is missing\nhint: save with save_model(..., pool=training_pool)", value, flat)
	}
	code := r.codes[strconv.Itoa(flat)+" "+name]
	return r.intern(catTest{node: Node{Feature: int32(flat), Compare: Equal, Threshold: code, Missing: MissingNaN}, left: yes, right: no}, ""), nil
}

// intern returns the one test like it, so that equal tests are the same pointer.
func (r *catReader) intern(t catTest, members string) *catTest {
	if t.left == t.right {
		return t.left
	}
	key := fmt.Sprintf("%d %d %v %s %p %p", t.node.Feature, t.node.Compare, t.node.Threshold, members, t.left, t.right)
	if r.tests[key] == nil {
		r.tests[key] = &t
	}
	return r.tests[key]
}

// statistic unfolds a split on a ctr into tests of its elements: it is a
// function of categories, of which the file names those that were seen.
func (r *catReader) statistic(s *catSplit) (*catTest, error) {
	ctr, at := s.Index-r.before, 0
	for at < len(r.file.Features.Ctrs) && ctr >= len(r.file.Features.Ctrs[at].Borders) {
		ctr -= len(r.file.Features.Ctrs[at].Borders)
		at++
	}
	if ctr < 0 || at >= len(r.file.Features.Ctrs) || r.file.Features.Ctrs[at].Borders[ctr] != s.Border {
		return nil, fmt.Errorf("split_index %d is no border %v of a ctr", s.Index, s.Border)
	}
	if t := r.splits[s.Index]; t != nil {
		return t, nil
	}
	c := &r.file.Features.Ctrs[at]
	u := &unfolding{r: r, c: c, counts: r.file.Counts[c.Table], border: s.Border}
	for i := range c.Elements {
		switch e := &c.Elements[i]; e.Kind {
		case "cat_feature_value":
			u.cats = append(u.cats, e.Category)
		case "float_feature", "cat_feature_exact_value":
			u.bits = append(u.bits, e)
		default:
			return nil, fmt.Errorf("combination_element %.40q is not supported", e.Kind)
		}
	}
	if len(u.bits) > 8 || len(u.cats) > 8 {
		return nil, fmt.Errorf("a ctr of %d elements", len(c.Elements))
	}
	t, err := u.bit(nil)
	r.splits[s.Index] = t
	return t, err
}

// unfolding turns one ctr and border into tests.
type unfolding struct {
	r      *catReader
	c      *catCtr
	counts *catCounts
	border float32
	cats   []int
	bits   []*catElement
}

// bit tests the elements that are true or false, and then the categories.
func (u *unfolding) bit(known []uint64) (*catTest, error) {
	if len(known) == len(u.bits) {
		return u.category(0, 0, known)
	}
	no, err := u.bit(append(slices.Clip(known), 0))
	if err != nil {
		return nil, err
	}
	yes, err := u.bit(append(slices.Clip(known), 1))
	if err != nil {
		return nil, err
	}
	if e := u.bits[len(known)]; e.Kind == "float_feature" {
		return u.r.over(e.Float, e.Border, no, yes)
	}
	return u.r.is(u.bits[len(known)].Category, u.bits[len(known)].Value, yes, no)
}

func (u *unfolding) outcome(hash uint64) *catTest {
	if u.c.value(u.counts, hash) > u.border {
		return u.r.yes
	}
	return u.r.no
}

// category tests the categories from number i on; those that lead to the same tests stand
// in one set. A category that was never seen makes a hash that was not.
func (u *unfolding) category(i int, hash uint64, bits []uint64) (*catTest, error) {
	if i == len(u.cats) {
		for _, b := range bits {
			hash = mix(hash, b)
		}
		return u.outcome(hash), nil
	}
	flat, ok := u.r.flats[u.cats[i]]
	if !ok {
		return nil, fmt.Errorf("categorical feature %d is not there", u.cats[i])
	}
	other := u.outcome(emptyHash)
	members := map[*catTest][]int{}
	var order []*catTest
	for _, m := range u.r.known[flat] {
		if u.r.work++; u.r.work > u.r.g.lim.MaxNodes {
			return nil, fmt.Errorf("statistics of combinations of categories are too many to unfold\nhint: train with max_ctr_complexity=1, or export the model to another format")
		}
		t, err := u.category(i+1, mix(hash, signed(m.hash)), bits)
		if err != nil {
			return nil, err
		}
		if members[t] == nil {
			order = append(order, t)
		}
		members[t] = append(members[t], m.code)
	}
	t := other
	for _, to := range order {
		if to == other {
			continue
		}
		set, err := u.r.g.set(members[to])
		if err != nil {
			return nil, err
		}
		t = u.r.intern(catTest{node: Node{Feature: int32(flat), Compare: In, Missing: MissingNaN}, set: set, left: to, right: t}, fmt.Sprint(members[to]))
	}
	return t, nil
}

package tree

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// Sizes of the structures that XGBoost wrote to disk as they lay in memory,
// until version 2: learner, booster, tree, node, statistics of a node.
const (
	xgbLearnerBytes = 136
	xgbBoosterBytes = 160
	xgbTreeBytes    = 148
	xgbNodeBytes    = 20
	xgbStatBytes    = 16
)

// looksXGBoostBinary says whether a learner's structure is followed by the
// name of an objective.
func looksXGBoostBinary(b []byte) bool {
	r := &binaryReader{b: b}
	r.take(xgbLearnerBytes)
	name := r.text()
	_, _, ok := xgbObjective(string(bytes.TrimPrefix([]byte(name), []byte("gpu:"))))
	return r.err == nil && (ok || bytes.IndexByte([]byte(name), ':') > 0)
}

// binaryReader takes little-endian values until the first error.
type binaryReader struct {
	b   []byte
	at  int
	err error
}

func (r *binaryReader) take(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.b)-r.at) {
		r.err = fmt.Errorf("%d bytes are claimed at byte %d, %d are left\nhint: the file is truncated or damaged; save or copy it again", n, r.at, len(r.b)-r.at)
	}
	if r.err != nil {
		return nil
	}
	r.at += n
	return r.b[r.at-n : r.at]
}

// part returns the next n bytes as whole structures; zeros after an error.
func (r *binaryReader) part(n int) []byte {
	if b := r.take(n); b != nil {
		return b
	}
	return make([]byte, n)
}

// text reads a string behind its length.
func (r *binaryReader) text() string {
	n := binary.LittleEndian.Uint64(r.part(8))
	if n > 200 && r.err == nil {
		r.err = fmt.Errorf("a name of %d bytes at byte %d", n, r.at)
		return ""
	}
	return string(r.take(int(n)))
}

func i32(b []byte, at int) int32   { return int32(binary.LittleEndian.Uint32(b[4*at:])) }
func f32(b []byte, at int) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b[4*at:])) }

func readXGBoostBinary(b []byte, g *nursery) (*Ensemble, error) {
	r := &binaryReader{b: bytes.TrimPrefix(b, []byte("binf"))}
	learner := r.part(xgbLearnerBytes)
	objective, booster := r.text(), r.text()
	if r.err != nil {
		return nil, r.err
	}
	if booster != "gbtree" && booster != "dart" {
		return nil, fmt.Errorf("booster %q holds no trees\nhint: a linear model is assessed through ONNX", booster)
	}
	gbtree := r.part(xgbBoosterBytes)
	if r.err != nil {
		return nil, r.err
	}
	major := i32(learner, 5)
	facts := xgbFacts{objective: objective, base: []float64{float64(f32(learner, 0))}, features: int(i32(learner, 1)),
		classes: int(i32(learner, 2)), targets: int(i32(learner, 7)), margin: major < 1}
	if major < 1 {
		facts.targets = 1
	}
	if facts.classes < 0 || facts.targets < 0 {
		return nil, fmt.Errorf("%d classes and %d targets", facts.classes, facts.targets)
	}
	e, err := newXGBoost(facts)
	if err != nil {
		return nil, err
	}
	if major >= 1 {
		e.Version = versionText([]int{int(major), int(i32(learner, 6))})
	}
	trees := int(i32(gbtree, 0))
	if trees < 0 || trees > g.lim.MaxTrees || trees > len(r.b)/xgbTreeBytes {
		return nil, fmt.Errorf("%d trees in %d bytes", trees, len(r.b))
	}
	var all []xgbTree
	for i := range trees {
		t, err := r.tree()
		if err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
		all = append(all, t)
	}
	info := r.take(4 * trees)
	var drop []byte
	if booster == "dart" && trees > 0 {
		if n := binary.LittleEndian.Uint64(r.part(8)); n != uint64(trees) && r.err == nil {
			return nil, fmt.Errorf("weights of %d trees for %d", n, trees)
		}
		drop = r.take(4 * trees)
	}
	if r.err != nil {
		return nil, r.err
	}
	for i, t := range all {
		weight := 1.0
		if drop != nil {
			weight = float64(f32(drop, i))
		}
		if err := e.plant(g, t, int(i32(info, i)), weight); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	return e, nil
}

// tree reads one tree's nodes. Default directions are the top bit of the
// split's feature.
func (r *binaryReader) tree() (t xgbTree, err error) {
	head := r.part(xgbTreeBytes)
	n, width := int(i32(head, 1)), i32(head, 5)
	if r.err == nil && (n < 1 || n > len(r.b)/xgbNodeBytes) {
		return t, fmt.Errorf("%d nodes in %d bytes", n, len(r.b))
	}
	if r.err == nil && width > 1 {
		return t, fmt.Errorf("leaves of %d values are not supported", width)
	}
	nodes := r.take(n * xgbNodeBytes)
	r.take(n * xgbStatBytes)
	if r.err != nil {
		return t, r.err
	}
	for i := range n {
		node := nodes[i*xgbNodeBytes:]
		t.left, t.right = append(t.left, i32(node, 1)), append(t.right, i32(node, 2))
		index := binary.LittleEndian.Uint32(node[12:])
		t.feature = append(t.feature, int32(index&(1<<31-1)))
		t.defaultLeft = append(t.defaultLeft, index>>31 == 1)
		t.condition = append(t.condition, f32(node, 4))
	}
	return t, nil
}

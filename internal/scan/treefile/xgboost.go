package treefile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/window"
)

// Sizes of the structures that XGBoost wrote to disk as they lay in memory, until
// version 2: learner, booster of trees, linear booster, tree, node and its statistics.
const (
	learnerBytes = 136
	boosterBytes = 160
	linearBytes  = 136
	treeBytes    = 148
	nodeBytes    = 20
	statBytes    = 16
)

const (
	maxOutputs   = 1 << 20
	maxName      = 200     // bytes of an objective or a booster
	maxText      = 1 << 20 // bytes of an attribute's name
	deletedNode  = 1<<32 - 1
	defaultLeft  = 1 << 31
	nodesAtATime = 1024
)

// Binary reads the binary format that XGBoost wrote until version 2.
type Binary struct{}

// Name implements scan.Format.
func (Binary) Name() string { return "xgboost-binary" }

// Sniff implements scan.Format: the mark, or the names of an objective and of a booster behind a learner.
func (Binary) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if bytes.HasPrefix(head, []byte("binf")) {
		return scan.Sure
	}
	if len(head) < learnerBytes {
		return scan.No
	}
	objective, rest := word(head[learnerBytes:])
	booster, _ := word(rest)
	if bytes.IndexByte(objective, ':') > 0 && slices.Contains([]string{"gbtree", "dart", "gblinear"}, string(booster)) {
		return scan.Sure
	}
	return scan.No
}

// word takes a text of at most maxName bytes behind its length.
func word(b []byte) (text, rest []byte) {
	if len(b) < 8 {
		return nil, nil
	}
	n := binary.LittleEndian.Uint64(b)
	if n > maxName || n > uint64(len(b)-8) {
		return nil, nil
	}
	return b[8 : 8+n], b[8+n:]
}

// Scan implements scan.Format.
func (Binary) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	x := &xgb{ctx: ctx, in: in, out: out, r: window.New(in, 0, in.Size)}
	err := x.learner()
	var p *scan.Problem
	switch {
	case errors.As(err, &p), ctx.Err() != nil:
		return err
	case err != nil:
		return scan.Problemf("xgboost/broken", x.r.Offset(), "%v", err)
	case x.r.Left() > 0:
		x.deceive("trailing-bytes", x.r.Offset(), "CWE-436", "%d bytes stand behind the model", x.r.Left())
	}
	return nil
}

// xgb reads one file.
type xgb struct {
	ctx      context.Context
	in       *scan.Input
	out      *scan.Sink
	r        *window.Reader
	version  uint32
	features uint32
	groups   uint32
}

func (x *xgb) deceive(rule string, at int64, cite, evidence string, args ...any) {
	x.out.Find(scan.Finding{
		Rule: "xgboost/" + rule, Outcome: scan.Dangerous, Offset: at, Evidence: fmt.Sprintf(evidence, args...), Cites: []string{cite},
		Fix: "Do not load it: loaders that believe this use memory that is not theirs. Ask for the model to be saved again with save_model(\"model.ubj\").",
	})
}

// part takes a structure of n bytes.
func (x *xgb) part(n int) ([]byte, error) {
	at := x.r.Offset()
	b, err := x.r.Take(n)
	if err == nil {
		x.out.Structured(at, int64(n))
	}
	return b, err
}

func number(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }

// count reads how many things of least bytes each follow, which have to be there.
func (x *xgb) count(least int64) (int64, error) {
	b, err := x.part(8)
	if err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(x.r.Left()/least) {
		return 0, scan.Problemf("xgboost/count", x.r.Offset()-8, "%d values of %d bytes, %d bytes are left", n, least, x.r.Left())
	}
	return int64(n), nil
}

// data passes over n values of size bytes each.
func (x *xgb) data(n, size int64) error {
	at := x.r.Offset()
	err := x.r.Skip(uint64(n * size))
	if err == nil {
		x.out.Opaque(at, n*size)
	}
	return err
}

// name reads the name of an objective or a booster.
func (x *xgb) name() (string, error) {
	n, err := x.count(1)
	if err != nil {
		return "", err
	}
	if n == 0 || n > maxName {
		return "", fmt.Errorf("a name of %d bytes", n)
	}
	b, err := x.part(int(n))
	return string(b), err
}

// text passes over a text, which is looked into where something else may hide in it.
func (x *xgb) text() error {
	n, err := x.count(1)
	if err != nil {
		return err
	}
	at := x.r.Offset()
	if err := x.r.Skip(uint64(n)); err != nil {
		return err
	}
	x.out.Structured(at, n)
	return inside(x.ctx, x.in, x.out, at, n)
}

// leastInside is how many bytes of text may hold a file.
const leastInside = 16

// inside looks into a text of a model that may be a file of its own.
func inside(ctx context.Context, in *scan.Input, out *scan.Sink, at, n int64) error {
	if err := out.Spend(ctx, n); err != nil || n < leastInside {
		return err
	}
	return out.Embedded(ctx, at, io.NewSectionReader(in, at, n), n, false)
}

func (x *xgb) learner() error {
	if string(x.r.Peek(4)) == "binf" {
		if _, err := x.part(4); err != nil {
			return err
		}
	}
	learner, err := x.part(learnerBytes)
	if err != nil {
		return err
	}
	x.features, x.version = number(learner, 1), number(learner, 5)
	attributes, metrics := number(learner, 3) != 0, number(learner, 4) != 0
	x.groups = max(1, number(learner, 2))
	if x.version >= 1 {
		x.groups = max(x.groups, number(learner, 7))
	}
	if x.groups > maxOutputs || int32(x.features) < 0 {
		x.deceive("count", x.r.Offset()-learnerBytes, "CWE-130", "%d features and %d outputs", int32(x.features), int32(x.groups))
	}
	objective, err := x.name()
	if err != nil {
		return err
	}
	booster, err := x.name()
	if err != nil {
		return err
	}
	switch booster {
	case "gbtree", "dart":
		err = x.trees(booster == "dart")
	case "gblinear":
		err = x.linear()
	default:
		err = fmt.Errorf("a booster %q", booster)
	}
	if err != nil {
		return err
	}
	if attributes {
		if err := x.texts(2); err != nil {
			return err
		}
	}
	if x.version >= 1 || x.r.Left() == 0 {
		return nil
	}
	if objective == "count:poisson" { // versions before 1 wrote its limit of steps, and the names of metrics
		if err := x.text(); err != nil {
			return err
		}
	}
	if metrics && x.r.Left() > 0 {
		return x.texts(1)
	}
	return nil
}

// texts passes over a list of so many texts each.
func (x *xgb) texts(each int64) error {
	n, err := x.count(8 * each)
	for range n * each {
		if err != nil {
			return err
		}
		err = x.text()
	}
	return err
}

func (x *xgb) linear() error {
	if _, err := x.part(linearBytes); err != nil {
		return err
	}
	at := x.r.Offset()
	n, err := x.count(4)
	if err != nil {
		return err
	}
	if want := (int64(x.features) + 1) * int64(x.groups); n != want {
		x.deceive("count", at, "CWE-130", "%d weights for %d features and %d outputs", n, x.features, x.groups)
	}
	return x.data(n, 4)
}

func (x *xgb) trees(dart bool) error {
	at := x.r.Offset()
	booster, err := x.part(boosterBytes)
	if err != nil {
		return err
	}
	n := int64(number(booster, 0))
	if binary.LittleEndian.Uint64(booster[16:]) != 0 {
		return scan.Problemf("xgboost/predictions", at, "predictions are kept behind the trees, as the first versions did; they are not read")
	}
	if outputs := number(booster, 6); x.version == 0 && int32(outputs) > 0 {
		x.groups = max(x.groups, outputs)
	}
	if n > x.r.Left()/(treeBytes+nodeBytes+statBytes) {
		return scan.Problemf("xgboost/count", at, "%d trees, %d bytes are left", n, x.r.Left())
	}
	for i := range n {
		if err := x.tree(i); err != nil {
			return err
		}
	}
	for range n {
		at := x.r.Offset()
		b, err := x.part(4)
		if err != nil {
			return err
		}
		if group := number(b, 0); group >= x.groups {
			x.deceive("group", at, "CWE-787", "a tree adds to output %d of %d", int32(group), x.groups)
		}
	}
	if !dart || n == 0 {
		return nil
	}
	at = x.r.Offset()
	weights, err := x.count(4)
	if err == nil && weights != n {
		x.deceive("count", at, "CWE-130", "weights of %d trees for %d", weights, n)
	}
	if err != nil {
		return err
	}
	return x.data(weights, 4)
}

// tree reads one tree's nodes: what they refer to is there, and each is the child of one other at most.
func (x *xgb) tree(index int64) error {
	at := x.r.Offset()
	head, err := x.part(treeBytes)
	if err != nil {
		return err
	}
	n, vector := int64(number(head, 1)), number(head, 5)
	if n < 1 || n > x.r.Left()/(nodeBytes+statBytes) {
		return scan.Problemf("xgboost/count", at, "tree %d has %d nodes, %d bytes are left", index, int32(n), x.r.Left())
	}
	if err := x.out.Hold(n/8 + 1); err != nil {
		return err
	}
	defer x.out.Hold(-n/8 - 1)
	child := make([]byte, n/8+1)
	for first := int64(0); first < n; first += nodesAtATime {
		some := min(nodesAtATime, n-first)
		if err := x.out.Spend(x.ctx, some*nodeBytes); err != nil {
			return err
		}
		at := x.r.Offset()
		nodes, err := x.part(int(some * nodeBytes))
		if err != nil {
			return err
		}
		for i := range some {
			if why := x.node(nodes[i*nodeBytes:], n, child); why != "" {
				x.deceive("node", at+i*nodeBytes, "CWE-125", "tree %d, node %d: %s", index, first+i, why)
			}
		}
	}
	if err := x.data(n, statBytes); err != nil {
		return err
	}
	if x.version == 0 && vector != 0 {
		n, err := x.count(4)
		if err != nil {
			return err
		}
		return x.data(n, 4)
	}
	return nil
}

// node says what is wrong with a node of a tree of n, "" where nothing is.
func (x *xgb) node(b []byte, n int64, child []byte) string {
	left, right, split := number(b, 1), number(b, 2), number(b, 3)
	if split == deletedNode || int32(left) == -1 {
		return ""
	}
	for _, c := range []uint32{left, right} {
		if int64(c) >= n {
			return fmt.Sprintf("a child %d of %d", int32(c), n)
		}
		if c == 0 || child[c/8]>>(c%8)&1 != 0 {
			return fmt.Sprintf("node %d is the child of two, or of a node below it", c)
		}
		child[c/8] |= 1 << (c % 8)
	}
	if feature := split &^ defaultLeft; feature >= x.features {
		return fmt.Sprintf("it asks for feature %d of %d", feature, x.features)
	}
	return ""
}

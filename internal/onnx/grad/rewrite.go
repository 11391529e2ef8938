package grad

import (
	"slices"

	"github.com/assize/assize/internal/onnx"
)

// wiring says who makes and who reads the values of a graph.
type wiring struct {
	maker   map[string]int // place among the nodes
	readers map[string]int
}

// wiring looks at the nodes as they are. Outputs of the model and the value keep have
// readers outside.
func (g *Graph) wiring(keep string) wiring {
	w := wiring{map[string]int{}, map[string]int{keep: 2}}
	for _, v := range g.outputs {
		w.readers[v.Name] = 2
	}
	for i, n := range g.nodes {
		for _, in := range reads(n) {
			w.readers[in]++
		}
		for _, out := range n.Outputs {
			w.maker[out] = i
		}
	}
	return w
}

// trim makes convolutions compute only what the pool behind them reads, where its
// windows lie side by side and leave a rest at the ends. Nothing else changes, and the
// rules for pools without a rest apply, which are several times faster.
func (g *Graph) trim(keep string) {
	for _, pool := range slices.Clone(g.nodes) {
		if op := key(pool); op != "MaxPool" && op != "AveragePool" || len(pool.Outputs) != 1 {
			continue
		}
		c := &call{g: g, n: pool}
		w, sizes, out, err := c.pool()
		if err != nil {
			continue
		}
		if rest, ok := w.tiles(sizes, out); ok && slices.Max(rest) > 0 {
			g.trimTo(pool.Inputs[0], rest, g.wiring(keep))
		}
	}
}

// trimTo takes the rest off the value, which elementwise operators made of a convolution.
func (g *Graph) trimTo(value string, rest []int64, w wiring) {
	var chain []string
	for {
		at, ok := w.maker[value]
		if !ok || w.readers[value] != 1 || len(g.nodes[at].Outputs) != 1 {
			return
		}
		chain = append(chain, value)
		n := g.nodes[at]
		switch key(n) {
		case "Conv":
			if g.narrow(at, rest) {
				for _, v := range chain {
					s := slices.Clone(g.shapes[v])
					for i, r := range rest {
						s[2+i] = fixed(s[2+i].n - r)
					}
					g.shapes[v] = s
				}
			}
			return
		case "Pad":
			if pads, ok := (&call{g: g, n: n}).integers(1, "pads"); !ok || slices.ContainsFunc(pads, func(p int64) bool { return p != 0 }) {
				return
			}
		case "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Elu", "Identity", "BatchNormalization":
		default:
			return
		}
		value = n.Inputs[0]
	}
}

// narrow makes the convolution at that place compute less at its ends: with less
// padding there, and where that is not enough on a part of its input.
func (g *Graph) narrow(at int, rest []int64) bool {
	conv := *g.nodes[at]
	c := &call{g: g, n: &conv}
	k, ok := c.kernel()
	sizes, static := c.spatial(0)
	if !ok || !static || len(k) != len(rest) || len(sizes) != len(rest) {
		return false
	}
	w, ok := c.window(k)
	if !ok {
		return false
	}
	ends, cut := make([]int64, len(rest)), false
	for i, size := range sizes {
		out := w.outputs(i, fixed(size))
		if !out.known() || out.n <= rest[i] {
			return false
		}
		ends[i] = (out.n-rest[i]-1)*w.stride[i] + w.reach(i) - w.begin[i] // what is read of the input
		if ends[i] < 1 {
			return false
		}
		w.end[i] = max(0, ends[i]-size)
		ends[i] = min(ends[i], size)
		cut = cut || ends[i] < size
	}
	conv.Inputs = slices.Clone(conv.Inputs)
	conv.Attributes = slices.DeleteFunc(slices.Clone(conv.Attributes), func(a *onnx.Attribute) bool { return a.Name == "auto_pad" || a.Name == "pads" })
	conv.Attributes = append(conv.Attributes, Ints("pads", append(w.begin, w.end...)...))
	g.nodes[at] = &conv
	if !cut {
		return true
	}
	axes := upTo(2 + len(rest))[2:]
	part := &onnx.Node{OpType: "Slice", Inputs: []string{conv.Inputs[0], g.Integers(make([]int64, len(rest))...), g.Integers(ends...), g.Integers(axes...)},
		Outputs: []string{g.fresh()}}
	conv.Inputs[0] = part.Outputs[0]
	(&call{g: g, n: part}).infer()
	g.varying[part.Outputs[0]] = true
	g.nodes = slices.Insert(g.nodes, at, part)
	return true
}

// poolFirst swaps each Relu with the MaxPool that alone reads it: the result
// is the same, and its mask is the smaller one. The value keep stays.
func (g *Graph) poolFirst(keep string) {
	w := g.wiring(keep)
	for i, pool := range g.nodes {
		if key(pool) != "MaxPool" || len(pool.Outputs) != 1 || len(pool.Inputs) == 0 {
			continue
		}
		at, ok := w.maker[pool.Inputs[0]]
		if !ok || key(g.nodes[at]) != "Relu" || len(g.nodes[at].Outputs) != 1 || w.readers[pool.Inputs[0]] != 1 {
			continue
		}
		relu, pooled := *g.nodes[at], *pool
		middle := g.fresh()
		g.shapes[middle], g.types[middle] = g.shapes[pool.Outputs[0]], g.types[pool.Outputs[0]]
		pooled.Inputs, pooled.Outputs = relu.Inputs, []string{middle}
		relu.Inputs, relu.Outputs = []string{middle}, pool.Outputs
		// The Relu's place is before the pool's reader and after its input's maker.
		g.nodes[at], g.nodes[i] = &pooled, &relu
	}
}

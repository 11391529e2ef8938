package tree

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/onnx"
)

// readONNX reads a graph with one tree ensemble of ai.onnx.ml. What stands in
// front of it is folded into the splits, so that they speak of the graph's
// own inputs; what stands behind is the link.
func readONNX(b []byte, g *nursery) (*Ensemble, error) {
	lim := onnx.DefaultLimits()
	lim.MaxBytes = min(lim.MaxBytes, g.lim.MaxBytes)
	m, err := onnx.Read(b, lim)
	if err != nil {
		return nil, err
	}
	if m.Graph == nil {
		return nil, fmt.Errorf("the model has no graph")
	}
	var node *onnx.Node
	for _, n := range m.Graph.Nodes {
		if strings.HasPrefix(n.OpType, "TreeEnsemble") && n.Domain == "ai.onnx.ml" {
			if node != nil {
				return nil, fmt.Errorf("the graph has more than one tree ensemble\nhint: only a single one is searched exactly; assess it as a model without trees")
			}
			node = n
		}
	}
	if node == nil {
		return nil, fmt.Errorf("the graph has no tree ensemble of ai.onnx.ml\nhint: assess it as a model without trees")
	}
	if len(node.Inputs) != 1 {
		return nil, fmt.Errorf("%s with %d inputs", node.OpType, len(node.Inputs))
	}
	e := &Ensemble{Slope: 1, Version: fmt.Sprintf("ai.onnx.ml %d", m.Opset("ai.onnx.ml"))}
	enc, err := newEncoders(m, e)
	if err != nil {
		return nil, err
	}
	columns, err := enc.columns(node.Inputs[0], 0)
	if err != nil {
		return nil, err
	}
	double := enc.double(columns)
	e.Single, e.SingleSum = !double, !double
	p := &onnxPlanter{g: g, e: e, columns: columns, double: double}
	switch node.OpType {
	case "TreeEnsembleClassifier":
		err = p.classifier(node)
	case "TreeEnsembleRegressor":
		err = p.regressor(node)
	case "TreeEnsemble":
		err = p.ensemble(node)
	default:
		err = fmt.Errorf("operator %s is not supported", node.OpType)
	}
	if err != nil {
		return nil, err
	}
	enc.finish()
	return e, behind(m.Graph, node, &e.Link, e.Outputs)
}

// onnxPlanter turns the attributes of one operator into trees.
type onnxPlanter struct {
	g       *nursery
	e       *Ensemble
	columns []column // what the operator's input holds
	double  bool     // thresholds, weights and sums are float64
}

// links are the names of post_transform.
func onnxLink(name string) (Link, error) {
	switch name {
	case "", "NONE":
		return Identity, nil
	case "LOGISTIC":
		return Sigmoid, nil
	case "SOFTMAX":
		return Softmax, nil
	case "PROBIT":
		return Probit, nil
	}
	return "", fmt.Errorf("post_transform %s is not supported", name)
}

// classifier reads TreeEnsembleClassifier. With two classes and weights for
// one of them, ONNX Runtime makes the other's score: 1 minus it where no
// weight is negative (and then applies no logistic), else its negative.
func (p *onnxPlanter) classifier(n *onnx.Node) error {
	labels := 0
	for _, name := range [2]string{"classlabels_int64s", "classlabels_strings"} {
		if a := n.Attribute(name); a != nil {
			labels = max(labels, len(a.Ints), len(a.Strings))
		}
	}
	if labels < 2 {
		return fmt.Errorf("%d class labels", labels)
	}
	leaves, err := p.leaves(n, "class")
	if err != nil {
		return err
	}
	e := p.e
	var link string
	if a := n.Attribute("post_transform"); a != nil {
		link = string(a.String)
	}
	if e.Link, err = onnxLink(link); err != nil {
		return err
	}
	e.Classes, e.Outputs = labels, labels
	base, err := p.numbers(n, "base_values")
	if err != nil {
		return err
	}
	if one, positive := leaves.single(); labels == 2 && one {
		e.Outputs = 1
		if len(base) == 2 {
			base = base[1:]
		}
		switch {
		case positive && e.Link != Probit:
			e.Link = Share
		case e.Link != Sigmoid && e.Link != Identity:
			return fmt.Errorf("post_transform %s of two classes with weights for one is not supported", link)
		}
		clear(leaves.ids)
	}
	if err := p.base(base); err != nil {
		return err
	}
	if e.Classes == 2 && e.Outputs == 2 && (len(base) > 0 || !p.always(n, leaves)[1]) {
		return fmt.Errorf("two classes with weights for both, and a base value or a leaf that has none for the second, " +
			"are not supported: ONNX Runtime does not add them up\nhint: assess it as a model without trees")
	}
	return p.trees(n, leaves)
}

// regressor reads TreeEnsembleRegressor.
func (p *onnxPlanter) regressor(n *onnx.Node) error {
	leaves, err := p.leaves(n, "target")
	if err != nil {
		return err
	}
	targets := n.Int("n_targets", 1)
	if targets < 1 || targets > 100_000 {
		return fmt.Errorf("n_targets %d", targets)
	}
	e := p.e
	e.Outputs = int(targets)
	if a := n.Attribute("aggregate_function"); a != nil && string(a.String) != "SUM" {
		if string(a.String) != "AVERAGE" {
			return fmt.Errorf("aggregate_function %.20q is not supported", a.String)
		}
		e.Average = true
	}
	var link string
	if a := n.Attribute("post_transform"); a != nil {
		link = string(a.String)
	}
	if e.Link, err = onnxLink(link); err != nil {
		return err
	}
	base, err := p.numbers(n, "base_values")
	if err != nil {
		return err
	}
	if err := p.base(base); err != nil {
		return err
	}
	if len(base) > 0 && e.Outputs > 1 {
		for k, sure := range p.always(n, leaves) {
			if !sure && e.Base[k] != 0 {
				return fmt.Errorf("a base value for target %d, to which some leaves add nothing, is not supported: "+
					"ONNX Runtime then leaves it away\nhint: assess it as a model without trees", k)
			}
		}
	}
	return p.trees(n, leaves)
}

func (p *onnxPlanter) base(base []float64) error {
	p.e.Base = make([]float64, p.e.Outputs)
	if len(base) != 0 && len(base) != p.e.Outputs {
		return fmt.Errorf("%d base values for %d outputs", len(base), p.e.Outputs)
	}
	copy(p.e.Base, base)
	return nil
}

// numbers reads an attribute of floats, or the tensor that opset 3 put beside it.
func (p *onnxPlanter) numbers(n *onnx.Node, name string) ([]float64, error) {
	if a := n.Attribute(name + "_as_tensor"); a != nil && a.Tensor != nil {
		return a.Tensor.Float64s()
	}
	a := n.Attribute(name)
	if a == nil {
		return nil, nil
	}
	if a.Tensor != nil {
		return a.Tensor.Float64s()
	}
	out := make([]float64, len(a.Floats))
	for i, v := range a.Floats {
		out[i] = float64(v)
	}
	return out, nil
}

func ints(n *onnx.Node, name string) []int64 {
	if a := n.Attribute(name); a != nil {
		return a.Ints
	}
	return nil
}

// behind reads what follows the scores up to the graph's outputs.
// A normalisation to sum 1 of what sums to it changes nothing.
func behind(g *onnx.Graph, n *onnx.Node, link *Link, outputs int) error {
	if len(n.Outputs) == 0 {
		return fmt.Errorf("operator %s has no output", n.OpType)
	}
	scores := n.Outputs[len(n.Outputs)-1]
	if strings.HasSuffix(n.OpType, "Classifier") && len(n.Outputs) < 2 {
		return nil
	}
	reached := map[string]bool{scores: true}
	for _, next := range g.Nodes {
		from := false
		for _, in := range next.Inputs {
			from = from || reached[in]
		}
		if !from || next == n {
			continue
		}
		then := Link("")
		switch next.OpType {
		case "Identity", "Cast", "ZipMap", "Reshape", "Flatten", "ArgMax", "ArrayFeatureExtractor":
		case "Sigmoid":
			then = Sigmoid
		case "Softmax":
			then = Softmax
		case "Exp":
			then = Exp
		case "Normalizer":
			if a := next.Attribute("norm"); a == nil || string(a.String) != "L1" || *link != Softmax && (outputs != 1 || *link != Sigmoid && *link != Share) {
				return fmt.Errorf("operator Normalizer behind %s is not supported\nhint: assess it as a model without trees", *link)
			}
		default:
			return fmt.Errorf("operator %s behind the model is not supported\nhint: assess it as a model without trees", next.OpType)
		}
		if then != "" {
			if *link != Identity {
				return fmt.Errorf("operator %s behind %s is not supported", next.OpType, *link)
			}
			*link = then
		}
		for _, out := range next.Outputs {
			reached[out] = true
		}
	}
	return nil
}

package model

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/tree"
)

// nativeLimit bounds a tree library's own file.
const nativeLimit = 256 << 20

// native answers with a tree ensemble that is read from its library's own
// file, without ONNX Runtime.
type native struct {
	p       *tree.Program
	e       *tree.Ensemble
	kind    Kind
	flip    bool // the positive class is the first
	columns int
	out     []float64
}

// openNative makes a model of a file that a tree library wrote. It returns nil
// without an error where the file is none, so that it is opened as ONNX.
func openNative(spec *Spec) (*Model, []string, error) {
	head, err := os.Open(spec.Path)
	if err != nil {
		return nil, nil, nil // reading it as ONNX says why
	}
	defer head.Close()
	b, err := io.ReadAll(io.LimitReader(head, nativeLimit+1))
	if err != nil || !tree.Native(b) {
		return nil, nil, nil
	}
	e, err := tree.Read(b, tree.DefaultLimits())
	if err != nil {
		return nil, nil, fmt.Errorf("open model: %w", err)
	}
	if spec.Input.Tensor != "" || spec.Output.Tensor != "" {
		return nil, nil, fmt.Errorf("open model: a file of %s has no tensors\nhint: leave interface.input.tensor and interface.output.tensor out", e.Format)
	}
	n, err := newNative(e, spec)
	if err != nil {
		return nil, nil, err
	}
	if err := sameNames(e, spec); err != nil {
		return nil, nil, err
	}
	m, err := New(n, spec, e.Features, n.columns)
	if err != nil {
		return nil, nil, err
	}
	note := fmt.Sprintf("the model is read from %s and evaluated by Assize itself, not by the library that wrote it", e.Format)
	return m, append([]string{note}, levels(e)...), nil
}

// maxNamed bounds the categories that a note names.
const maxNamed = 200

// levels says which number stands for which category where the file names
// them, since the data must number them so.
func levels(e *tree.Ensemble) []string {
	var parts []string
	named := 0
	for f := range e.Features {
		var words []string
		for i, name := range e.Levels[f] {
			if named++; named <= maxNamed {
				words = append(words, fmt.Sprintf("%d %.60s", i, name))
			}
		}
		if words != nil && f < len(e.Names) {
			parts = append(parts, e.Names[f]+": "+strings.Join(words, ", "))
		}
	}
	if parts == nil {
		return nil
	}
	return []string{"categories are numbered as the file names them; " + strings.Join(parts, "; ")}
}

// newNative finds the columns that the declared kind asks for.
func newNative(e *tree.Ensemble, spec *Spec) (*native, error) {
	n := &native{p: e.Compile(), e: e, kind: spec.Output.Kind, flip: spec.Rule.Positive == 0}
	switch {
	case e.Classes == 0 && n.kind != Score:
		return nil, fmt.Errorf("open model: the trees predict a number, not classes\nhint: set interface.output.kind to score")
	case e.Classes > 2 && (n.kind == PositiveProbability || n.kind == Score):
		return nil, fmt.Errorf("open model: the trees tell %d classes apart, kind %s has one column\nhint: set interface.output.kind to probabilities", e.Classes, n.kind)
	case n.kind == Probabilities && e.Outputs == 1:
		n.columns = 2
	case n.kind == Probabilities, n.kind == Logits:
		n.columns = e.Outputs
	default:
		n.columns = 1
	}
	return n, nil
}

// sameNames refuses features that are not the file's, or in another order, where it names them.
func sameNames(e *tree.Ensemble, spec *Spec) error {
	if len(e.Names) == 0 || spec.Domain == nil || len(spec.Domain.Features) == 0 {
		return nil
	}
	if len(e.Names) > len(spec.Domain.Features) {
		for _, name := range e.Names {
			if !slices.ContainsFunc(spec.Domain.Features, func(f domain.Feature) bool { return f.Name == name }) {
				return fmt.Errorf("open model: it reads %q, and the domain has no such feature\nhint: list every input of the model, in its order, under domain.features", name)
			}
		}
	}
	if len(e.Names) != len(spec.Domain.Features) {
		return nil
	}
	for i, f := range spec.Domain.Features {
		if f.Name != e.Names[i] && slices.Contains(e.Names, f.Name) {
			return fmt.Errorf("open model: its feature %d is %q, the domain's is %q\nhint: list the features in the model's order", i, e.Names[i], f.Name)
		}
	}
	return nil
}

// Run implements Predictor.
func (n *native) Run(ctx context.Context, x []float32, rows int, out []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n.out = resize(n.out, rows*n.e.Outputs)
	n.p.Margins32(x[:rows*n.e.Features], n.out)
	for i := range rows {
		sums := n.out[i*n.e.Outputs : (i+1)*n.e.Outputs]
		if n.kind != Logits {
			n.e.Transform(sums)
		}
		n.write(sums, out[i*n.columns:(i+1)*n.columns])
	}
	return nil
}

// write turns the sums of one row, behind the link but for logits, into the declared columns.
func (n *native) write(sums []float64, to []float32) {
	switch {
	case n.kind == Label:
		to[0] = float32(n.class(sums))
	case n.kind == Probabilities && len(sums) == 1:
		to[0], to[1] = float32(1-sums[0]), float32(sums[0])
	case n.kind == PositiveProbability:
		p := sums[len(sums)-1]
		if n.flip {
			p = 1 - p
		}
		to[0] = float32(p)
	case n.kind == Logits && len(sums) == 1 && n.flip:
		to[0] = float32(-sums[0])
	default:
		for k := range to {
			to[k] = float32(sums[k])
		}
	}
}

// class is the class that the library predicts.
func (n *native) class(sums []float64) int {
	if len(sums) == 1 {
		limit := 0.5
		if n.e.Link == tree.Identity {
			limit = 0
		}
		if sums[0] > limit {
			return 1
		}
		return 0
	}
	best := 0
	for k, v := range sums {
		if v > sums[best] {
			best = k
		}
	}
	return best
}

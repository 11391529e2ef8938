package model

import (
	"context"
	"fmt"
	"math"
)

// CheckKind asks the bare model for a few rows, spread over the domain where
// there is one, and refuses answers that cannot be of the declared kind: a
// softmax that is declared as logits, or the other way round, turns every
// probability into another number without any error.
func (m *Model) CheckKind(ctx context.Context) error {
	const rows = 8
	out := make([]float32, rows*m.columns)
	if err := m.p.Run(ctx, m.rescale(m.spread(rows)), rows, out); err != nil {
		return fmt.Errorf("open model: it does not answer a plain batch: %w", err)
	}
	if m.asks != nil && m.asks.refused != nil {
		return nil // a service that checks its input need not take rows that relations of the domain rule out
	}
	outside, sums := false, true
	for i := range rows {
		sum := 0.0
		for _, v := range out[i*m.columns : (i+1)*m.columns] {
			f := float64(v)
			if math.IsNaN(f) {
				return nil // the probes find out what that means
			}
			outside = outside || f < -1e-6 || f > 1+1e-6
			sum += f
		}
		sums = sums && math.Abs(sum-1) < 1e-4
	}
	name := m.spec.Output.Tensor
	switch kind := m.spec.Output.Kind; {
	case (kind == Probabilities || kind == PositiveProbability) && outside:
		return fmt.Errorf("open model: output %q is declared as %s, but gives values outside 0 to 1\nhint: set interface.output.kind to logits or score", name, kind)
	case kind == Probabilities && m.columns > 1 && !sums && m.spec.Rule.Kind != PerClass:
		return fmt.Errorf("open model: output %q is declared as probabilities, but a row does not add up to 1\nhint: set interface.output.kind to logits, or name another output", name)
	case kind == Logits && m.columns > 1 && sums && !outside:
		return fmt.Errorf("open model: output %q is declared as logits, but every row lies in 0 to 1 and adds up to 1\nhint: set interface.output.kind to probabilities", name)
	}
	return nil
}

// spread makes rows that differ in every value, over the domain where there is one, else between 0 and 1.
func (m *Model) spread(rows int) []float32 {
	x := make([]float32, rows*m.width)
	for i := range x {
		x[i] = float32(math.Mod(float64(i+1)*0.6180339887, 1))
		if m.dom != nil {
			f := m.dom.Features()[i%m.width]
			x[i] = float32(f.Min + float64(x[i])*(f.Max-f.Min))
		}
	}
	if m.dom != nil && m.spec.Served != nil { // a service may check what it is sent
		for i := range rows {
			m.dom.Project(x[i*m.width:(i+1)*m.width], nil)
		}
	}
	return x
}

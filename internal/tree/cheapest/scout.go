package cheapest

import (
	"context"
	"math"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

const (
	// scoutNodes is how many nodes make an ensemble so large that few of its boxes can be
	// looked at, and a search over its leaves goes first.
	scoutNodes = 200_000
	// workPerBox is what a box of that search takes, in nodes that are looked at; scoutBoxes
	// bounds them.
	workPerBox = 100
	scoutBoxes = 1_000_000
	// unpriced stands for a price of 0, which a distance cannot have.
	unpriced = 1e-12
)

// newScout prepares the search over leaves, or returns nil where the ensemble is
// small or cannot be searched so. Its distances are never above what a change costs.
func (g *Engine) newScout(e *tree.Ensemble) *exact.Engine {
	nodes := 0
	for i := range e.Trees {
		nodes += len(e.Trees[i].Nodes)
	}
	if nodes < scoutNodes {
		return nil
	}
	space := exact.Space{Groups: make([][]int, len(g.groups))}
	for i, f := range g.dom.Features() {
		w := g.price[i]
		if at := g.group[i]; at >= 0 {
			space.Groups[at] = append(space.Groups[at], i)
			w /= 2 // one member goes and one comes, and only that is paid
			for _, other := range g.groups[at] {
				w = min(w, g.price[other]/2)
			}
		}
		move := map[domain.Mutability]exact.Move{domain.No: exact.Fixed, domain.Up: exact.Up, domain.Down: exact.Down}[f.Mutable]
		space.Features = append(space.Features, exact.Feature{Min: f.Min, Max: f.Max, Integer: g.whole[i], Move: move, Weight: max(w, unpriced)})
	}
	scout, err := exact.New(e, space)
	if err != nil {
		return nil
	}
	return scout
}

// ahead searches over leaves: what it finds is the first change that is known,
// and the price that it proves is the floor. done: nothing at all can gain.
func (s *search) ahead(ctx context.Context, aim exact.Aim) (done bool, err error) {
	if s.g.scout == nil || s.o.Margin || len(aim) == 0 {
		return false, nil
	}
	accept := func(x []float32) ([]float32, bool) {
		return x, s.g.dom.Feasible(x, s.orig) || s.g.dom.Project(x, s.orig)
	}
	got, err := s.g.scout.Search(ctx, s.orig, aim, exact.Options{
		Norm: exact.L1, Slack: s.g.Rounding(aim) + s.o.Noise, Boxes: min(1+s.o.Work/workPerBox, scoutBoxes), Accept: accept,
	})
	if err != nil {
		return false, err
	}
	s.res.Boxes += got.Boxes
	s.floor = got.Lower * (1 - near)
	if math.IsInf(got.Lower, 1) {
		return true, nil
	}
	if x := got.Witness; x != nil && s.g.dom.Feasible(x, s.orig) && (s.o.Accept == nil || s.o.Accept(x)) {
		s.best, s.res.X = s.g.Cost(x, s.orig), x
	}
	return false, nil
}

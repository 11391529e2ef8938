package evasion

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
)

// space is the domain in the units of the threat model: a displacement of 1 is
// the whole range of a feature (unit range) or one of its own units (raw).
type space struct {
	dom     *domain.Domain
	plain   bool
	norm    string
	epsilon float64
	scale   []float32 // feature units in a displacement of 1
	inverse []float32
	lo, hi  []float32
	free    []float32 // 1 for features that can change, else 0
	size    int       // number of features that can change
	jumps   []int32   // free features whose values are whole numbers, apart from members of groups
	groups  [][]int32 // members of the one-hot groups that can change
	spread  float64   // root mean square of the free features' ranges, in displacements
}

func newSpace(d *domain.Domain, p measure.Params) (*space, error) {
	s := &space{dom: d, plain: d.Plain(), norm: p.Text("norm"), epsilon: p.Float("epsilon")}
	switch s.norm {
	case "linf", "l2", "l1":
	default:
		return nil, fmt.Errorf("read threat model: norm %q is unknown\nhint: norms are linf, l2 and l1", s.norm)
	}
	unit := p.Text("unit")
	if unit != "range" && unit != "raw" {
		return nil, fmt.Errorf("read threat model: unit %q is unknown\nhint: units are range and raw", unit)
	}
	if !(s.epsilon > 0) {
		return nil, fmt.Errorf("read threat model: epsilon %v is not greater than 0", s.epsilon)
	}
	groups := map[string]int{}
	for i, f := range d.Features() {
		scale := float32(1)
		if unit == "range" {
			scale = float32(d.Scale()[i])
		}
		free := float32(1)
		if f.Mutable == domain.No || f.Min == f.Max {
			free = 0
		}
		s.scale, s.inverse = append(s.scale, scale), append(s.inverse, 1/scale)
		s.lo, s.hi = append(s.lo, float32(f.Min)), append(s.hi, float32(f.Max))
		s.free = append(s.free, free)
		if free == 0 {
			continue
		}
		s.size++
		span := (f.Max - f.Min) / float64(scale)
		s.spread += span * span
		switch g, ok := groups[f.Group]; {
		case f.Group != "" && ok:
			s.groups[g] = append(s.groups[g], int32(i))
		case f.Group != "":
			groups[f.Group] = len(s.groups)
			s.groups = append(s.groups, []int32{int32(i)})
		case f.Type != domain.Real:
			s.jumps = append(s.jumps, int32(i))
		}
	}
	s.spread = math.Sqrt(s.spread / float64(max(1, s.size)))
	return s, nil
}

// project moves x onto the domain as a change of orig, and says whether it could.
func (s *space) project(x, orig []float32) bool {
	if !s.plain {
		return s.dom.Project(x, orig)
	}
	lo, hi := s.lo[:len(x)], s.hi[:len(x)]
	for i, v := range x {
		x[i] = min(max(v, lo[i]), hi[i])
	}
	return true
}

// distance is the size of the change from orig to x in the threat model's norm and unit.
func (s *space) distance(x, orig []float32) float64 {
	inverse, orig := s.inverse[:len(x)], orig[:len(x)]
	switch s.norm {
	case "linf":
		most := float32(0)
		for i, v := range x {
			d := (v - orig[i]) * inverse[i]
			most = max(most, d, -d)
		}
		return float64(most)
	case "l1":
		sum := 0.0
		for i, v := range x {
			sum += math.Abs(float64((v - orig[i]) * inverse[i]))
		}
		return sum
	}
	sum := float32(0)
	for i, v := range x {
		d := (v - orig[i]) * inverse[i]
		sum += d * d
	}
	return math.Sqrt(float64(sum))
}

// within tells whether a distance is inside the threat model. A change that
// rounding to float32 makes a millionth larger still is.
func (s *space) within(distance float64) bool { return distance <= s.epsilon*(1+1e-6) }

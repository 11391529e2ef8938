package artefact

import (
	"fmt"
	"slices"
	"strings"
)

// Edge says that To was made from, answered by, or asked of From.
type Edge struct {
	From, To string
	Role     string // "made from", "answered by", "asked of"
}

// Lineage is the graph of which artefact comes from which.
type Lineage struct {
	Layers [][]Artefact // origins first; within a layer in the order given
	Edges  []Edge
}

// Trace orders the artefacts into layers, origins first. A name that nobody
// has, two artefacts of one name and a circle are errors that name the culprit.
func Trace(all []Artefact) (*Lineage, error) {
	byName := make(map[string]int, len(all))
	for i, a := range all {
		if _, twice := byName[a.Name]; twice {
			return nil, fmt.Errorf("trace lineage: two artefacts are named %q", a.Name)
		}
		byName[a.Name] = i
	}
	l := &Lineage{}
	parents := make([][]int, len(all))
	for i, a := range all {
		for _, e := range edgesInto(a) {
			from, ok := byName[e.From]
			if !ok {
				return nil, fmt.Errorf("trace lineage: artefact %q refers to %q, which is not among the artefacts", a.Name, e.From)
			}
			l.Edges = append(l.Edges, e)
			parents[i] = append(parents[i], from)
		}
	}
	placed := make([]bool, len(all))
	for done := 0; done < len(all); {
		var layer []int
		for i := range all {
			if !placed[i] && !slices.ContainsFunc(parents[i], func(p int) bool { return !placed[p] }) {
				layer = append(layer, i)
			}
		}
		if len(layer) == 0 {
			return nil, fmt.Errorf("trace lineage: %s come from one another in a circle", circle(all, placed))
		}
		row := make([]Artefact, 0, len(layer))
		for _, i := range layer {
			placed[i] = true
			row = append(row, all[i])
		}
		l.Layers = append(l.Layers, row)
		done += len(layer)
	}
	return l, nil
}

func edgesInto(a Artefact) []Edge {
	var edges []Edge
	for _, name := range a.From {
		edges = append(edges, Edge{From: name, To: a.Name, Role: "made from"})
	}
	if a.Of != "" {
		edges = append(edges, Edge{From: a.Of, To: a.Name, Role: "answered by"})
	}
	if a.On != "" {
		edges = append(edges, Edge{From: a.On, To: a.Name, Role: "asked of"})
	}
	return edges
}

func circle(all []Artefact, placed []bool) string {
	var names []string
	for i, a := range all {
		if !placed[i] {
			names = append(names, a.Name)
		}
	}
	return strings.Join(names, ", ")
}

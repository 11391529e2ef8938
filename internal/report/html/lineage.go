package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/report/wording"
)

// maxNodes bounds the graph; the table lists all artefacts in any case.
const maxNodes = 60

// node is a place in the graph: an artefact, or where an edge passes a layer.
type node struct {
	artefact *artefact.Artefact
	parents  []*node
	slot     int
	want     float64
}

// drawLineage draws the graph by layers, origins at the left, after Sugiyama,
// Tagawa and Toda 1981: long edges get a place in each layer that they pass, and each
// layer is ordered by where its parents stand.
func drawLineage(l *artefact.Lineage) *drawing {
	layerOf, total := map[string]int{}, 0
	for i, layer := range l.Layers {
		for _, a := range layer {
			layerOf[a.Name] = i
			total++
		}
	}
	if total == 0 || total > maxNodes {
		return nil
	}
	layers := make([][]*node, len(l.Layers))
	byName := map[string]*node{}
	for i, layer := range l.Layers {
		for j := range layer {
			n := &node{artefact: &layer[j]}
			byName[layer[j].Name] = n
			layers[i] = append(layers[i], n)
		}
	}
	type route struct {
		nodes []*node
		role  string
	}
	var routes []route
	for _, e := range merged(l.Edges) {
		r := route{role: e.Role, nodes: []*node{byName[e.From]}}
		for i := layerOf[e.From] + 1; i < layerOf[e.To]; i++ {
			via := &node{parents: []*node{r.nodes[len(r.nodes)-1]}}
			layers[i] = append(layers[i], via)
			r.nodes = append(r.nodes, via)
		}
		byName[e.To].parents = append(byName[e.To].parents, r.nodes[len(r.nodes)-1])
		r.nodes = append(r.nodes, byName[e.To])
		routes = append(routes, r)
	}
	rows := place(layers)
	const boxW, boxH, gapX, gapY = 138.0, 44.0, 96.0, 26.0
	d := &drawing{ID: "lineage-picture", Class: "lineage", Title: "Lineage of the artefacts",
		W: float64(len(layers))*(boxW+gapX) - gapX + 2, H: float64(rows)*(boxH+gapY) - gapY + 2}
	at := map[*node][2]float64{}
	for i, layer := range layers {
		for _, n := range layer {
			at[n] = [2]float64{1 + float64(i)*(boxW+gapX), 1 + float64(n.slot)*(boxH+gapY)}
		}
	}
	var said []string
	for _, r := range routes {
		first, second := at[r.nodes[0]], at[r.nodes[1]]
		x, y := first[0]+boxW, first[1]+boxH/2
		var b strings.Builder
		fmt.Fprintf(&b, "M%g %g", x, y)
		for k, n := range r.nodes[1:] {
			to, end := at[n], 0.0
			ty := to[1] + boxH/2
			if k == len(r.nodes)-2 {
				end = 7 // room for the head
			}
			fmt.Fprintf(&b, "C%g %g %g %g %g %g", x+gapX/2, y, to[0]-gapX/2, ty, to[0]-end, ty)
			x, y = to[0]+boxW, ty
			if end == 0 {
				fmt.Fprintf(&b, "L%g %g", x, y)
			} else {
				d.path("head", [2]float64{to[0] - 8, ty - 4}, [2]float64{to[0], ty}, [2]float64{to[0] - 8, ty + 4})
			}
		}
		d.Shapes = append(d.Shapes, shape{Kind: "path", Class: "edge", D: b.String()})
		d.text("role", "middle", first[0]+boxW+gapX/2, (first[1]+second[1]+boxH)/2-5, 0, r.role)
		from, to := r.nodes[0].artefact.Name, r.nodes[len(r.nodes)-1].artefact.Name
		said = append(said, fmt.Sprintf("%s was %s %s", to, r.role, from))
	}
	for _, layer := range layers {
		for _, n := range layer {
			if n.artefact != nil {
				p := at[n]
				d.rect("box", p[0], p[1], boxW, boxH, 0)
				d.text("strong", "start", p[0]+10, p[1]+19, boxW-20, n.artefact.Name)
				d.text("", "start", p[0]+10, p[1]+35, boxW-20, wording.Words(string(n.artefact.Kind)))
			}
		}
	}
	d.Desc = strings.Join(said, "; ") + "."
	return d
}

// merged joins edges between the same two artefacts. The narrower role says enough:
// what was answered by a model was made from it.
func merged(edges []artefact.Edge) []artefact.Edge {
	var out []artefact.Edge
	for _, e := range edges {
		i := slices.IndexFunc(out, func(o artefact.Edge) bool { return o.From == e.From && o.To == e.To })
		if i < 0 {
			out = append(out, e)
		} else {
			out[i].Role = e.Role
		}
	}
	return out
}

// place gives every node a slot in its layer and returns how many rows that takes.
func place(layers [][]*node) int {
	rows := 0
	for i, layer := range layers {
		for k, n := range layer {
			n.want = float64(k)
			if len(n.parents) > 0 {
				sum := 0
				for _, p := range n.parents {
					sum += p.slot
				}
				n.want = float64(sum) / float64(len(n.parents))
			}
		}
		if i > 0 {
			slices.SortStableFunc(layer, func(a, b *node) int { return cmp.Compare(a.want, b.want) })
		}
		free := 0
		for _, n := range layer {
			n.slot = max(free, int(n.want))
			free = n.slot + 1
		}
		rows = max(rows, free)
	}
	return rows
}

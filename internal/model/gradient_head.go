package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
	"github.com/assize/assize/internal/onnx/ort"
)

// head turns what a graph gives out into one score an outcome, so that the
// greatest is that of the decision.
type head struct {
	decisions []Decision // by column; a cut-off with a band inside one side has a column for each piece
	logits    bool       // the scores are the model's own logits
	from      string     // the value that is read; "": the output
	form      form
	cuts      []piece   // of a cut-off rule, in the units of the score that form gives
	refer     []float64 // of a rule with a cut-off for each class: minus the log of each
	value     bool      // there is no rule: half of the output up and half of it down, see Aim
}

// form says what the numbers are that head reads.
type form int

const (
	softmaxed     form = iota // logits of which a softmax makes the probabilities, or a score of its own scale
	oneByOne                  // logits of which a sigmoid makes each probability
	probabilities             // no logits were found: their logarithms stand for them
)

// piece is a range of the positive score with one outcome, [from, to).
type piece struct {
	from, to float64
	outcome  Decision
}

// prepare finds the head, and checks on a few rows that its scores say what
// the rule makes of the model's answers.
func (g *Gradient) prepare(ctx context.Context) error {
	m, w := g.m, g.w
	if m.spec.Output.Kind == Label {
		return errLabels
	}
	logits, found := grad.Logits(w.file, m.spec.Output.Tensor)
	var forms []form
	switch kind := m.spec.Output.Kind; {
	case kind == Logits || kind == Score:
		forms, logits = []form{softmaxed}, ""
	case found && m.spec.Rule.Kind == Argmax:
		forms = []form{softmaxed, probabilities}
	case found && m.columns > 1:
		forms = []form{softmaxed, oneByOne, probabilities}
	case found:
		forms = []form{oneByOne, probabilities}
	default:
		forms = []form{probabilities}
	}
	var err error
	for _, f := range forms {
		h := m.head(f)
		if h.from = logits; f == probabilities {
			h.from = ""
		}
		w.close()
		w.head = h
		var agrees bool
		if agrees, err = g.agrees(ctx); err == nil && agrees {
			return nil
		}
	}
	w.close()
	w.head = nil
	if err == nil {
		err = errors.New("differentiate model: the scores found in the graph do not explain its decisions\nhint: check interface.output.kind; attacks that only query the model still run")
	}
	return err
}

// agrees compares the decision of the greatest score with the rule's, apart
// from rows where two outcomes are nearly alike.
func (g *Gradient) agrees(ctx context.Context) (bool, error) {
	const rows = 32
	m, w := g.m, g.w
	bare := *m // under the same rule, with no solution before or behind it
	bare.chain, bare.noise, bare.answers = nil, nil, Answers{}
	whole := *g
	whole.m = &bare
	x, aims, decided := m.spread(rows), make([]Aim, rows), make([]Decision, rows)
	for i := range aims {
		aims[i].Target = -1
	}
	var s Slopes
	if err := whole.Evaluate(ctx, Margin, x, aims, &s); err != nil {
		return false, err
	}
	if err := bare.Decide(ctx, x, rows, decided); err != nil {
		return false, err
	}
	k := len(w.head.decisions)
	for i, d := range decided {
		scores := s.Scores[i*k : (i+1)*k]
		best := slices.Index(scores, slices.Max(scores))
		if d < 0 || w.head.decisions[best] == d {
			continue
		}
		at := slices.Index(w.head.decisions, d)
		if at < 0 || scores[best]-scores[at] > 1e-3*(1+float32(math.Abs(float64(scores[best])))) {
			return false, nil
		}
	}
	return w.head.form == probabilities || w.head.cuts == nil && w.head.refer == nil || m.explains(w.head, &s), nil
}

// explains tells whether the scores are those that the answers lead to, for
// rules that cut them somewhere.
func (m *Model) explains(h *head, s *Slopes) bool {
	probs := make([]float64, m.classes)
	k := len(h.decisions)
	for i := range s.N {
		answer := s.answers.Row(i)
		var want []float64
		if h.refer != nil {
			m.probabilities(answer, probs)
			reach := math.Inf(-1)
			for c, p := range probs {
				reach = max(reach, math.Log(p)+h.refer[c])
			}
			want = []float64{-reach} // the last column
		} else {
			v := m.positive(answer)
			if m.spec.Output.Kind != Score {
				v = math.Log(v) - math.Log1p(-v)
			}
			for _, p := range h.cuts {
				want = append(want, min(v-p.from, p.to-v))
			}
		}
		for c, v := range want {
			c += k - len(want)
			// Near 0 and 1 a probability of 32 bits holds little of its logarithm.
			if math.Abs(v) < 7 && math.Abs(v-float64(s.Scores[i*k+c])) > 0.02*(1+math.Abs(v)) {
				return false
			}
		}
	}
	return true
}

// head makes the head of the rule for numbers of a form.
func (m *Model) head(f form) *head {
	h := &head{form: f}
	r := &m.spec.Rule
	switch r.Kind {
	case Cutoff:
		h.cuts = r.pieces(m.spec.Output.Kind == Score)
		for _, p := range h.cuts {
			h.decisions = append(h.decisions, p.outcome)
		}
	case PerClass:
		for c, t := range r.Cutoffs {
			h.decisions = append(h.decisions, Decision(c))
			h.refer = append(h.refer, -math.Log(max(t, 1e-30)))
		}
		h.decisions = append(h.decisions, Decision(m.classes))
	case NoRule:
		h.decisions, h.value = []Decision{0, 0}, true
	default:
		for c := range m.classes {
			h.decisions = append(h.decisions, Decision(c))
		}
		h.logits = m.columns > 1
	}
	return h
}

// pieces cuts the line of positive scores where the outcome changes. The ends
// are on the scale of the score, or log-odds where it is a probability.
func (r *Rule) pieces(score bool) []piece {
	ends := []float64{math.Inf(-1), r.Cutoff}
	if r.Band != nil {
		ends = append(ends, r.Band[0], r.Band[1])
	}
	slices.Sort(ends)
	scaled := func(v float64) float64 {
		if !score && !math.IsInf(v, 0) {
			v = math.Log(max(0, v)) - math.Log(max(0, 1-v))
		}
		return max(never, min(-never, v))
	}
	var out []piece
	for i, from := range ends {
		to := math.Inf(1)
		if i+1 < len(ends) {
			to = ends[i+1]
		}
		p := piece{scaled(from), scaled(to), r.cut(from)}
		if last := len(out) - 1; last >= 0 && out[last].outcome == p.outcome {
			out[last].to = p.to
		} else if p.from < p.to {
			out = append(out, p)
		}
	}
	return out
}

// The names of what the package adds to a graph.
const (
	rowName    = "whitebox:row"
	aimName    = "whitebox:aim"
	ownName    = "whitebox:own"
	answerName = "whitebox:answer"
	scoresName = "whitebox:scores"
)

// run makes, once, the graph of a loss; with a step of one length, anew for another.
func (w *fit) run(m *Model, loss Loss, step *Step) (*run, error) {
	made, length := &w.runs[0][loss], float32(0)
	switch {
	case step != nil && step.Momentum != nil:
		made = &w.runs[2][loss]
	case step != nil:
		made, length = &w.runs[1][loss], step.Length
	}
	if *made != nil && (*made).length == length {
		return *made, nil
	}
	(*made).close()
	*made = nil
	row := m.InputShape()
	file := w.fed(m, row)
	input := file.Graph.Inputs[0].Name
	k := int64(len(w.head.decisions))
	options := grad.Options{
		Input: input, Output: w.output(m), Row: row,
		Head: func(g *grad.Graph, output string) (string, error) {
			return w.head.add(g, output, int64(m.columns), m.spec.Rule.Positive), nil
		},
		Loss: func(g *grad.Graph, scores string) (string, error) {
			w.rows = w.batch(m, g.Widest())
			batch := onnx.Dim{}
			if d := g.Dims(scores); len(d) == 2 && !d[0].Fixed {
				batch = d[0]
			}
			for _, name := range []string{aimName, ownName} {
				g.Input(name, onnx.Float, batch, onnx.Dim{Fixed: true, Value: k})
			}
			answer := g.Op("Cast", []string{m.spec.Output.Tensor}, grad.Int("to", int64(onnx.Float)))
			g.Alias(answerName, g.Op("Reshape", []string{answer, g.Integers(-1, int64(m.columns))}))
			wide := g.Alias(scoresName, g.Op("Cast", []string{scores}, grad.Int("to", int64(onnx.Float))))
			g.Output(answerName, onnx.Float, onnx.Dim{}, onnx.Dim{Fixed: true, Value: int64(m.columns)})
			g.Output(scoresName, onnx.Float, onnx.Dim{}, onnx.Dim{Fixed: true, Value: k})
			return g.Op("Cast", []string{cotangent(g, loss, wide, k)}, grad.Int("to", int64(g.Type(scores)))), nil
		},
	}
	in := []ort.Port{{Name: input, Row: row}, {Name: aimName, Row: []int64{k}}, {Name: ownName, Row: []int64{k}}}
	out := []ort.Port{{Name: answerName, Row: []int64{int64(m.columns)}}, {Name: scoresName, Row: []int64{k}}, {Name: grad.Gradient, Row: row}}
	if step != nil {
		width := int64(m.width)
		options.Step = func(g *grad.Graph, input, gradient string) error {
			step.add(g, input, gradient, width)
			return nil
		}
		more, fills := step.ports(width)
		in, out = append(in, more...), append(out, fills...)
		if step.Momentum == nil {
			out[2] = ort.Port{Name: moveName, Row: []int64{width}}
		}
	}
	extended, err := grad.Extend(file, options)
	if err != nil {
		return nil, err
	}
	var outputs []string
	for _, p := range out {
		outputs = append(outputs, p.Name)
	}
	session, err := ort.NewSession(extended.Bytes(), ort.Options{Outputs: outputs, Folder: w.folder})
	if err != nil {
		return nil, fmt.Errorf("differentiate model: %w", err)
	}
	binding, err := ort.Bind(session, in, out)
	if err != nil {
		return nil, errors.Join(err, session.Close())
	}
	*made = &run{session, binding, length}
	return *made, nil
}

// cached is how many numbers of a layer a processor's cache holds beside others.
const cached = 1 << 18

// batch is the number of rows of a run, given the size of the widest layer.
func (w *fit) batch(m *Model, widest int64) int {
	if w.fixed > 0 {
		return m.batch
	}
	return min(m.batch, max(8, int(cached/max(1, widest))))
}

// output is the value that is differentiated through the head.
func (w *fit) output(m *Model) string {
	if w.head.from != "" {
		return w.head.from
	}
	return m.spec.Output.Tensor
}

// close frees the graphs that were made.
func (w *fit) close() {
	for kind := range w.runs {
		for i, r := range w.runs[kind] {
			r.close()
			w.runs[kind][i] = nil
		}
	}
}

// close frees a graph, where there is one.
func (r *run) close() {
	if r != nil {
		// Nothing runs on it any more: an error would change nothing.
		_ = errors.Join(r.binding.Close(), r.session.Close())
	}
}

// fed is the file with the application's own row of float32 as its input:
// scaling and conversion become part of the graph.
func (w *fit) fed(m *Model, row []int64) *onnx.Model {
	var in *onnx.ValueInfo
	for _, v := range w.file.Inputs() {
		if v.Name == m.spec.Input.Tensor {
			in = v
		}
	}
	wide := in.Type != nil && in.Type.ElemType == onnx.Double
	if m.scale == nil && !wide {
		return w.file
	}
	c, g := *w.file, *w.file.Graph
	dims := []onnx.Dim{{}}
	if in.Type != nil && len(in.Type.Shape) > 0 {
		dims[0] = in.Type.Shape[0]
	}
	for _, d := range row {
		dims = append(dims, onnx.Dim{Fixed: true, Value: d})
	}
	input := &onnx.ValueInfo{Name: rowName, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true, Shape: dims}}
	g.Inputs = slices.Clone(g.Inputs)
	g.Inputs[slices.Index(g.Inputs, in)] = input
	g.Inputs[0], g.Inputs[slices.Index(g.Inputs, input)] = input, g.Inputs[0]
	g.ValueInfos = append(slices.Clone(g.ValueInfos), in)
	g.Initializers = slices.Clone(g.Initializers)
	var nodes []*onnx.Node
	at := rowName
	then := func(op, to string, inputs []string, attributes ...*onnx.Attribute) {
		nodes = append(nodes, &onnx.Node{OpType: op, Inputs: append([]string{at}, inputs...), Outputs: []string{to}, Attributes: attributes})
		at = to
	}
	if m.scale != nil {
		g.Initializers = append(g.Initializers, onnx.NewFloats(rowName+":scale", row, m.scale), onnx.NewFloats(rowName+":shift", row, m.shift))
		then("Mul", rowName+":scaled", []string{rowName + ":scale"})
		then("Add", rowName+":shifted", []string{rowName + ":shift"})
	}
	to := onnx.Float
	if wide {
		to = onnx.Double
	}
	then("Cast", in.Name, nil, grad.Int("to", int64(to)))
	g.Nodes = append(nodes, g.Nodes...)
	c.Graph = &g
	return &c
}

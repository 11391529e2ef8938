package model

import (
	"context"
	"math"
)

// Where a solution adds noise, an attack that follows one draw of it is led astray by every
// step. The attacker who knows of the noise climbs the mean of the losses of many
// draws (expectation over transformation; Athalye, Carlini and Wagner 2018, section 4.2), and takes a
// row for won only where these say that most answers gain. That is more than is asked for in the end, see
// Gained, so that few rows are lost to luck.

// usualDraws is how many, unless Average says otherwise.
const usualDraws = 10

// Average says over how many draws gradients are averaged where a solution adds noise.
func (g *Gradient) Average(draws int) { g.draws = max(1, draws) }

// Hope says whether a row is taken for won already where the mean answer of the draws gains, be it by their luck.
func (g *Gradient) Hope(hopes bool) { g.hopes = hopes }

// blurred is what averaging needs: the model without the noise, and noise of the attacker's own.
type blurred struct {
	bare  *Gradient
	own   jitter
	one   Slopes
	marks []float64    // mean answers
	far   [][2]float64 // sums of the margins and of their squares
}

func (g *Gradient) blur() *blurred {
	m := g.m
	if g.blurs != nil && g.blurs.own.seed[0] == ^m.noise.seed[0] {
		return g.blurs
	}
	bare := *m
	bare.chain, bare.noise, bare.answers = nil, nil, Answers{}
	own := *m.noise
	own.seed[0], own.asked, own.states, own.x = ^own.seed[0], nil, nil, nil
	g.blurs = &blurred{bare: &Gradient{m: &bare, w: g.w}, own: own}
	return g.blurs
}

// expected is evaluate where a solution adds noise.
func (g *Gradient) expected(ctx context.Context, loss Loss, x []float32, aims []Aim, step *Step, into *Slopes) error {
	b, m, n := g.blur(), g.m, len(aims)
	draws := g.draws
	if draws == 0 {
		draws = usualDraws
	}
	k, columns := g.Outcomes(), m.columns
	into.N, into.Sound = n, nil
	into.Loss, into.Won = resize(into.Loss, n), resize(into.Won, n)
	into.Gradient, into.Scores = resize(into.Gradient, len(x)), resize(into.Scores, n*k)
	b.marks, b.far = resize(b.marks, n*columns), resize(b.far, n)
	clear(into.Loss)
	clear(into.Gradient)
	clear(into.Scores)
	clear(b.marks)
	clear(b.far)
	share := 1 / float32(draws)
	b.own.states = b.own.states[:0]
	for i := range aims {
		b.own.states = append(b.own.states, b.own.state(x[i*m.width:(i+1)*m.width], -1))
	}
	for range draws {
		if err := b.bare.evaluate(ctx, loss, b.own.add(x), aims, nil, &b.one); err != nil {
			return err
		}
		for i, v := range b.one.Gradient {
			into.Gradient[i] += share * v
		}
		for i, v := range b.one.Scores {
			into.Scores[i] += share * v
		}
		for i, v := range b.one.answers.Scores {
			b.marks[i] += float64(v) / float64(draws)
		}
		for i, v := range b.one.Loss {
			into.Loss[i] += v / float64(draws)
			far := b.bare.m.Margin(&b.one.answers, i, aims[i].From)
			b.far[i][0] += far
			b.far[i][1] += far * far
		}
	}
	a := &into.answers
	a.N, a.K, a.Scores, a.Refused = n, columns, resize(a.Scores, n*columns), resize(a.Refused, n)
	for i, v := range b.marks {
		a.Scores[i] = float32(v)
	}
	clear(a.Refused)
	m.limit(a.Scores, a.Refused)
	for i, aim := range aims {
		into.Won[i] = m.Gains(aim.From, m.Decision(a, i)) && (g.hopes || clearly(b.far[i], float64(draws), float64(m.noise.draws)))
		if step != nil {
			at := i * m.width
			step.take(i, x[at:at+m.width], into.Gradient[at:at+m.width])
		}
	}
	return nil
}

// clearly tells whether margins, of which the sums over some draws are given, lie so far beyond 0 that the mean
// of as many as the system draws is there about seven times out of ten, and not by the luck of these.
func clearly(sums [2]float64, draws, system float64) bool {
	mean := sums[0] / draws
	spread := math.Sqrt(max(0, sums[1]/draws-mean*mean))
	return mean <= -spread*(0.5/math.Sqrt(system)+0.5/math.Sqrt(draws))
}

// take does to row i what the graph does in Advance.
func (s *Step) take(i int, x, slope []float32) {
	at := i * len(x)
	for j, g := range slope {
		sign := g // no number stays none
		if g == g && g != 0 {
			sign = float32(math.Copysign(1, float64(g)))
		}
		inside := func(v float32) float32 { return min(max(v, s.Lo[at+j]), s.Hi[at+j]) }
		v := x[j]
		if m := s.Momentum; m != nil {
			z, a := inside(v+float32(m.Lengths[i]*sign)), m.Shares[i]
			s.Next[at+j] = inside(v + float32(a*(z-v)) + float32((1-a)*(v-m.Before[at+j])))
			continue
		}
		slope[j] = s.Length * sign
		s.Next[at+j] = inside(v + slope[j])
	}
}

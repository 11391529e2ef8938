package model

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/assize/assize/internal/domain"
)

// Fresh is how many answers decide what a system does that is random on purpose: most of them.
const Fresh = 25

// jitter is the solution input-noise at work: the model is asked for a number of
// copies of each row, each with Gaussian noise of its own, and the mean of its scores is given out (Lecuyer et al.
// 2019, section 3.2); of labels the one that most copies get (Cohen, Rosenfeld and Kolter 2019, section 3.1).
// The noise of a question depends on the seed, the row on whose behalf it is
// asked, its input and how often it came up before: never on what it is asked beside.
type jitter struct {
	seed    [2]uint64
	sigma   []float32 // in the unit of each value; 0 where there is no noise
	draws   int
	asked   map[uint64]uint32 // by question; nil: the same question has the same noise
	states  []rand.PCG        // of the questions of a batch
	source  *shifting
	random  *rand.Rand
	x       []float32
	once    []float32
	sums    []float64
	refused []bool
}

// shifting is a source whose generator is put in as it is needed.
type shifting struct{ *rand.PCG }

// newJitter is the noise of a solution. Numbers alone have it, codes and yes or no have none.
func newJitter(s Solution, d *domain.Domain) (*jitter, error) {
	j := &jitter{draws: s.Draws, asked: map[uint64]uint32{}, source: &shifting{}}
	j.random = rand.New(j.source)
	if !(s.Sigma > 0) || math.IsInf(s.Sigma, 0) || s.Draws < 1 {
		return nil, fmt.Errorf("switch solution %q on: sigma %v or draws %d is not above 0", s.Name, s.Sigma, s.Draws)
	}
	if d == nil {
		return nil, fmt.Errorf("switch solution %q on: its sigma is a share of each feature's range, and the manifest declares no domain\nhint: add a domain to assize.yaml", s.Name)
	}
	numbers := 0
	for i, f := range d.Features() {
		sigma := 0.0
		if f.Type == domain.Real || f.Type == domain.Integer {
			sigma = s.Sigma * d.Scale()[i]
			numbers++
		}
		j.sigma = append(j.sigma, float32(sigma))
	}
	if numbers == 0 {
		return nil, fmt.Errorf("switch solution %q on: noise is added to numbers, and no feature is real or integer\nhint: delete the solution", s.Name)
	}
	return j, nil
}

// On lists the solutions that are on, in the order in which they act.
func (m *Model) On() []Solution { return slices.Clone(m.chain) }

// Random tells whether a solution makes the answers random on purpose.
func (m *Model) Random() bool { return m.noise != nil }

// Seed begins all randomness of the answers anew: the same questions in the
// same order, row by row, get the same answers again.
func (m *Model) Seed(seed [32]byte) {
	if m.noise != nil {
		m.noise.seed = [2]uint64{binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:16])}
		clear(m.noise.asked)
	}
}

// About says on behalf of which rows the next call of Predict or Decide asks, a
// number for each question, so that random answers do not depend on what rows it asks for together.
func (m *Model) About(rows []int) { m.about = rows }

// Usual is Predict and the decision on each of n rows: where answers are random on purpose,
// that of most of Fresh answers, and into holds one that led to it.
func (m *Model) Usual(ctx context.Context, x []float32, rows []int, into *Answers, out []Decision) error {
	n := len(rows)
	m.About(rows)
	if err := m.Predict(ctx, x, n, into); err != nil {
		return err
	}
	for i := range n {
		out[i] = m.Decision(into, i)
	}
	if !m.Random() {
		return nil
	}
	votes := make([]map[Decision]int, n)
	for i, d := range out[:n] {
		votes[i] = map[Decision]int{d: 1}
	}
	var again Answers
	for range Fresh - 1 {
		m.About(rows)
		if err := m.Predict(ctx, x, n, &again); err != nil {
			return err
		}
		for i := range n {
			d := m.Decision(&again, i)
			votes[i][d]++
			if now := votes[i][out[i]]; d != out[i] && (votes[i][d] > now || votes[i][d] == now && d < out[i]) {
				out[i], into.Refused[i] = d, again.Refused[i]
				copy(into.Row(i), again.Row(i))
			}
		}
	}
	return nil
}

// Gained asks whether x gains, coming from a decision on a row: once or, where answers
// are random on purpose, whether it does in most of Fresh answers.
func (m *Model) Gained(ctx context.Context, from Decision, row int, x []float32) (bool, error) {
	if !m.Random() {
		var answer [1]Decision
		err := m.Decide(ctx, x, 1, answer[:])
		return m.Gains(from, answer[0]), err
	}
	all, rows := make([]float32, 0, Fresh*len(x)), slices.Repeat([]int{row}, Fresh)
	for range Fresh {
		all = append(all, x...)
	}
	decisions := make([]Decision, Fresh)
	m.About(rows)
	if err := m.Decide(ctx, all, Fresh, decisions); err != nil {
		return false, err
	}
	won := 0
	for _, d := range decisions {
		if m.Gains(from, d) {
			won++
		}
	}
	return 2*won > Fresh, nil
}

// begin draws the beginning of the noise of a batch's questions that were not refused.
func (j *jitter) begin(x []float32, refused []bool, about []int) {
	w := len(j.sigma)
	j.states = j.states[:0]
	for i, r := range refused {
		if r {
			continue
		}
		row := -1
		if about != nil {
			row = about[i]
		}
		j.states = append(j.states, j.state(x[i*w:(i+1)*w], row))
	}
}

// state is the beginning of the noise of a question.
func (j *jitter) state(x []float32, row int) rand.PCG {
	h := mix(uint64(row) + j.seed[0])
	for _, v := range x {
		h = (h ^ uint64(math.Float32bits(v))) * 1099511628211 // FNV-1a over words
	}
	h = mix(h)
	count := uint32(0)
	if j.asked != nil {
		count = j.asked[h]
		j.asked[h]++
	}
	return *rand.NewPCG(h, mix(h^j.seed[1])+uint64(count))
}

// mix spreads every bit over all (Steele, Lea and Flood 2014, the finaliser of SplitMix).
func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// add writes the next noisy copies of the rows of x into j.x.
func (j *jitter) add(x []float32) []float32 {
	w := len(j.sigma)
	j.x = resize(j.x, len(x))
	for i := range j.states {
		j.source.PCG = &j.states[i]
		row, noisy := x[i*w:(i+1)*w], j.x[i*w:(i+1)*w]
		for k, v := range row {
			noisy[k] = v
			if s := j.sigma[k]; s > 0 {
				noisy[k] += s * float32(j.random.NormFloat64())
			}
		}
	}
	return j.x
}

// noisy asks the model for noisy copies of n rows and gives out what they come to.
func (m *Model) noisy(ctx context.Context, x []float32, n int, out []float32) error {
	j, k := m.noise, m.columns
	label := m.spec.Output.Kind == Label
	if label {
		k = m.classes
	}
	j.once, j.sums, j.refused = resize(j.once, n*m.columns), resize(j.sums, n*k), resize(j.refused, n)
	clear(j.sums)
	clear(j.refused)
	for range j.draws {
		if err := m.p.Run(ctx, m.rescale(j.add(x)), n, j.once); err != nil {
			return err
		}
		if m.asks != nil {
			mark(j.refused, m.asks.refused)
		}
		for i, v := range j.once {
			switch c := int(v); {
			case !label:
				j.sums[i] += float64(v)
			case float32(c) == v && c >= 0 && c < k:
				j.sums[i*k+c]++
			}
		}
	}
	for i := range out {
		if !label {
			out[i] = float32(j.sums[i] / float64(j.draws))
			continue
		}
		out[i] = -1 // no class, where no copy got one
		most := 0.0
		for c, votes := range j.sums[i*k : (i+1)*k] {
			if votes > most {
				out[i], most = float32(c), votes
			}
		}
	}
	return nil
}

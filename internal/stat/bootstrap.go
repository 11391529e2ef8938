package stat

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
)

// Statistic computes one or more values on weighted rows: weights[i] says how
// often row i is in the sample, and the values go to out, NaN where one is
// undefined. Rows with weight 0 must not matter. A statistic walks the rows in
// order and need not allocate; several metrics that share work belong in one.
type Statistic func(weights []int32, out []float64)

// Resampling says how a bootstrap draws. The zero value of Workers and of Strata
// is usable.
type Resampling struct {
	Rows      int    // number of rows, at least 2
	Resamples int    // number of bootstrap samples, at least 1; 1000 to 2000 for intervals
	Seed      uint64 // same seed, same result, whatever Workers is
	Workers   int    // goroutines, 1 if 0
	// Strata, if not nil, holds a stratum from 0 for each row, such as its class;
	// each sample then keeps the size of each stratum.
	Strata []int
}

// Bootstrap holds what resampling gave for each of the values of a statistic.
type Bootstrap struct {
	Estimates  []float64   // the values on the rows as they are
	Replicates [][]float64 // for each value, one per resample, in the order drawn
	Jackknife  [][]float64 // for each value, one per group of rows left out
}

// maxJackknifeGroups bounds the jackknife that BCa needs: up to this many rows
// each is left out alone, beyond it rows i, i+G, i+2G … are left out together,
// which estimates the same acceleration.
const maxJackknifeGroups = 500

// Run draws the samples with replacement and computes size values on each. Every
// worker calls newStatistic once and keeps what it returns to itself, so that
// the statistic may hold scratch space. Sample b depends on Seed and b alone.
// Efron and Tibshirani 1993, chapters 6 and 11. The error is the context's when
// it is cancelled.
func (r Resampling) Run(ctx context.Context, size int, newStatistic func() Statistic) (*Bootstrap, error) {
	order, ends, err := r.strata()
	if err != nil {
		return nil, err
	}
	if size < 1 {
		return nil, fmt.Errorf("run bootstrap: a statistic of %d values", size)
	}
	groups := min(r.Rows, maxJackknifeGroups)
	b := &Bootstrap{
		Estimates:  make([]float64, size),
		Replicates: matrix(size, r.Resamples),
		Jackknife:  matrix(size, groups),
	}
	weights := make([]int32, r.Rows)
	for i := range weights {
		weights[i] = 1
	}
	newStatistic()(weights, b.Estimates)

	workers := max(1, r.Workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			d := drawer{order: order, ends: ends, weights: make([]int32, r.Rows), out: make([]float64, size), statistic: newStatistic()}
			for g := w; g < groups && ctx.Err() == nil; g += workers {
				d.leaveOut(g, groups)
				d.record(b.Jackknife, g)
			}
			for s := w; s < r.Resamples && ctx.Err() == nil; s += workers {
				d.draw(r.Seed, uint64(s))
				d.record(b.Replicates, s)
			}
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("run bootstrap: %w", err)
	}
	return b, nil
}

// strata returns the rows ordered by stratum and the end of each stratum in that
// order.
func (r Resampling) strata() (order []int32, ends []int, err error) {
	if r.Rows < 2 {
		return nil, nil, fmt.Errorf("run bootstrap: %d rows, needs at least 2", r.Rows)
	}
	if r.Rows > MaxRows {
		return nil, nil, fmt.Errorf("run bootstrap: %d rows are more than %d", r.Rows, MaxRows)
	}
	if r.Resamples < 1 {
		return nil, nil, fmt.Errorf("run bootstrap: %d resamples, needs at least 1", r.Resamples)
	}
	if r.Strata == nil {
		return nil, []int{r.Rows}, nil
	}
	if len(r.Strata) != r.Rows {
		return nil, nil, fmt.Errorf("run bootstrap: %d rows and %d strata", r.Rows, len(r.Strata))
	}
	for i, s := range r.Strata {
		if s < 0 || s >= r.Rows {
			return nil, nil, fmt.Errorf("run bootstrap: row %d: stratum %d is outside 0 to %d", i, s, r.Rows-1)
		}
		for len(ends) <= s {
			ends = append(ends, 0)
		}
		ends[s]++
	}
	next := make([]int, len(ends))
	total := 0
	for s, count := range ends {
		next[s] = total
		total += count
		ends[s] = total
	}
	order = make([]int32, r.Rows)
	for i, s := range r.Strata {
		order[next[s]] = int32(i)
		next[s]++
	}
	return order, ends, nil
}

// drawer is what one worker keeps.
type drawer struct {
	order     []int32 // nil for the rows as they are
	ends      []int
	weights   []int32
	out       []float64
	statistic Statistic
	source    rand.PCG
}

func (d *drawer) draw(seed, sample uint64) {
	clear(d.weights)
	// The sample's number is spread over both halves of the state, so that
	// neighbouring samples start far apart.
	d.source.Seed(mix(seed+mix(sample)), mix(sample^mix(seed)))
	start := 0
	for _, end := range d.ends {
		size := uint32(end - start)
		for range size {
			at := start + int(below(&d.source, size))
			if d.order != nil {
				at = int(d.order[at])
			}
			d.weights[at]++
		}
		start = end
	}
}

func (d *drawer) leaveOut(group, groups int) {
	for i := range d.weights {
		d.weights[i] = 1
	}
	for i := group; i < len(d.weights); i += groups {
		d.weights[i] = 0
	}
}

func (d *drawer) record(to [][]float64, column int) {
	d.statistic(d.weights, d.out)
	for value, v := range d.out {
		to[value][column] = v
	}
}

// below draws uniformly from 0 to n-1 without bias. Lemire 2019.
func below(source *rand.PCG, n uint32) uint32 {
	product := (source.Uint64() >> 32) * uint64(n)
	if uint32(product) < n {
		threshold := -n % n
		for uint32(product) < threshold {
			product = (source.Uint64() >> 32) * uint64(n)
		}
	}
	return uint32(product >> 32)
}

// mix is the finaliser of SplitMix64. Steele, Lea and Flood 2014.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func matrix(rows, columns int) [][]float64 {
	cells := make([]float64, rows*columns)
	m := make([][]float64, rows)
	for i := range m {
		m[i] = cells[i*columns : (i+1)*columns : (i+1)*columns]
	}
	return m
}

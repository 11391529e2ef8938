// Package performance measures whether the model under test is the one that
// runs, and how well it does on rows whose truth is known.
package performance

import (
	"context"
	"fmt"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// Probes lists the probes of this family.
func Probes() []measure.Probe { return []measure.Probe{parity, classification, regression} }

// confidence of every interval that this package states.
const confidence = 0.95

// rowsParam bounds how many rows are drawn.
func rowsParam(thorough float64) measure.Param {
	return measure.Param{
		Name: "rows", Doc: "the most rows to use; they are drawn at random where the test set has more", Unit: "rows",
		Quick: 2000.0, Standard: 20000.0, Thorough: thorough,
	}
}

func rows(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) }

// answer asks the model for the rows of a case in parts, so that progress
// shows, and hands each row with its answers to take.
func answer(ctx context.Context, c *measure.Case, m *model.Model, take func(row int, a *model.Answers, i int) error) error {
	const part = 4096
	var a model.Answers
	n, w := len(c.Index), c.Data.Width
	if c.Data.Len() != n {
		return fmt.Errorf("measure rows: %d rows of data for %d row numbers", c.Data.Len(), n)
	}
	for from := 0; from < n; from += part {
		to := min(n, from+part)
		m.About(c.Index[from:to])
		if err := m.Predict(ctx, c.Data.X[from*w:to*w], to-from, &a); err != nil {
			return err
		}
		for i := range to - from {
			if err := take(from+i, &a, i); err != nil {
				return err
			}
		}
		c.Done(float64(to) / float64(n))
	}
	return nil
}

// share is k of n with its exact interval.
func share(k, n int) (result.Metric, error) {
	in, err := stat.ClopperPearson(k, n, confidence)
	if err != nil {
		return result.Metric{}, err
	}
	return result.Metric{
		Value: float64(k) / float64(n), Lower: in.Lower, Upper: in.Upper, N: n, K: &k,
		Unit: "share", Method: "clopper-pearson", Confidence: confidence,
	}, nil
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
)

// Baseline is the model that the target would be without the solutions that
// are part of the model itself, such as training on adversarial examples. A
// job whose list of solutions lacks them is done on it.
type Baseline struct {
	Name      string      `json:"name"`      // of its artefact
	Of        string      `json:"of"`        // name of the artefact that is assessed
	Solutions []string    `json:"solutions"` // that the target has and the baseline lacks
	Model     *model.Spec `json:"model"`
}

// modelFor returns the model that a job is about, with the solutions of its
// chain that are on, and the files that go with it.
func (c *child) modelFor(ctx context.Context, solutions []string) (*model.Model, []measure.File, error) {
	b := c.setup.Baseline
	if b == nil {
		m, err := c.model.With(solutions)
		return m, c.setup.Files, err
	}
	chain := slices.DeleteFunc(slices.Clone(solutions), func(s string) bool { return slices.Contains(b.Solutions, s) })
	of, other := c.model, b.Name
	switch len(solutions) - len(chain) {
	case len(b.Solutions):
	case 0:
		if c.baseline == nil {
			if err := c.openBaseline(ctx); err != nil {
				return nil, nil, fmt.Errorf("open baseline %q: %w", b.Name, err)
			}
		}
		of, other = c.baseline, b.Of
	default:
		return nil, nil, fmt.Errorf("switch solutions on: of %q some are on and some are off, and the baseline lacks all of them", b.Solutions)
	}
	m, err := of.With(chain)
	files := slices.DeleteFunc(slices.Clone(c.setup.Files), func(f measure.File) bool {
		return f.Artefact.Name == other || strings.HasPrefix(f.Artefact.Name, other+"#")
	})
	return m, files, err
}

func (c *child) openBaseline(ctx context.Context) error {
	m, _, err := model.Open(ctx, c.setup.Baseline.Model)
	if err != nil {
		return err
	}
	if err := m.CheckKind(ctx); err != nil {
		return err
	}
	if m.Width() != c.model.Width() || m.Columns() != c.model.Columns() {
		return fmt.Errorf("it turns %d numbers into %d, and the model that is assessed %d into %d\nhint: name a baseline with the same inputs and outputs", m.Width(), m.Columns(), c.model.Width(), c.model.Columns())
	}
	c.baseline = m
	return nil
}

package dataset

import (
	"fmt"

	"github.com/assize/assize/internal/domain"
)

// Guess makes a domain from what the data show, for a target that declares
// none: binary, integer or real, between the least and the greatest value
// seen, all free to change. Values of an array are named v0, v1 and on. Nobody has
// confirmed a guess; a decision that rests on one cannot be a pass.
func Guess(info *Info) []domain.Feature {
	features := make([]domain.Feature, len(info.Columns))
	for i, c := range info.Columns {
		f := domain.Feature{Name: fmt.Sprintf("v%d", i), Type: domain.Real, Min: c.Min, Max: c.Max, Mutable: domain.Yes}
		if info.Names != nil {
			f.Name = info.Names[i]
		}
		switch {
		case c.Integral && c.Min == 0 && c.Max == 1:
			f.Type = domain.Binary
		case c.Integral:
			f.Type = domain.Integer
		}
		features[i] = f
	}
	return features
}

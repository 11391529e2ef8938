package dataset

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/domain"
)

// objection says what is wrong with a value of this feature, or "". The
// range does not count: data outside it is worth measuring on.
func objection(t domain.Type, v float64) string {
	switch {
	case math.IsNaN(v):
		return "is not a number\nhint: fill in the value or leave the row out"
	case math.Abs(v) > math.MaxFloat32:
		return "is too large for a model's float32 input"
	}
	switch t {
	case domain.Binary:
		if v != 0 && v != 1 {
			return "is neither 0 nor 1, and the domain says binary"
		}
	case domain.Integer, domain.Ordinal, domain.Category:
		if v != math.Trunc(v) {
			return fmt.Sprintf("is not a whole number, and the domain says %s", t)
		}
	}
	return ""
}

// typeOf is the declared type of a column, Real where nothing is declared.
func typeOf(features []domain.Feature, col int) domain.Type {
	if len(features) == 0 {
		return domain.Real
	}
	return features[col].Type
}

package savedmodel

import (
	"context"
	"maps"
	"slices"
)

// Operators is what is known of TensorFlow's operators.
type Operators struct {
	vetted map[string]bool
	denied map[string]string
}

// KnownOperators reads the lists that SavedModels are judged by.
func KnownOperators() (*Operators, error) {
	w, err := newWalker(context.Background(), nil, nil)
	if err != nil {
		return nil, err
	}
	return &Operators{w.vetted, w.denied}, nil
}

// Find is the capability that an operator gives whoever runs it, "" where it computes
// and nothing else, and whether it is known at all.
func (o *Operators) Find(op string) (capability string, known bool) {
	return o.denied[op], o.vetted[op] || o.denied[op] != ""
}

// Denied lists the operators that give a capability.
func (o *Operators) Denied() []string { return slices.Sorted(maps.Keys(o.denied)) }

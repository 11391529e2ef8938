package catalogue

import (
	"slices"
)

// Lack is a gap that is computed from the kinds of coverage. It is never mixed
// with the gaps that the report judged.
type Lack struct {
	Subject Subject `json:"subject"`
	// Missing are the kinds that nothing published, read and marked gives.
	Missing []string `json:"missing"`
	// Degree says what is there instead, the best of it: "nothing",
	// "vocabularies and processes", "titles that nobody has read" or "drafts".
	Degree string `json:"degree"`
	// By are the standards that touch the subject, with why each does not close it.
	By []Touch `json:"by"`
}

// Touch is a standard that touches a subject without closing the gap.
type Touch struct {
	Standard Standard `json:"standard"`
	Kinds    []string `json:"kinds"`
	Why      string   `json:"why"`
}

// Measurable lists the kinds without which a requirement cannot be measured
// against.
func Measurable() []string { return []string{"method", "metric", "threshold"} }

// Lacks computes gaps: a subject that only vocabularies and process standards
// touch, or drafts, or titles that nobody has read, lacks methods, metrics or
// thresholds. A mark of "?" closes nothing, nor does a kind that no judge could
// tell. Kinds in q are not looked at.
func (t *Tables) Lacks(q Query) ([]Lack, error) {
	q.Kinds = nil
	m, err := t.Coverage(q)
	if err != nil {
		return nil, err
	}
	var out []Lack
	for i, subject := range m.Subjects {
		l := Lack{Subject: subject, Degree: "nothing"}
		given := map[string]bool{}
		rank := 0
		for _, r := range m.Rows {
			touch := touches(r, i)
			if touch.Why == "" && touch.Kinds == nil {
				continue
			}
			if touch.Why == "" {
				for _, k := range touch.Kinds {
					given[k] = true
				}
				continue
			}
			if n := slices.Index(degrees(), touch.Why); n > rank {
				rank = n
			}
			l.By = append(l.By, touch)
		}
		for _, k := range Measurable() {
			if !given[k] {
				l.Missing = append(l.Missing, k)
			}
		}
		if len(l.Missing) == 0 {
			continue
		}
		l.Degree = degrees()[rank]
		out = append(out, l)
	}
	return out, nil
}

// degrees orders what stands in place of a method, metric or threshold.
func degrees() []string {
	return []string{"nothing", "vocabularies and processes", "kinds that nobody could tell", "drafts", "titles that nobody has read"}
}

// touches says what one standard gives for a subject. Why is empty where it
// gives something that can be measured against.
func touches(r Covers, subject int) Touch {
	t := Touch{Standard: r.Standard}
	measurable, read, told := false, false, false
	for _, c := range r.Cells[subject] {
		if c.Mark == "" {
			continue
		}
		if !slices.Contains(t.Kinds, c.Kind) {
			t.Kinds = append(t.Kinds, c.Kind)
		}
		told = told || c.Kind != "unknown"
		if slices.Contains(Measurable(), c.Kind) && c.Mark == "x" {
			measurable = true
			read = read || c.Basis == "scope" || c.Basis == "full text"
		}
	}
	switch {
	case t.Kinds == nil:
	case !told:
		t.Why = "kinds that nobody could tell"
	case !measurable:
		t.Why = "vocabularies and processes"
	case r.State.Draft():
		t.Why = "drafts"
	case !read:
		t.Why = "titles that nobody has read"
	}
	return t
}

// Comparison holds the report's judged gaps against the computed ones.
type Comparison struct {
	Found  []Gap    `json:"found"`  // a computed gap lacks, in a requirement it names, a kind that it misses
	Missed []Missed `json:"missed"` // the rest, each with the reason
}

// Missed is a judged gap that the computation does not find.
type Missed struct {
	Gap Gap    `json:"gap"`
	Why string `json:"why"`
}

// Compare says which of the report's judged gaps the computation finds and
// which it cannot, and why. The computation looks at all inventories, or at
// those of q.
func (t *Tables) Compare(q Query) (*Comparison, error) {
	q.By = ByRequirement
	lacks, err := t.Lacks(q)
	if err != nil {
		return nil, err
	}
	gaps, err := t.Gaps()
	if err != nil {
		return nil, err
	}
	c := &Comparison{}
	for _, g := range gaps {
		wanted := slices.ContainsFunc(g.Lacks, func(k string) bool { return slices.Contains(Measurable(), k) })
		found := slices.ContainsFunc(lacks, func(l Lack) bool {
			return slices.Contains(g.Columns, l.Subject.ID) && slices.ContainsFunc(g.Lacks, func(k string) bool { return slices.Contains(l.Missing, k) })
		})
		switch {
		case found:
			c.Found = append(c.Found, g)
		case len(g.Lacks) == 0:
			c.Missed = append(c.Missed, Missed{g, "it is not about what standards hold, but about law, competence, roles, research or trade-offs"})
		case !wanted:
			c.Missed = append(c.Missed, Missed{g, "it asks for vocabulary, guidance or requirements, which the marks alone cannot show to be wanting"})
		case len(g.Columns) == 0:
			c.Missed = append(c.Missed, Missed{g, "it names no requirement of annexes A.3 and A.4"})
		default:
			c.Missed = append(c.Missed, Missed{g, "a standard now gives the method, metric or threshold that it misses"})
		}
	}
	return c, nil
}

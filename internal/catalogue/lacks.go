package catalogue

import "slices"

// Lack is a gap that is computed from the kinds of coverage. It is never mixed
// with the gaps that the report judged.
type Lack struct {
	Subject Subject `json:"subject"`
	// Missing are the kinds that nothing published gives, not even by its title.
	Missing []string `json:"missing"`
	// Claimed are the kinds that published standards give by titles that nobody
	// has read on.
	Claimed []string `json:"claimed"`
	// Best says what comes nearest to closing it.
	Best Shortfall `json:"best"`
	// By are the standards that touch the subject, with why each does not close it.
	By []Touch `json:"by"`
}

// Shortfall is why a standard does not close a gap.
type Shortfall string

// The shortfalls, from the furthest to the nearest.
const (
	Nothing   Shortfall = "nothing touches it"
	NotTold   Shortfall = "nobody could tell its kind"
	OtherKind Shortfall = "it gives no method, metric or threshold"
	Doubted   Shortfall = "it gives one, but a judge doubts that it covers this"
	IsDraft   Shortfall = "it is not published"
	Unread    Shortfall = "nobody has read more than its title"
)

func shortfalls() []Shortfall {
	return []Shortfall{Nothing, NotTold, OtherKind, Doubted, IsDraft, Unread}
}

// Touch is a standard that touches a subject. Why is empty where it gives
// something that the subject can be measured by.
type Touch struct {
	Standard Standard  `json:"standard"`
	Kinds    []string  `json:"kinds"` // as any judge told them
	Why      Shortfall `json:"why"`

	measures []string // the kinds that count, where it is published
}

// Measurable lists the kinds without which a requirement cannot be measured
// against.
func Measurable() []string { return []string{"method", "metric", "threshold"} }

// Lacks computes gaps: a subject that only vocabularies, processes and
// requirements touch, or drafts, or titles that nobody has read, lacks methods,
// metrics or thresholds. Marks and stages are those of the date asked for; the
// kinds are what any judge tells today, since a mark of the report has none.
// Kinds in q are not looked at.
func (t *Tables) Lacks(q Query) ([]Lack, error) {
	q.Kinds = nil
	m, err := t.Coverage(q)
	if err != nil {
		return nil, err
	}
	all, err := t.Cells()
	if err != nil {
		return nil, err
	}
	told := map[string][]Cell{}
	for _, c := range all {
		if c.By == m.By {
			told[c.Standard+" "+c.Subject] = append(told[c.Standard+" "+c.Subject], c)
		}
	}
	var out []Lack
	for i, subject := range m.Subjects {
		l := Lack{Subject: subject, Missing: []string{}, Claimed: []string{}, Best: Nothing, By: []Touch{}}
		closed := false
		for _, r := range m.Rows {
			if Mark(r.Cells[i]) == "" {
				continue
			}
			touch := touches(r, told[r.Standard.ID+" "+subject.ID])
			closed = closed || touch.Why == ""
			if slices.Index(shortfalls(), touch.Why) > slices.Index(shortfalls(), l.Best) {
				l.Best = touch.Why
			}
			l.By = append(l.By, touch)
		}
		if closed {
			continue
		}
		for _, k := range Measurable() {
			if slices.ContainsFunc(l.By, func(t Touch) bool { return slices.Contains(t.measures, k) }) {
				l.Claimed = append(l.Claimed, k)
			} else {
				l.Missing = append(l.Missing, k)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// touches says what one standard gives for a subject, by all that judges told.
func touches(r Covers, told []Cell) Touch {
	t := Touch{Standard: r.Standard, Kinds: []string{}}
	read := false
	for _, c := range told {
		if c.Kind == "unknown" {
			continue
		}
		if !slices.Contains(t.Kinds, c.Kind) {
			t.Kinds = append(t.Kinds, c.Kind)
		}
		if slices.Contains(Measurable(), c.Kind) && c.Mark == "x" {
			t.measures = append(t.measures, c.Kind)
			read = read || c.Basis == "scope" || c.Basis == "full text"
		}
	}
	measurable := slices.ContainsFunc(t.Kinds, func(k string) bool { return slices.Contains(Measurable(), k) })
	switch {
	case len(t.Kinds) == 0:
		t.Why = NotTold
	case !measurable:
		t.Why = OtherKind
	case t.measures == nil:
		t.Why = Doubted
	case r.State.Draft():
		t.Why, t.measures = IsDraft, nil
	case !read:
		t.Why = Unread
	}
	return t
}

// Comparison holds the report's judged gaps against the computed ones. Every
// judged gap is in one of the three.
type Comparison struct {
	Found   []Compared `json:"found"`   // nothing published gives what it misses
	Claimed []Compared `json:"claimed"` // only titles that nobody has read give it
	Missed  []Compared `json:"missed"`  // the computation cannot find it
}

// Compared is a judged gap, and why it stands where it does.
type Compared struct {
	Gap      Gap      `json:"gap"`
	Subjects []string `json:"subjects"` // requirements of computed gaps that it names
	Why      string   `json:"why"`
}

// Compare says which of the report's judged gaps the computation finds and
// which it cannot, and why. It looks at the requirements in all inventories, or
// in that of q.
func (t *Tables) Compare(q Query) (*Comparison, error) {
	q.By, q.Subjects = ByRequirement, nil
	lacks, err := t.Lacks(q)
	if err != nil {
		return nil, err
	}
	gaps, err := t.Gaps()
	if err != nil {
		return nil, err
	}
	c := &Comparison{Found: []Compared{}, Claimed: []Compared{}, Missed: []Compared{}}
	for _, g := range gaps {
		in := func(kinds func(Lack) []string) []string {
			var subjects []string
			for _, l := range lacks {
				wanted := func(k string) bool { return slices.Contains(g.Lacks, k) }
				if slices.Contains(g.Columns, l.Subject.ID) && slices.ContainsFunc(kinds(l), wanted) {
					subjects = append(subjects, l.Subject.ID)
				}
			}
			return subjects
		}
		missing := in(func(l Lack) []string { return l.Missing })
		claimed := in(func(l Lack) []string { return l.Claimed })
		switch {
		case missing != nil:
			c.Found = append(c.Found, Compared{g, missing, "nothing published gives it"})
		case claimed != nil:
			c.Claimed = append(c.Claimed, Compared{g, claimed, string(Unread)})
		default:
			c.Missed = append(c.Missed, Compared{g, []string{}, g.beyond()})
		}
	}
	return c, nil
}

// beyond says why the computation cannot find g.
func (g Gap) beyond() string {
	switch {
	case len(g.Lacks) == 0:
		return "it is about law, competence, roles, research or trade-offs, not about what standards hold"
	case !slices.ContainsFunc(g.Lacks, func(k string) bool { return slices.Contains(Measurable(), k) }):
		return "it asks for vocabulary, guidance or requirements, and marks do not show whether those suffice"
	case len(g.Columns) == 0:
		return "it names no requirement of annexes A.3 and A.4"
	}
	return "something published and read gives what it misses"
}

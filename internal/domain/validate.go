package domain

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxNameBytes = 256

// validate checks the features one by one, then what they must be together.
func validate(features []Feature) error {
	if len(features) == 0 {
		return fmt.Errorf("check features: there are none\nhint: list every input of the model, in its order")
	}
	seen := make(map[string]int, len(features))
	for i, f := range features {
		if problem, hint := f.problem(); problem != "" {
			return fmt.Errorf("check feature %d %q: %s\nhint: %s", i+1, clip(f.Name), problem, hint)
		}
		if j, twice := seen[f.Name]; twice {
			return fmt.Errorf("check feature %d %q: feature %d has the same name\nhint: names must differ; relations use them", i+1, f.Name, j+1)
		}
		seen[f.Name] = i
	}
	return validateGroups(features)
}

// problem says what is wrong with the feature by itself and how to mend it.
func (f Feature) problem() (problem, hint string) {
	switch {
	case strings.TrimSpace(f.Name) == "":
		return "the name is empty", "give every feature a name"
	case len(f.Name) > maxNameBytes:
		return fmt.Sprintf("the name has %d bytes", len(f.Name)), fmt.Sprintf("use at most %d", maxNameBytes)
	case !utf8.ValidString(f.Name) || strings.ContainsFunc(f.Name, unicode.IsControl):
		return "the name holds control characters or is not UTF-8", "use printable characters"
	}
	switch f.Type {
	case Real, Integer, Ordinal, Binary, Category:
	default:
		return fmt.Sprintf("unknown type %q", clip(string(f.Type))), "type is real, integer, ordinal, binary or category"
	}
	switch f.Mutable {
	case Yes, No:
	case Up, Down:
		if f.Type == Category {
			return fmt.Sprintf("a category has no order, so it cannot be mutable %q", f.Mutable), "use yes or no, or type ordinal"
		}
	default:
		return fmt.Sprintf("unknown mutability %q", clip(string(f.Mutable))), "mutable is yes, no, up or down"
	}
	for _, b := range []float64{f.Min, f.Max} {
		switch {
		case math.IsNaN(b) || math.Abs(b) > math.MaxFloat32:
			return fmt.Sprintf("range %v to %v is not finite in float32", f.Min, f.Max), "give the smallest and the largest value that can occur"
		case f.Type == Binary && b != 0 && b != 1:
			return fmt.Sprintf("binary with range %v to %v", f.Min, f.Max), "a binary feature ranges from 0 to 1; use integer for other codes"
		case f.Type != Real && b != math.Trunc(b):
			return fmt.Sprintf("type %s with range %v to %v", f.Type, f.Min, f.Max), "its bounds must be whole numbers; use real for others"
		}
	}
	if f.Min > f.Max {
		return fmt.Sprintf("min %v is over max %v", f.Min, f.Max), "swap them"
	}
	if !(f.Cost >= 0) || math.IsInf(f.Cost, 0) {
		return fmt.Sprintf("cost %v", f.Cost), "the cost of a change is zero (not stated) or more"
	}
	return "", ""
}

// validateGroups checks what the members of each one-hot group must share.
func validateGroups(features []Feature) error {
	type tally struct {
		first, size, canBe, mustBe int
	}
	groups := map[string]*tally{}
	var order []string
	for i, f := range features {
		if f.Group == "" {
			continue
		}
		t := groups[f.Group]
		if t == nil {
			t = &tally{first: i}
			groups[f.Group] = t
			order = append(order, f.Group)
		}
		t.size++
		t.canBe += int(f.Max)
		t.mustBe += int(f.Min)
		lead := features[t.first]
		switch {
		case f.Type != Binary:
			return fmt.Errorf("check group %q: member %q is %s\nhint: the members of a one-hot group are binary", clip(f.Group), f.Name, f.Type)
		case f.Mutable != Yes && f.Mutable != No:
			return fmt.Errorf("check group %q: member %q is mutable %q\nhint: a group changes as a whole: yes or no", clip(f.Group), f.Name, f.Mutable)
		case f.Mutable != lead.Mutable:
			return fmt.Errorf("check group %q: %q is mutable %q and %q is %q\nhint: a group changes as a whole: give all members the same", clip(f.Group), lead.Name, lead.Mutable, f.Name, f.Mutable)
		}
	}
	for _, name := range order {
		t := groups[name]
		switch {
		case t.size < 2:
			return fmt.Errorf("check group %q: %q is its only member\nhint: a one-hot group has two or more; remove the group", clip(name), features[t.first].Name)
		case t.canBe == 0:
			return fmt.Errorf("check group %q: no member can be 1\nhint: give at least one of them max 1", clip(name))
		case t.mustBe > 1:
			return fmt.Errorf("check group %q: %d members have min 1, and only one can be 1\nhint: give them min 0", clip(name), t.mustBe)
		}
	}
	return nil
}

// clip shortens what somebody wrote for an error line.
func clip(s string) string {
	if len(s) <= 120 {
		return s
	}
	return strings.ToValidUTF8(s[:120], "") + "…"
}

package tree

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// categories gives every category that a split asks for, or that a statistic was
// seen with, a number: the category itself where all of the feature's are
// whole numbers from 0, else its place in Levels.
func (r *catReader) categories() error {
	asked := map[int][]string{}
	hashes := map[string]uint32{}
	seen := map[string]bool{}
	ask := func(flat int, hash uint32) {
		if key := strconv.Itoa(flat) + " " + r.names[hash]; !seen[key] {
			seen[key], hashes[key] = true, hash
			asked[flat] = append(asked[flat], r.names[hash])
		}
	}
	if err := r.asked(ask); err != nil {
		return err
	}
	if err := r.counted(ask); err != nil {
		return err
	}
	r.codes, r.known = map[string]float64{}, map[int][]catCategory{}
	for flat, names := range asked {
		text := slices.ContainsFunc(names, func(name string) bool {
			n, err := strconv.ParseUint(name, 10, 24)
			return err != nil || strconv.FormatUint(n, 10) != name
		})
		if text {
			if r.e.Levels == nil {
				r.e.Levels = map[int][]string{}
			}
			r.e.Levels[flat] = names
		}
		for i, name := range names {
			key, code := strconv.Itoa(flat)+" "+name, i
			if !text {
				code, _ = strconv.Atoi(name)
			}
			r.codes[key] = float64(code)
			r.known[flat] = append(r.known[flat], catCategory{hashes[key], code})
		}
	}
	return nil
}

// asked names the categories that splits and statistics ask for one by one.
func (r *catReader) asked(ask func(flat int, hash uint32)) error {
	one := func(category int, value int64) error {
		flat, ok := r.flats[category]
		if !ok {
			return fmt.Errorf("categorical feature %d is not there", category)
		}
		if _, ok := r.names[uint32(value)]; !ok {
			return fmt.Errorf("the name of category %d of feature %d is missing\nhint: save with save_model(..., pool=training_pool)", value, flat)
		}
		ask(flat, uint32(value))
		return nil
	}
	each := func(s *catSplit) error {
		if s.Type != "OneHotFeature" {
			return nil
		}
		return one(s.Category, s.Value)
	}
	for _, t := range r.file.Oblivious {
		for i := range t.Splits {
			if err := each(&t.Splits[i]); err != nil {
				return err
			}
		}
	}
	for stack := append([]*catNode(nil), r.file.Trees...); len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n == nil || n.Split == nil {
			continue
		}
		if err := each(n.Split); err != nil {
			return err
		}
		stack = append(stack, n.Left, n.Right)
	}
	for i := range r.file.Features.Ctrs {
		for _, e := range r.file.Features.Ctrs[i].Elements {
			if e.Kind == "cat_feature_exact_value" {
				if err := one(e.Category, e.Value); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// counted names the categories that statistics were seen with. The tables hold
// hashes alone: a category of a feature is one whose hash is in a table of that
// feature by itself, or, where there is none, any that the file names.
func (r *catReader) counted(ask func(flat int, hash uint32)) error {
	alone := map[int]bool{}
	tables := map[string]bool{}
	hashes := slices.Sorted(maps.Keys(r.names))
	if len(r.file.Features.Ctrs) > 0 && len(hashes) == 0 {
		return fmt.Errorf("it has statistics of categories (ctr) and no names of categories\nhint: save with save_model(..., pool=training_pool)")
	}
	visit := func(single bool, do func(c *catCtr, flat int) error) error {
		for i := range r.file.Features.Ctrs {
			c := &r.file.Features.Ctrs[i]
			for _, e := range c.Elements {
				flat, ok := r.flats[e.Category]
				if e.Kind != "cat_feature_value" || single != (len(c.Elements) == 1) {
					continue
				}
				if !ok {
					return fmt.Errorf("categorical feature %d is not there", e.Category)
				}
				if err := do(c, flat); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for i := range r.file.Features.Ctrs {
		c := &r.file.Features.Ctrs[i]
		if err := c.check(r.file.Counts[c.Table]); err != nil {
			return err
		}
	}
	err := visit(true, func(c *catCtr, flat int) error {
		if alone[flat] = true; tables[c.Table] {
			return nil
		}
		tables[c.Table] = true
		if r.work += len(hashes); r.work > r.g.lim.MaxNodes {
			return fmt.Errorf("%d categories of %d statistics are too many", len(hashes), len(r.file.Features.Ctrs))
		}
		for _, h := range hashes {
			if _, ok := r.file.Counts[c.Table].rows[mix(0, signed(h))]; ok {
				ask(flat, h)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return visit(false, func(_ *catCtr, flat int) error {
		if alone[flat] {
			return nil
		}
		alone[flat] = true
		if r.work += len(hashes); r.work > r.g.lim.MaxNodes {
			return fmt.Errorf("%d categories of %d statistics are too many", len(hashes), len(r.file.Features.Ctrs))
		}
		for _, h := range hashes {
			ask(flat, h)
		}
		return nil
	})
}

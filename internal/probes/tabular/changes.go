package tabular

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// maxListed bounds the rows of the table of changes; all are in the file of rows.
const maxListed = 100

// move is one feature's column of changes.
type move struct {
	name, unit string
	by         []float64
}

func moves(rows *result.Rows) (all []move) {
	for _, c := range rows.Columns {
		if name, ok := strings.CutPrefix(c.Name, "d."); ok && c.Doc == changed {
			all = append(all, move{name, c.Unit, c.Values})
		}
	}
	return all
}

// words are a row's change as somebody says it, "2 months less of duration_months".
func words(all []move, i int) string {
	var parts []string
	for _, m := range all {
		d := m.by[i]
		group, one := strings.CutPrefix(m.unit, groupOf)
		switch {
		case d == 0, one && d < 0:
		case one:
			from := "none"
			for _, o := range all {
				if o.unit == m.unit && o.by[i] < 0 {
					from = o.name
				}
			}
			parts = append(parts, fmt.Sprintf("%s: %s instead of %s", group, short(m.name, group), short(from, group)))
		case m.unit == yesNo && d > 0:
			parts = append(parts, m.name+": yes instead of no")
		case m.unit == yesNo:
			parts = append(parts, m.name+": no instead of yes")
		default:
			parts = append(parts, m.name+": "+amount(d, m.unit))
		}
	}
	if parts == nil {
		return "nothing has to change"
	}
	return strings.Join(parts, "; ")
}

// short is a member's name without its group's.
func short(member, group string) string {
	if s, ok := strings.CutPrefix(member, group+"_"); ok && s != "" {
		return s
	}
	return member
}

// amount is a change with its direction and unit.
func amount(d float64, unit string) string {
	way := "more"
	if d < 0 {
		way = "less"
	}
	v := strconv.FormatFloat(math.Abs(d), 'g', 6, 64)
	if unit != "" {
		v += " " + unit
	}
	return v + " " + way
}

// tables say which features carry the flips, and the cheapest change of each row.
func tables(j *measure.Joint, unit string) []result.Table {
	all, flips, cost := moves(j.Rows), j.Rows.Column("flips"), j.Rows.Column("cost")
	var who []int
	for i, f := range flips {
		if f == 1 {
			who = append(who, i)
		}
	}
	if who == nil {
		return nil
	}
	type use struct {
		n   int
		row []string
	}
	var uses []use
	for _, m := range all {
		var by []float64
		for _, i := range who {
			if m.by[i] != 0 && (m.by[i] > 0 || !strings.HasPrefix(m.unit, groupOf)) {
				by = append(by, m.by[i])
			}
		}
		if by == nil {
			continue
		}
		typical := "taken up"
		if m.unit == yesNo {
			up := 0
			for _, d := range by {
				if d > 0 {
					up++
				}
			}
			typical = fmt.Sprintf("%d times to yes, %d times to no", up, len(by)-up)
		} else if !strings.HasPrefix(m.unit, groupOf) {
			typical = fmt.Sprintf("%s (%s to %s)", amount(stat.Quantile(by, 0.5), m.unit), amount(slices.Min(by), m.unit), amount(slices.Max(by), m.unit))
		}
		uses = append(uses, use{len(by), []string{m.name, fmt.Sprintf("%d of %d", len(by), len(who)), typical}})
	}
	sort.SliceStable(uses, func(a, b int) bool { return uses[a].n > uses[b].n })
	carry := result.Table{ID: "carriers", Title: "Features that carry the cheapest changes", Head: []string{"Feature", "Changed in", "By, median (least to most)"}}
	for _, u := range uses {
		carry.Rows = append(carry.Rows, u.row)
	}
	sort.SliceStable(who, func(a, b int) bool { return cost[who[a]] < cost[who[b]] })
	each := result.Table{ID: "changes", Title: "Cheapest change of each row, the cheapest first", Head: []string{"Row", "Change", "Price in " + unit}, Data: true, More: max(0, len(who)-maxListed)}
	for _, i := range who[:min(len(who), maxListed)] {
		each.Rows = append(each.Rows, []string{strconv.Itoa(j.Rows.Index[i]), words(all, i), strconv.FormatFloat(cost[i], 'g', 6, 64)})
	}
	return []result.Table{carry, each}
}

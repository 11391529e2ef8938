package terminal

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/wording"
)

// The attributes that a text may have, as ANSI codes.
const (
	bold   = "1"
	dim    = "2"
	red    = "1;31"
	green  = "1;32"
	yellow = "1;33"
)

func colourOf(v dossier.Verdict) string {
	switch v {
	case dossier.Pass:
		return green
	case dossier.Fail:
		return red
	case dossier.Inconclusive, dossier.NotAssessed:
		return yellow
	}
	return dim
}

// sheet lays lines out within a width. Everything on it was cleaned.
type sheet struct {
	strings.Builder
	width  int
	colour bool
	wide   runewidth.Condition // ambiguous characters are one column wide, whatever the locale says
}

func newSheet(o Options) *sheet {
	s := &sheet{width: max(o.Width, 60), colour: o.Colour}
	if o.Width <= 0 {
		s.width = 80
	}
	return s
}

func (s *sheet) flush(w io.Writer, what string) error {
	if _, err := io.WriteString(w, s.String()); err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	return nil
}

func (s *sheet) blank() { s.WriteByte('\n') }

func (s *sheet) paint(attribute, text string) string {
	if !s.colour || attribute == "" || text == "" {
		return text
	}
	return "\x1b[" + attribute + "m" + text + "\x1b[0m"
}

// para writes text from column indent, wrapped; lines after the first go hang columns further in.
func (s *sheet) para(indent, hang int, attribute, text string) {
	for i, line := range s.wrap(text, s.width-indent, hang) {
		pad := indent
		if i > 0 {
			pad += hang
		}
		s.WriteString(strings.Repeat(" ", pad) + s.paint(attribute, line) + "\n")
	}
}

// marked writes a mark in its colour, and text from column indent in bold.
func (s *sheet) marked(mark string, indent int, attribute, text string) {
	gap := strings.Repeat(" ", max(1, indent-s.wide.StringWidth(mark)))
	for i, line := range s.wrap(text, s.width-indent, 0) {
		if i > 0 {
			mark, gap = "", strings.Repeat(" ", indent)
		}
		s.WriteString(s.paint(attribute, mark) + gap + s.paint(bold, line) + "\n")
	}
}

// wrap breaks cleaned text between words, and within words that are longer than a line.
func (s *sheet) wrap(text string, width, hang int) []string {
	var lines []string
	line, room := "", width
	for word := range strings.FieldsFuncSeq(wording.Clean(text), breaks) {
		if line != "" && s.wide.StringWidth(line)+1+s.wide.StringWidth(word) > room {
			lines, line, room = append(lines, line), "", width-hang
		}
		if line != "" {
			line += " "
		}
		for s.wide.StringWidth(word) > room {
			head := s.wide.Truncate(word, room, "")
			lines, word, room = append(lines, head), word[len(head):], width-hang
		}
		line += word
	}
	return append(lines, line)
}

// fit is how wide each column must be for rows, which are cleaned in place.
func (s *sheet) fit(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			row[i] = wording.Clean(cell)
			widths[i] = max(widths[i], s.wide.StringWidth(row[i]))
		}
	}
	return widths
}

// table writes rows in columns of the given widths, numbers to the right.
// Where that does not fit, each row is a paragraph.
func (s *sheet) table(indent int, widths []int, right []bool, rows [][]string) {
	total := indent - 2
	for _, w := range widths {
		total += w + min(w, 1)*2
	}
	if total > s.width {
		for _, row := range rows {
			s.para(indent, 2, "", strings.Join(row, " "))
		}
		return
	}
	for _, row := range rows {
		line := strings.Repeat(" ", indent)
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-s.wide.StringWidth(cell))
			switch {
			case widths[i] == 0:
			case right[i]:
				line += pad + cell + "  "
			default:
				line += cell + pad + "  "
			}
		}
		s.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// breaks tells where a line may end: not at the narrow space between a number and its unit.
func breaks(r rune) bool { return r == ' ' || r == '\n' || r == '\t' }

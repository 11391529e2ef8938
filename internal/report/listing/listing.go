// Package listing writes a list of rows as a table for terminals, as CSV, JSON
// or Markdown. Every command that answers with rows uses it, so that formats are alike everywhere.
package listing

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/assize/assize/internal/report/wording"
)

// List is rows under named columns.
type List struct {
	Name    string // stable name of the list: "standards"
	Columns []Column
	Rows    [][]string
	Notes   []string // said below the rows, never among them; not in CSV
	// Sources says where the rows come from and how sure they are, for people.
	Sources []string
}

// Column is one column of a list.
type Column struct {
	Key   string // stable, snake_case: the JSON key and the CSV header
	Title string // for people; empty is Key with spaces
	// Wide lets a terminal wrap the column; others keep their width as long as it fits.
	Wide bool
	// Hidden leaves the column out of tables and Markdown.
	Hidden bool
}

// Formats are what Write knows.
func Formats() []string { return []string{"table", "csv", "json", "markdown"} }

// Write writes the list. Width is that of the terminal, 0 for 100 columns; it matters for tables alone.
func (l *List) Write(w io.Writer, format string, width int) error {
	switch format {
	case "table", "":
		return l.table(w, width)
	case "csv":
		return l.csv(w)
	case "json":
		return l.json(w)
	case "markdown":
		return l.markdown(w)
	}
	return fmt.Errorf("format %q is unknown\nhint: %s", format, strings.Join(Formats(), ", "))
}

func (c Column) title() string {
	if c.Title != "" {
		return c.Title
	}
	return strings.ReplaceAll(c.Key, "_", " ")
}

func (l *List) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	header := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		header[i] = c.Key
	}
	if err := out.Write(header); err != nil {
		return err
	}
	if err := out.WriteAll(l.Rows); err != nil {
		return fmt.Errorf("write %s: %w", l.Name, err)
	}
	return nil
}

// json writes {"list", "rows": [{key: value}], "notes", "sources"}, keys in the order of the columns.
func (l *List) json(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "{\n \"list\": %s,\n \"rows\": [", quoted(l.Name))
	for i, row := range l.Rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  {")
		for j, c := range l.Columns {
			if j > 0 {
				b.WriteString(", ")
			}
			b.WriteString(quoted(c.Key) + ": " + quoted(row[j]))
		}
		b.WriteByte('}')
	}
	b.WriteString("\n ]")
	for _, extra := range []struct {
		key   string
		lines []string
	}{{"notes", l.Notes}, {"sources", l.Sources}} {
		if extra.lines == nil {
			extra.lines = []string{}
		}
		list, err := json.Marshal(extra.lines)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, ",\n %s: %s", quoted(extra.key), list)
	}
	b.WriteString("\n}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always encodes
	return string(b)
}

func (l *List) markdown(w io.Writer) error {
	var b strings.Builder
	var head, rule []string
	for _, c := range l.Columns {
		if !c.Hidden {
			head, rule = append(head, escapeCell(c.title())), append(rule, "---")
		}
	}
	b.WriteString("| " + strings.Join(head, " | ") + " |\n| " + strings.Join(rule, " | ") + " |\n")
	for _, row := range l.Rows {
		var cells []string
		for j, c := range l.Columns {
			if !c.Hidden {
				cells = append(cells, escapeCell(row[j]))
			}
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	for _, n := range append(append([]string(nil), l.Notes...), l.Sources...) {
		b.WriteString("\n" + escapeCell(n) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// escapeCell keeps text from ending a cell or becoming a link or tag.
func escapeCell(s string) string {
	s = wording.Clean(s)
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "[", `\[`, "*", `\*`, "`", "\\`", "_", `\_`).Replace(s)
}

// table lays the rows out in columns; wide ones share what is left and wrap.
func (l *List) table(w io.Writer, width int) error {
	if width <= 0 {
		width = 100
	}
	var shown []int
	for j, c := range l.Columns {
		if !c.Hidden {
			shown = append(shown, j)
		}
	}
	cond := runewidth.Condition{}
	widths := l.widths(shown, width, &cond)
	var b strings.Builder
	line := func(cells []string) {
		wrapped := make([][]string, len(cells))
		height := 1
		for i, c := range cells {
			wrapped[i] = wrap(c, widths[i], &cond)
			height = max(height, len(wrapped[i]))
		}
		for k := range height {
			var out strings.Builder
			for i := range cells {
				text := ""
				if k < len(wrapped[i]) {
					text = wrapped[i][k]
				}
				if i > 0 {
					out.WriteString("  ")
				}
				out.WriteString(text + strings.Repeat(" ", max(0, widths[i]-cond.StringWidth(text))))
			}
			b.WriteString(strings.TrimRight(out.String(), " ") + "\n")
		}
	}
	var head, rule []string
	for i, j := range shown {
		head, rule = append(head, l.Columns[j].title()), append(rule, strings.Repeat("─", widths[i]))
	}
	line(head)
	line(rule)
	for _, row := range l.Rows {
		var cells []string
		for _, j := range shown {
			cells = append(cells, wording.Clean(row[j]))
		}
		line(cells)
	}
	if len(l.Rows) == 0 {
		b.WriteString("nothing found\n")
	}
	for _, n := range append(append([]string(nil), l.Notes...), l.Sources...) {
		b.WriteString("\n" + strings.Join(wrap(wording.Clean(n), width, &cond), "\n") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// widths gives each column its longest cell; where that is too much for the
// terminal, wide columns share what is left, in proportion to what they hold.
func (l *List) widths(shown []int, width int, cond *runewidth.Condition) []int {
	widths := make([]int, len(shown))
	total, wide := 2*(len(shown)-1), 0
	for i, j := range shown {
		widths[i] = cond.StringWidth(l.Columns[j].title())
		for _, row := range l.Rows {
			widths[i] = max(widths[i], cond.StringWidth(wording.Clean(row[j])))
		}
		total += widths[i]
		if l.Columns[j].Wide {
			wide += widths[i]
		}
	}
	if total <= width || wide == 0 {
		return widths
	}
	// First each wide column's longest word, so that no word is cut; then the rest by what is left over.
	room := width - (total - wide)
	least := make([]int, len(shown))
	for i, j := range shown {
		if l.Columns[j].Wide {
			least[i] = l.least(j, cond)
			room -= least[i]
			wide -= least[i]
		}
	}
	for i, j := range shown {
		if l.Columns[j].Wide {
			widths[i] = least[i] + max(0, room)*(widths[i]-least[i])/max(1, wide)
		}
	}
	return widths
}

// longestWord bounds what a wide column is given so that a word need not be cut.
const longestWord = 24

// least is the width that a wide column has at least: its longest word.
func (l *List) least(j int, cond *runewidth.Condition) int {
	n := cond.StringWidth(l.Columns[j].title())
	for _, row := range l.Rows {
		for word := range strings.FieldsSeq(wording.Clean(row[j])) {
			n = max(n, min(longestWord, cond.StringWidth(word)))
		}
	}
	return n
}

// wrap breaks text at spaces into lines of at most width columns; a longer word is cut.
func wrap(text string, width int, cond *runewidth.Condition) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		for cond.StringWidth(word) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			head := cond.Truncate(word, width, "")
			if head == "" {
				break
			}
			lines, word = append(lines, head), word[len(head):]
		}
		switch {
		case line == "":
			line = word
		case cond.StringWidth(line)+1+cond.StringWidth(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

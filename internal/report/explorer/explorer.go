// Package explorer writes the catalogue as one self-contained page on which
// coverage can be looked at: who covers what according to whom, where judges differ, which
// gaps were judged and which are computed, threats under all their names, and crosswalks.
//
// The page is whole without JavaScript: every mark is a link to the row that says who
// gave it on what basis. One inline script, named by its digest, adds filters, sorting
// and the same rows beside the mark that has the focus. Nothing is loaded from anywhere.
package explorer

import (
	"bytes"
	_ "embed" // the template, the style and the script
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/report/page"
)

//go:embed explorer.tmpl
var layout string

//go:embed explorer.css
var own string

//go:embed explorer.js
var script string

// Write writes the page on what t holds.
func Write(w io.Writer, t *catalogue.Tables) error {
	v, err := look(t)
	if err != nil {
		return fmt.Errorf("write explorer: %w", err)
	}
	tmpl, err := template.New("explorer").Funcs(template.FuncMap{"join": strings.Join, "slug": slug}).Parse(layout)
	if err != nil {
		return fmt.Errorf("write explorer: %w", err)
	}
	style := page.Style(own)
	v.Style, v.Script, v.Policy = template.CSS(style), template.JS(script), page.Policy(style, script)
	var b bytes.Buffer
	if err := tmpl.Execute(&b, v); err != nil {
		return fmt.Errorf("write explorer: %w", err)
	}
	if _, err := w.Write(page.Visible(b.Bytes())); err != nil {
		return fmt.Errorf("write explorer: %w", err)
	}
	return nil
}

// slug makes a word for the data attributes that filters compare.
func slug(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "-")
}

package annexiv

import (
	"bytes"
	_ "embed" // the template and the style
	"fmt"
	"html/template"
	"io"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/page"
)

//go:embed annexiv.tmpl
var layout string

//go:embed annexiv.css
var own string

// HTML writes the technical documentation of d as one self-contained page, made to
// be read, printed and pasted from.
func HTML(w io.Writer, d *dossier.Dossier) error {
	doc, err := Build(d)
	if err != nil {
		return err
	}
	t, err := template.New("annexiv").Parse(layout)
	if err != nil {
		return fmt.Errorf("write Annex IV: %w", err)
	}
	style := page.Style(own)
	var b bytes.Buffer
	err = t.Execute(&b, struct {
		*Document
		Policy string
		Style  template.CSS
	}{doc, page.Policy(style), template.CSS(style)})
	if err != nil {
		return fmt.Errorf("write Annex IV: %w", err)
	}
	if _, err := w.Write(page.Visible(b.Bytes())); err != nil {
		return fmt.Errorf("write Annex IV: %w", err)
	}
	return nil
}

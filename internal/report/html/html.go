// Package html writes a dossier as one self-contained page: no script, no
// request to anywhere, pictures inline, made to be read, printed and kept.
//
// Everything that the target says goes through html/template, none of it into
// an address or a style, and characters that could reorder or hide text are shown as escapes.
package html

import (
	"bytes"
	_ "embed" // the template and the style
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/page"
	"github.com/assize/assize/internal/report/wording"
)

//go:embed report.tmpl
var report string

//go:embed parts.tmpl
var parts string

//go:embed style.css
var own string

// Write writes the report of d to w, in one piece and only if all of it could be made.
func Write(w io.Writer, d *dossier.Dossier) error { return write(w, d, nil) }

func write(w io.Writer, d *dossier.Dossier, examples []Example) error {
	t, err := template.New("report").Funcs(functions()).Parse(report)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if t, err = t.Parse(parts); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, look(d, examples)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if _, err := w.Write(page.Visible(b.Bytes())); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func functions() template.FuncMap {
	return template.FuncMap{
		"words": wording.Words, "metric": wording.Metric, "sentence": wording.Sentence, "traffic": wording.Traffic, "symbol": wording.Symbol, "setby": wording.SetBy, "whose": wording.Whose, "moment": wording.Moment, "bytes": wording.Bytes,
		"percent": wording.Percent, "round": wording.Round, "points": wording.Points, "between": wording.Between, "p": wording.P, "seconds": wording.Seconds,
		"number": wording.Number, "in": wording.In, "interval": wording.Interval, "level": wording.Level,
		"whole":          func(n any) string { return wording.Whole(integer(n)) },
		"classification": wording.Classification,
		"join":           func(s []string) string { return strings.Join(s, ", ") },
		"verdicts":       wording.Verdicts,
		"framework":      wording.Framework,
	}
}

func integer(n any) int64 {
	switch n := n.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	}
	return 0
}

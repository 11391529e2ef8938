package annexiv

import (
	"fmt"
	"io"
	"strings"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/wording"
)

// Markdown writes the technical documentation of d as GitHub-flavoured Markdown.
// Placeholders begin with a bold "To be written by"; text of the target makes no markup.
func Markdown(w io.Writer, d *dossier.Dossier) error {
	doc, err := Build(d)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s\n", wording.Markdown(doc.Title), wording.Markdown(doc.About), wording.Markdown(doc.Summary()))
	for _, p := range doc.Points {
		fmt.Fprintf(&b, "\n## %s %s\n", p.Number, wording.Markdown(p.Title))
		for _, part := range p.Parts {
			fmt.Fprintf(&b, "\n### %s\n", wording.Markdown(part.Title))
			if part.State != Filled {
				fmt.Fprintf(&b, "\n> **%s** %s\n", wording.Markdown(part.Lead()), wording.Markdown(part.Text))
			}
			for _, block := range part.Blocks {
				b.WriteString("\n")
				markdownBlock(&b, block)
			}
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write Annex IV: %w", err)
	}
	return nil
}

func markdownBlock(b *strings.Builder, block Block) {
	if len(block.Head) == 0 {
		b.WriteString(wording.Markdown(block.Text) + "\n")
		return
	}
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + wording.Markdown(c) + " ")
		}
		b.WriteString("|\n")
	}
	line(block.Head)
	b.WriteString(strings.Repeat("| --- ", len(block.Head)) + "|\n")
	for _, r := range block.Rows {
		line(r)
	}
}

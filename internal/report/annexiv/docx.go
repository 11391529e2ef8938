package annexiv

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/wording"
)

// DOCX writes the technical documentation of d as an Office Open XML text (ECMA-376,
// part 1): headings that a table of contents finds, tables whose head repeats on each
// page, and placeholders in a style of their own, so that they can be found and replaced.
// The same dossier gives the same bytes.
func DOCX(w io.Writer, d *dossier.Dossier) error {
	doc, err := Build(d)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []struct{ name, content string }{
		{"[Content_Types].xml", contentTypes}, {"_rels/.rels", packageRelations}, {"docProps/core.xml", core(doc)},
		{"word/document.xml", body(doc)}, {"word/styles.xml", styles}, {"word/footer1.xml", footer(doc)}, {"word/_rels/document.xml.rels", documentRelations},
	} {
		out, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate})
		if err != nil {
			return fmt.Errorf("write Annex IV: %w", err)
		}
		if _, err := io.WriteString(out, f.content); err != nil {
			return fmt.Errorf("write Annex IV: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write Annex IV: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write Annex IV: %w", err)
	}
	return nil
}

// escaped is text as character data of XML.
func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(wording.Clean(s))) // a strings.Builder takes everything
	return b.String()
}

func core(d *Document) string {
	made := d.dossier.Ended
	if made.IsZero() {
		made = time.Unix(0, 0)
	}
	at := made.UTC().Format(time.RFC3339)
	return xml.Header + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
		`<dc:title>` + escaped(d.Title) + `</dc:title><dc:creator>` + escaped(d.dossier.Tool) + `</dc:creator><dc:language>en-GB</dc:language>` +
		`<dcterms:created xsi:type="dcterms:W3CDTF">` + at + `</dcterms:created><dcterms:modified xsi:type="dcterms:W3CDTF">` + at + `</dcterms:modified></cp:coreProperties>`
}

func body(d *Document) string {
	var b strings.Builder
	b.WriteString(xml.Header + `<w:document xmlns:w="` + wordSpace + `" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><w:body>`)
	paragraphs(&b, "Title", plainRun(d.Title))
	paragraphs(&b, "", plainRun(d.About))
	paragraphs(&b, "", boldRun(d.Summary()))
	for _, p := range d.Points {
		paragraphs(&b, "Heading1", plainRun(p.Number+"  "+p.Title))
		for _, part := range p.Parts {
			paragraphs(&b, "Heading2", plainRun(part.Title))
			switch part.State {
			case Placeholder:
				paragraphs(&b, "Placeholder", boldRun(part.Lead()+" ")+plainRun(part.Text))
			case Missing:
				paragraphs(&b, "Missing", boldRun(part.Lead()+" ")+plainRun(part.Text))
			}
			for _, block := range part.Blocks {
				if len(block.Head) == 0 {
					paragraphs(&b, "", plainRun(block.Text))
				} else {
					docxTable(&b, block)
				}
			}
		}
	}
	b.WriteString(`<w:sectPr><w:footerReference w:type="default" r:id="rId2"/><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr></w:body></w:document>`)
	return b.String()
}

func footer(d *Document) string {
	return xml.Header + `<w:ftr xmlns:w="` + wordSpace + `"><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr>` + plainRun(d.Title+" · ") +
		`<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p></w:ftr>`
}

func paragraphs(b *strings.Builder, style, runs string) {
	b.WriteString("<w:p>")
	if style != "" {
		b.WriteString(`<w:pPr><w:pStyle w:val="` + style + `"/></w:pPr>`)
	}
	b.WriteString(runs + "</w:p>")
}

func plainRun(s string) string {
	return `<w:r><w:t xml:space="preserve">` + escaped(s) + `</w:t></w:r>`
}

func boldRun(s string) string {
	return `<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">` + escaped(s) + `</w:t></w:r>`
}

// textWidth is the width between the margins, in twentieths of a point.
const textWidth = 11906 - 2*1134

// docxTable writes a table of fixed layout whose columns are as wide as their
// contents ask, within bounds; an empty paragraph keeps it from the next one.
func docxTable(b *strings.Builder, block Block) {
	widths := columnWidths(block)
	b.WriteString(`<w:tbl><w:tblPr><w:tblStyle w:val="Grid"/><w:tblW w:w="` + fmt.Sprint(textWidth) + `" w:type="dxa"/><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>`)
	for _, w := range widths {
		fmt.Fprintf(b, `<w:gridCol w:w="%d"/>`, w)
	}
	b.WriteString("</w:tblGrid>")
	row := func(cells []string, head bool) {
		b.WriteString(`<w:tr><w:trPr><w:cantSplit/>`)
		if head {
			b.WriteString("<w:tblHeader/>")
		}
		b.WriteString("</w:trPr>")
		for i, c := range cells {
			run := plainRun(c)
			if head {
				run = boldRun(c)
			}
			fmt.Fprintf(b, `<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/></w:tcPr>`, widths[i])
			paragraphs(b, "Cell", run)
			b.WriteString("</w:tc>")
		}
		b.WriteString("</w:tr>")
	}
	row(block.Head, true)
	for _, r := range block.Rows {
		row(r, false)
	}
	b.WriteString("</w:tbl>")
	paragraphs(b, "Cell", "")
}

// columnWidths gives each column what its longest word asks, up to 24 characters,
// and shares what is left by how much longer its longest text is, up to 64.
func columnWidths(block Block) []int {
	const characters = textWidth / 90 // of the cells' size that fit on a line
	widths, more := make([]int, len(block.Head)), make([]int, len(block.Head))
	left, wanted := characters, 0
	for i, h := range block.Head {
		longest := len([]rune(h))
		word := longestWord(h)
		for _, r := range block.Rows {
			longest, word = max(longest, len([]rune(r[i]))), max(word, longestWord(r[i]))
		}
		widths[i] = min(word, 24) + 3
		more[i] = max(0, min(longest, 64)-widths[i])
		left -= widths[i]
		wanted += more[i]
	}
	if left > 0 && wanted > 0 {
		for i := range widths {
			widths[i] += more[i] * left / wanted
		}
	}
	sum := 0
	for _, w := range widths {
		sum += w
	}
	for i := range widths {
		widths[i] = widths[i] * textWidth / sum
	}
	return widths
}

// longestWord counts the characters between spaces, slashes and hyphens.
func longestWord(s string) int {
	longest := 0
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" /-", r) }) {
		longest = max(longest, len([]rune(word)))
	}
	return longest
}

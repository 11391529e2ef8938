// Package coverage answers questions on standards that bear on several tables
// of the catalogue: which requirement an article is about, how gaps read as
// comments on a draft, and what a newer source says otherwise.
package coverage

import (
	"regexp"
	"slices"
	"strings"

	"github.com/assize/assize/internal/catalogue"
)

var articleWord = regexp.MustCompile(`^(article|art)\.?\s*`)

// steps parts "Art. 15(5)" into 15 and 5.
func steps(article string) []string {
	s := articleWord.ReplaceAllString(strings.ToLower(strings.TrimSpace(article)), "")
	return strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune("().,- ", c) })
}

// Article lists the requirements of the report's annexes that an article of the
// AI Act is about, however it is typed: "15(5)", "Art. 15 (5)", "15". An article
// above gives all requirements below it, one below gives the requirement that
// it is part of. The error is a *catalogue.NotFoundError with the articles known.
func Article(t *catalogue.Tables, article string) ([]catalogue.Column, error) {
	columns, err := t.Columns()
	if err != nil {
		return nil, err
	}
	want := steps(article)
	var found []catalogue.Column
	missing := &catalogue.NotFoundError{What: "requirement of the report for article", Query: article}
	for _, c := range columns {
		have := steps(c.Article)
		n := min(len(want), len(have))
		if n > 0 && slices.Equal(want[:n], have[:n]) {
			found = append(found, c)
		}
		missing.Suggestions = append(missing.Suggestions, strings.TrimPrefix(c.Article, "Art. ")+" ("+c.ID+")")
	}
	if found == nil {
		return nil, missing
	}
	return found, nil
}

package wording

import (
	"maps"
	"slices"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
)

// Count is how the criteria came out that one party set.
type Count struct {
	SetBy string
	By    []int // in the order of Verdicts
	Total int
}

// Counts lists a summary's counts by who set the criteria, strongest first. They
// are never added up over who set them.
func Counts(s dossier.Summary) []Count {
	parties := catalogue.SetBys()
	for _, p := range slices.Sorted(maps.Keys(s.Counts)) {
		if !slices.Contains(parties, p) {
			parties = append(parties, p)
		}
	}
	var counts []Count
	for _, p := range parties {
		c := Count{SetBy: p}
		for _, v := range Verdicts() {
			c.By = append(c.By, s.Counts[p][v])
			c.Total += s.Counts[p][v]
		}
		if c.Total > 0 {
			counts = append(counts, c)
		}
	}
	return counts
}

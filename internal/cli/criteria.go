package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) criteria() *cobra.Command {
	c := &cobra.Command{
		Use:   "criteria [ID]",
		Short: "List the criteria that decide, or explain one",
		Long: `A criterion reads one metric of one probe and decides. It says who set it: the
law, a standard, the provider, the assessor, or a default of this project.`,
		Example: `  assize criteria
  assize criteria default/agreement
  assize criteria --format csv`,
		Args: atMost(1, "one criterion, or none"),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			k, err := t.Catalogue()
			if err != nil {
				return err
			}
			l := criteriaList(k)
			if len(args) > 0 {
				found, err := find("criterion", args[0], k.Criteria)
				if err != nil {
					return err
				}
				l = criterion(k, found)
			}
			if l.Sources, err = sources(t, "criteria.yaml"); err != nil {
				return err
			}
			return a.show(c, l)
		},
	}
	addListFlags(c)
	return c
}

// find looks a row up by its id, or by a part of it that no other has.
func find[T catalogue.Row](what, id string, rows []T) (T, error) {
	e := &catalogue.NotFoundError{What: what, Query: id}
	var part []T
	for _, r := range rows {
		if strings.EqualFold(r.Key(), id) {
			return r, nil
		}
		if strings.Contains(strings.ToLower(r.Key()), strings.ToLower(id)) {
			part = append(part, r)
		}
	}
	if len(part) == 1 {
		return part[0], nil
	}
	if e.Ambiguous = len(part) > 1; !e.Ambiguous {
		part = rows
	}
	for _, r := range part {
		e.Suggestions = append(e.Suggestions, r.Key())
	}
	var none T
	return none, e
}

func criteriaList(k *catalogue.Catalogue) *listing.List {
	l := &listing.List{Name: "criteria", Columns: []listing.Column{
		{Key: "id"}, {Key: "goal"}, {Key: "kind", Hidden: true}, {Key: "probe", Hidden: true}, {Key: "metric", Wide: true}, {Key: "declared", Hidden: true}, {Key: "compare", Hidden: true}, {Key: "level"}, {Key: "set_by"}, {Key: "why", Hidden: true}, {Key: "cites", Hidden: true},
		{Key: "version", Hidden: true}, {Key: "confidence", Hidden: true}, {Key: "applies", Hidden: true}, {Key: "source", Hidden: true},
	}}
	var by []string
	for _, r := range k.Criteria {
		by = append(by, r.SetBy)
		l.Rows = append(l.Rows, []string{r.ID, r.Goal, r.Kind, r.Probe, r.Metric, r.Declared, r.Compare, level(r), r.SetBy, r.Why, list(r.Cites), strconv.Itoa(r.Version), confidence(r), r.Applies, r.Source})
	}
	l.Notes = []string{fmt.Sprintf("%d criteria; set by: %s. Three levels are for the depths quick, standard and thorough; \"declared\" is the level that the provider declares.", len(k.Criteria), tally(by))}
	return l
}

// level is what a criterion compares with.
func level(r catalogue.Criterion) string {
	sign := map[string]string{catalogue.AtLeast: "≥ ", catalogue.AtMost: "≤ "}[r.Compare]
	if r.Kind == catalogue.Declared {
		return sign + "declared"
	}
	var levels []string
	for _, depth := range catalogue.Depths() {
		levels = append(levels, strconv.FormatFloat(r.Level[depth], 'g', -1, 64))
	}
	if one := slices.Compact(slices.Clone(levels)); len(one) == 1 {
		levels = one
	}
	return sign + strings.Join(levels, ", ")
}

// confidence is the least at which an interval decides.
func confidence(r catalogue.Criterion) string {
	if r.Confidence == 0 {
		r.Confidence = catalogue.DefaultConfidence
	}
	return strconv.FormatFloat(r.Confidence, 'g', -1, 64)
}

func criterion(k *catalogue.Catalogue, r catalogue.Criterion) *listing.List {
	goal, _ := k.Goal(r.Goal)
	confirmed := ""
	if r.ConfirmedDomain {
		confirmed = "cannot pass on a domain that was guessed"
	}
	return details("criterion", [][2]string{
		{"id", r.ID}, {"goal", r.Goal + ": " + goal.Title}, {"threats", list(goal.Threats)}, {"kind", r.Kind}, {"probe", r.Probe}, {"metric", r.Metric}, {"declared", r.Declared},
		{"level", level(r)}, {"confidence", confidence(r)}, {"applies where", r.Applies}, {"domain", confirmed}, {"set by", r.SetBy}, {"source", r.Source}, {"why", r.Why}, {"cites", list(r.Cites)},
		{"version", strconv.Itoa(r.Version)},
	})
}

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/coverage"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) standardsDiff() *cobra.Command {
	c := &cobra.Command{
		Use:   "diff DATE DATE",
		Short: "List what became of standards between two dates",
		Long: `List the standards whose stage or reference differs between two dates that the
history knows, with the dated events in between.`,
		Example: `  assize standards diff 2023-03 2026-11-22
  assize standards diff 2023-03 2026-11-22 --format csv`,
		Args: exactly(2, "two dates"),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			from, err := t.AsOf(args[0])
			if err != nil {
				return err
			}
			to, err := t.AsOf(args[1])
			if err != nil {
				return err
			}
			moves, err := t.Diff(args[0], args[1])
			if err != nil {
				return usageError{err}
			}
			l := &listing.List{Name: "diff", Columns: []listing.Column{
				{Key: "id", Hidden: true}, {Key: "designation", Wide: true}, {Key: "stage_before", Title: from.Date}, {Key: "stage_after", Title: to.Date},
				{Key: "reference_before", Hidden: true}, {Key: "reference_after", Title: "reference then", Wide: true}, {Key: "events", Wide: true}, {Key: "confidence"}, {Key: "source", Hidden: true},
			}}
			var before, stages []string
			for _, m := range moves {
				row := []string{m.Standard.ID, m.Standard.Designation, "not known of", "not known of", "", "", "", "", ""}
				if m.Before != nil {
					row[2], row[4] = m.Before.Stage, m.Before.Reference
				}
				if m.After != nil {
					row[3], row[5], row[7], row[8] = m.After.Stage, m.After.Reference, m.After.Confidence, m.After.Source
				}
				var events []string
				for _, e := range m.Events {
					events = append(events, e.Date+" "+e.AsStated)
				}
				row[6] = list(events)
				l.Rows = append(l.Rows, row)
				before, stages = append(before, row[2]), append(stages, row[3])
			}
			l.Notes = []string{fmt.Sprintf("%d standards differ. At %s: %s. At %s: %s. Confidence is of the later state.", len(moves), from.Date, tally(before), to.Date, tally(stages))}
			if l.Sources, err = sources(t, "history.csv"); err != nil {
				return err
			}
			return a.show(c, l)
		},
	}
	addListFlags(c)
	return c
}

func (a *App) standardsWatch() *cobra.Command {
	c := &cobra.Command{
		Use:   "watch FILE",
		Short: "Compare a newer catalogue, or a CSV of statuses, and say what moved",
		Long: `FILE is a released catalogue ("assize catalogue pack"), or a CSV with a header that
names a column for the standard (standard, designation, id, reference) and one for
its state (stage, status): our words, a harmonised stage code such as 40.60, or
plain words; current_reference and source may follow. What cannot be understood
is listed too. Nothing is changed.`,
		Example: `  assize standards watch catalogue-2027.tar.gz
  assize standards watch statuses.csv --format csv`,
		Args: exactly(1, "one released catalogue or CSV"),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			moved, note, err := watched(t, args[0])
			if err != nil {
				return err
			}
			l := &listing.List{Name: "watch", Columns: []listing.Column{
				{Key: "standard", Wide: true}, {Key: "what"}, {Key: "before", Wide: true}, {Key: "after", Wide: true}, {Key: "source", Wide: true},
			}}
			var kinds []string
			for _, m := range moved {
				kinds = append(kinds, m.What)
				l.Rows = append(l.Rows, []string{m.Standard, m.What, m.Before, m.After, m.Source})
			}
			l.Notes = []string{note}
			if len(moved) > 0 {
				l.Notes = append(l.Notes, "Moved: "+tally(kinds)+".")
			}
			return a.show(c, l)
		},
	}
	addListFlags(c)
	return c
}

// watched compares a pack or a CSV, by how the file begins.
func watched(t *catalogue.Tables, path string) ([]coverage.Moved, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", usageError{fmt.Errorf("watch: %w", err)}
	}
	defer f.Close()
	head := make([]byte, 2)
	if _, err := io.ReadFull(f, head); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, "", fmt.Errorf("watch: %w", err)
	}
	if bytes.Equal(head, []byte{0x1f, 0x8b}) { // gzip
		newer, err := catalogue.Open(catalogue.Options{Pack: path})
		if err != nil {
			return nil, "", err
		}
		moved, err := coverage.Against(t, newer)
		if err != nil {
			return nil, "", err
		}
		here, err1 := t.Digest()
		there, err2 := newer.Digest()
		note := fmt.Sprintf("Catalogue here %s, there %s.", here, there)
		if here != there && len(moved) == 0 {
			note += " Tables differ, but no stage, reference, standard or mark does."
		}
		return moved, note, errors.Join(err1, err2)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, "", fmt.Errorf("watch: %w", err)
	}
	moved, read, err := coverage.Statuses(t, f)
	return moved, fmt.Sprintf("%d rows read from %s.", read, path), err
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/checklist"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) checklist() *cobra.Command {
	var from, state string
	var matrix bool
	c := &cobra.Command{
		Use:   "checklist [TARGET]",
		Short: "Fill the audit checklist: decided by measurement, answered by a record, or open with its task",
		Long: `Lists the items of the AI Act that are core to cybersecurity, the provisions of
ETSI EN 304 223 and the eight groups of requirements of ENISA's report. With a
target, each is decided by measurement (its dossier), answered by a record (the
manifest's, or a filled checklist), or open, with what is needed, who usually
owns it and typical evidence. An expired record leaves its item open.

To answer items: export with --format csv, fill the columns record (a file below
the target's folder), owner, role, date and valid_until, check with --import, and
keep it as checklist.csv in the target's folder: it is read from there.`,
		Example: `  assize checklist                                             the empty list
  assize checklist examples/credit --state open                what remains, as tasks
  assize checklist examples/credit --format csv > filled.csv   to fill in
  assize checklist examples/credit --import filled.csv         check what was filled in
  assize checklist examples/credit --matrix                    attacks against functions of measures`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("state", state, "decided", "answered", "open"); err != nil {
				return err
			}
			if len(args) == 0 && (matrix || from != "") {
				return usageError{errors.New("--matrix and --import need a target\nhint: assize checklist TARGET --matrix")}
			}
			s := &subject{Manifest: &manifest.Manifest{}}
			var err error
			if len(args) == 0 {
				s.Tables, err = a.tables(c)
			} else {
				s, err = a.subject(c.Context(), c, args[0], true)
			}
			if err != nil {
				return err
			}
			if matrix {
				return a.showMatrix(c, s)
			}
			rows, err := s.filled(c.Context(), from, a)
			if err != nil {
				return err
			}
			list, err := checklist.Make(c.Context(), s.Tables, checklist.Given{
				Target: s.Manifest.Target, Solutions: s.Manifest.Solutions, Records: s.Manifest.Records, Dossier: s.Dossier,
				Filled: rows, Dir: s.Dir, Today: a.Now(),
			})
			if err != nil {
				return err
			}
			return a.showChecklist(c, s, list, rows, from, state)
		},
	}
	addListFlags(c)
	c.Flags().StringVar(&from, "import", "", "check a filled checklist and list what it answers")
	c.Flags().StringVar(&state, "state", "", "only items that are decided, answered or open")
	c.Flags().BoolVar(&matrix, "matrix", false, "the attacks of Art. 15(5) and denial of service against the five functions of measures")
	return c
}

// filled reads the checklist that somebody filled in: the file to import, or
// the one that lies in the target's folder.
func (s *subject) filled(ctx context.Context, from string, a *App) ([]checklist.Row, error) {
	if s.Dir == "" {
		if from != "" {
			return nil, usageError{errors.New("--import needs the target's folder, where the records lie\nhint: name the folder with assize.yaml rather than a dossier")}
		}
		return nil, nil
	}
	name := from
	if name == "" {
		name = s.answered(checklist.FileName)
	}
	if name == "" {
		return nil, nil
	}
	known, err := s.Tables.Requirements()
	if err != nil {
		return nil, err
	}
	rows, err := checklist.ReadFilled(name, known)
	if err != nil {
		return nil, usageError{err}
	}
	if err := checklist.CheckFiles(ctx, rows, name, s.Dir, a.Now()); err != nil {
		return nil, usageError{err}
	}
	return rows, nil
}

func (a *App) showChecklist(c *cobra.Command, s *subject, list *checklist.Checklist, rows []checklist.Row, from, state string) error {
	l := &listing.List{
		Name: "checklist",
		Columns: []listing.Column{
			{Key: "id"}, {Key: "framework", Hidden: true}, {Key: "reference", Hidden: true}, {Key: "text", Title: "what is asked", Wide: true}, {Key: "check", Hidden: true},
			{Key: "state"}, {Key: "verdict"}, {Key: "by", Title: "by what, or why open", Wide: true},
			{Key: "needed", Hidden: true}, {Key: "usual_owner", Wide: true}, {Key: "typical_evidence", Wide: true},
			{Key: "record", Hidden: true}, {Key: "owner", Hidden: true}, {Key: "role", Hidden: true}, {Key: "date", Hidden: true}, {Key: "valid_until", Hidden: true}, {Key: "digest", Hidden: true},
			{Key: "source", Hidden: true}, {Key: "confidence", Hidden: true},
		},
	}
	imported := 0
	for _, i := range list.Items {
		mine := slices.ContainsFunc(rows, func(r checklist.Row) bool { return r.ID == i.ID })
		if state != "" && string(i.State) != state || from != "" && !mine {
			continue
		}
		if mine && i.State == checklist.Answered {
			imported++
		}
		l.Rows = append(l.Rows, checklistRow(i))
	}
	for _, n := range list.Counts() {
		l.Notes = append(l.Notes, n.String())
	}
	if from != "" {
		l.Notes = append(l.Notes, fmt.Sprintf("%d rows of %s name a record; %d of them answer an item that no measurement decides. To have it count, keep it as %s.", len(rows), from, imported, filepath.Join(s.Dir, checklist.FileName)))
	}
	l.Notes = append(l.Notes,
		"Decided: a criterion decided on what was measured; it speaks of that part of the item. Answered: a record in force is named; nobody here judged what it holds.")
	if s.Tables != nil && s.Manifest.Target.Name != "" {
		l.Notes = append(l.Notes, s.notes()...)
	}
	l.Sources = []string{
		"Items: Regulation (EU) 2024/1689 as amended by (EU) 2026/1744; ETSI EN 304 223 V2.1.1, hints in own words; ENISA, Cybersecurity of AI and Standardisation (2023). Confidence by row, in CSV and JSON.",
		"Usual owners, and typical evidence for EN 304 223, are own judgement.",
	}
	return a.show(c, l)
}

func checklistRow(i checklist.Item) []string {
	var r checklist.Record
	if len(i.Records) > 0 {
		r = i.Records[0]
	}
	var task checklist.Task
	if i.Task != nil {
		task = *i.Task
	}
	return []string{
		i.ID, i.Framework, i.Reference, i.Text, i.Check, string(i.State), string(i.Verdict), i.By, task.Needed, task.Owner, task.Evidence,
		r.File, r.Owner, r.Role, string(r.Date), string(r.ValidUntil), string(r.Digest), i.Source, i.Confidence,
	}
}

func (a *App) showMatrix(c *cobra.Command, s *subject) error {
	known, err := s.Tables.Catalogue()
	if err != nil {
		return err
	}
	d := s.Dossier
	if d == nil {
		d = &dossier.Dossier{Solutions: s.Manifest.Solutions}
	}
	l := &listing.List{
		Name: "matrix",
		Columns: []listing.Column{
			{Key: "attack", Wide: true}, {Key: "function"}, {Key: "solution"}, {Key: "known", Title: "measured effect or record", Wide: true},
			{Key: "decision"}, {Key: "because", Wide: true},
		},
		Notes: s.notes(),
	}
	m := checklist.MakeMatrix(d, known, a.Now())
	cells, declared := 0, 0
	for _, row := range m.Rows {
		for _, cell := range row.Cells {
			cells++
			if cell.Solutions == nil {
				l.Rows = append(l.Rows, []string{row.Class, cell.Function, "", "", "", cell.Because})
				continue
			}
			declared++
			for _, p := range cell.Solutions {
				l.Rows = append(l.Rows, []string{row.Class, cell.Function, p.Solution.Name, p.Known, string(cell.Decision), cell.Because})
			}
		}
	}
	l.Notes = append(l.Notes,
		strconv.Itoa(declared)+" of "+strconv.Itoa(cells)+" cells have a declared solution. An empty cell is no failure: Art. 15(5) asks for measures where appropriate; the provider says why none is.",
		"The decision is the worst on the goals that the cell's solutions are for; it is about the system with them, not about one solution.")
	l.Sources = []string{"Attacks and functions: AI Act Art. 15(5), third subparagraph (" + strings.Join(checklist.Functions(), ", ") + "); denial of service: ENISA (2023), Table 1."}
	return a.show(c, l)
}

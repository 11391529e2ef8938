package verify

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

// The bounds of one file of evidence, and of the rows that are held at a time to
// compare effects. Whatever a dossier holds, verification keeps below half a GiB.
const (
	maxObservationBytes = 16 << 20
	maxComparedRows     = 4 << 20
)

// checkEvidence opens the file of every observation and compares it with the
// dossier, and the rows where they are there.
func (u *underCheck) checkEvidence(context.Context) (string, error) {
	rows, redacted := 0, 0
	for i := range u.dossier.Observations {
		o := &u.dossier.Observations[i]
		name := dossier.EvidencePath(o.Digest.Hex())
		b, err := dossier.ReadFile(u.dir, name, maxObservationBytes)
		if err != nil {
			return "", fmt.Errorf("observation %s: %w", o.ID, err)
		}
		stored, err := evidence.Unseal(b)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if stored.Digest != o.Digest || !equal(stored, o) {
			return "", fmt.Errorf("observation %s in %s is not what %s holds", o.ID, dossier.MainName, name)
		}
		if o.RowsFile == "" {
			if o.RowsCount != 0 {
				return "", fmt.Errorf("observation %s counts %d rows and names no file of them", o.ID, o.RowsCount)
			}
			continue
		}
		table, err := Rows(u.dir, o)
		if err != nil {
			return "", err
		}
		rows += table.Len()
		if table == nil {
			redacted++
		}
	}
	detail := fmt.Sprintf("%d observations, %d rows of outcomes", len(u.dossier.Observations), rows)
	if redacted > 0 {
		detail += fmt.Sprintf("; the rows of %d observations were left out", redacted)
	}
	return detail, nil
}

// Rows reads the rows of an observation of the dossier in dir and checks them
// against the digest that it names; nil where it has none or they were left out.
func Rows(dir string, o *evidence.Observation) (*result.Rows, error) {
	if o.RowsFile == "" {
		return nil, nil
	}
	digits, ok := strings.CutPrefix(o.RowsFile, evidence.Salted)
	if !ok || len(digits) != 64 {
		return nil, fmt.Errorf("observation %s: rows %.80q are no salted digest", o.ID, o.RowsFile)
	}
	name := dossier.EvidencePath(digits)
	b, err := dossier.ReadFile(dir, name, evidence.MaxRowsBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("observation %s: %w", o.ID, err)
	}
	if artefact.DigestBytes(b).Hex() != digits {
		return nil, fmt.Errorf("%s does not have the digest that observation %s names", name, o.ID)
	}
	rows, err := evidence.UnsealRows(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if rows.Len() != o.RowsCount {
		return nil, fmt.Errorf("%s holds %d rows, observation %s says %d", name, rows.Len(), o.ID, o.RowsCount)
	}
	return rows, nil
}

// checkItems compares every observation with the item of the plan that asked
// for it: each item was observed once, with the probe, parameters, solutions and inputs that were planned.
func (u *underCheck) checkItems(context.Context) (string, error) {
	d := u.dossier
	observed := map[string]*evidence.Observation{}
	ids := map[string]bool{}
	for i := range d.Observations {
		o := &d.Observations[i]
		if observed[o.Item] != nil || ids[o.ID] {
			return "", fmt.Errorf("observation %s or its item %s stands twice", o.ID, o.Item)
		}
		observed[o.Item], ids[o.ID] = o, true
		if !slices.ContainsFunc(d.Environments, func(e evidence.Environment) bool { return e.ID == o.Environment }) {
			return "", fmt.Errorf("observation %s was made in environment %q, which the dossier does not have", o.ID, o.Environment)
		}
	}
	for i := range d.Plan.Items {
		it := &d.Plan.Items[i]
		o := observed[it.ID]
		if o == nil {
			return "", fmt.Errorf("item %s of the plan, %s, has no observation", it.ID, it.Probe)
		}
		delete(observed, it.ID)
		var inputs []artefact.Digest
		for _, name := range it.Inputs {
			for _, a := range d.Plan.Artefacts {
				if a.Name == name {
					inputs = append(inputs, a.Digest)
				}
			}
		}
		switch {
		case o.Probe != it.Probe || o.Version != it.Version || !slices.Equal(o.SolutionsOn, it.Solutions):
			return "", fmt.Errorf("observation %s is of another probe, version or solutions than item %s of the plan", o.ID, it.ID)
		case len(o.Parameters)+len(it.Parameters) > 0 && !equal(o.Parameters, it.Parameters):
			return "", fmt.Errorf("observation %s was made with other parameters than item %s of the plan", o.ID, it.ID)
		case !slices.Equal(o.Inputs, inputs):
			return "", fmt.Errorf("observation %s read other artefacts than item %s of the plan", o.ID, it.ID)
		}
	}
	for item := range observed {
		return "", fmt.Errorf("observation %s is of item %q, which the plan does not have", observed[item].ID, item)
	}
	return fmt.Sprintf("%d items of the plan, each observed once as planned", len(d.Plan.Items)), nil
}

// checkSeeds derives every seed again from the plan's digest and the nonce.
func (u *underCheck) checkSeeds(context.Context) (string, error) {
	nonce, err := hex.DecodeString(u.dossier.Plan.SeedNonce)
	if err != nil || len(nonce) < 16 {
		return "", errors.New("the seed nonce is not at least 16 bytes in hexadecimal")
	}
	for _, o := range u.dossier.Observations {
		seed := plan.Seed(u.dossier.Plan.Digest, nonce, o.Probe)
		if o.Seed != hex.EncodeToString(seed[:]) {
			return "", fmt.Errorf("the seed of observation %s does not follow from plan and nonce", o.ID)
		}
	}
	return fmt.Sprintf("%d seeds follow from plan and nonce", len(u.dossier.Observations)), nil
}

// compareAgain computes the effects of solutions from the recorded rows and
// compares. Where rows were left out it cannot.
func (u *underCheck) compareAgain(context.Context) (string, error) {
	d := u.dossier
	paired := map[string]string{}
	for _, it := range d.Plan.Items {
		paired[it.Probe] = it.Paired
	}
	rows, left, held := map[string]*result.Rows{}, map[string]bool{}, 0
	for i := range d.Observations {
		o := &d.Observations[i]
		if o.RowsFile == "" || paired[o.Probe] == "" {
			continue
		}
		if held += o.RowsCount; held > maxComparedRows {
			return "", fmt.Errorf("observation %s: more than %d rows to compare", o.ID, maxComparedRows)
		}
		table, err := Rows(u.dir, o)
		if err != nil {
			return "", err
		}
		if left[o.ID] = table == nil; table != nil { // the rest of a table would be held for nothing
			table.Columns = slices.DeleteFunc(table.Columns, func(c result.Column) bool { return c.Name != paired[o.Probe] })
			rows[o.ID] = table
		}
	}
	again := judge.Effects(&d.Plan.Plan, d.Observations,
		func(probe string) string { return paired[probe] },
		func(o *evidence.Observation) *result.Rows { return rows[o.ID] })
	recorded, redacted := []dossier.Effect{}, 0
	for _, e := range d.Effects {
		if slices.ContainsFunc(e.From, func(id string) bool { return left[id] }) {
			redacted++
			continue
		}
		recorded = append(recorded, e)
	}
	words := !equal(again, recorded)
	if words && (u.ownTool() || !equal(wordless(again, plainEffect), wordless(recorded, plainEffect))) {
		return "", errors.New("the effects of solutions do not follow from the rows")
	}
	detail := fmt.Sprintf("%d effects follow from the rows", len(again))
	if words {
		detail += u.otherWords()
	}
	if redacted > 0 {
		detail += fmt.Sprintf("; of %d effects the rows were left out", redacted)
	}
	return detail, nil
}

func equal(a, b any) bool {
	x, errX := evidence.Canonical(a)
	y, errY := evidence.Canonical(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

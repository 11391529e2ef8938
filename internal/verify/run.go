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
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/plan"
)

// placedEntry is an entry with its number in the ledger.
type placedEntry struct {
	evidence.Entry
	index int64
}

// maxEvidenceBytes bounds one file of evidence.
const maxEvidenceBytes = 512 << 20

func readEntries(ctx context.Context, r *ledger.Reader) ([]placedEntry, error) {
	var all []placedEntry
	err := r.Entries(ctx, func(index int64, b []byte) error {
		e := placedEntry{index: index}
		if err := evidence.Decode(b, &e.Entry); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		all = append(all, e)
		return nil
	})
	return all, err
}

// checkOrder walks through the entries of this run: the plan first, then the
// environments and observations, the decisions last, nothing twice, and each with the digest that the dossier has.
func (u *underCheck) checkOrder(context.Context) (string, error) {
	d := u.dossier
	var run []placedEntry
	for _, e := range u.entries {
		if e.Run == d.Run {
			run = append(run, e)
		}
	}
	switch {
	case len(run) < 2 || run[0].Type != evidence.EntryPlan:
		return "", errors.New("the run's first entry is not its plan")
	case run[0].index != d.Log.First || int64(len(u.entries)) != d.Log.Size:
		return "", fmt.Errorf("the dossier says that the run begins at entry %d of %d, the ledger has it at %d of %d", d.Log.First, d.Log.Size, run[0].index, len(u.entries))
	case run[len(run)-1].Type != evidence.EntryDecisions:
		return "", errors.New("the run's last entry is not its decisions")
	}
	if err := u.checkPlan(run[0]); err != nil {
		return "", err
	}
	if want, err := d.Outcome(); err != nil || run[len(run)-1].Digest != want {
		return "", fmt.Errorf("the decisions in %s are not those that were logged", dossier.MainName)
	}
	if err := u.checkEnvironments(run); err != nil {
		return "", err
	}
	var logged []evidence.Entry
	for _, e := range run[1 : len(run)-1] {
		switch e.Type {
		case evidence.EntryObservation:
			logged = append(logged, e.Entry)
		case evidence.EntryEnvironment:
		default:
			return "", fmt.Errorf("entry %d of type %q stands inside the run", e.index, e.Type)
		}
	}
	if len(logged) != len(d.Observations) {
		return "", fmt.Errorf("%d observations were logged, the dossier has %d", len(logged), len(d.Observations))
	}
	seen := map[string]bool{}
	for i, e := range logged {
		o := d.Observations[i]
		if e.ID != o.ID || e.Digest != o.Digest || e.State != string(o.State) || seen[e.ID] {
			return "", fmt.Errorf("observation %s is not the one that was logged as number %d, or stands twice", o.ID, i+1)
		}
		seen[e.ID] = true
	}
	if earlier := u.earlierRuns(); earlier != d.Log.EarlierRuns {
		return "", fmt.Errorf("the dossier says %d earlier runs, the ledger has %d", d.Log.EarlierRuns, earlier)
	}
	return fmt.Sprintf("plan, %d observations, decisions: entries %d to %d", len(logged), run[0].index, run[len(run)-1].index), nil
}

func (u *underCheck) earlierRuns() int {
	n := 0
	for _, e := range u.entries {
		if e.index < u.dossier.Log.First && e.Type == evidence.EntryPlan {
			n++
		}
	}
	return n
}

// checkPlan compares the plan of the dossier with what was logged before the first probe.
func (u *underCheck) checkPlan(e placedEntry) error {
	d := u.dossier
	b, err := evidence.Canonical(d.Plan.Plan)
	if err != nil {
		return err
	}
	criteria, err := evidence.Canonical(d.Plan.Criteria)
	if err != nil {
		return err
	}
	var artefacts []artefact.Digest
	for _, a := range d.Artefacts {
		artefacts = append(artefacts, a.Digest)
	}
	switch {
	case artefact.DigestBytes(b) != d.Plan.Digest || d.Plan.Digest != e.Digest:
		return errors.New("the plan is not the one that was logged")
	case e.Criteria != artefact.DigestBytes(criteria):
		return errors.New("the criteria are not those that were logged")
	case e.Nonce != d.Plan.SeedNonce:
		return errors.New("the seed nonce is not the one that was logged")
	case e.Manifest != d.Manifest || e.Manifest != d.Plan.Manifest || e.Catalogue != d.Plan.Catalogue || e.Tool != d.Tool:
		return errors.New("manifest, catalogue or tool are not those that were logged")
	case !slices.Equal(e.Artefacts, artefacts) || !equal(d.Artefacts, d.Plan.Artefacts):
		return errors.New("the artefacts are not those that were logged")
	}
	return nil
}

func (u *underCheck) checkEnvironments(run []placedEntry) error {
	logged := map[string]artefact.Digest{}
	for _, e := range run {
		if e.Type == evidence.EntryEnvironment {
			logged[e.ID] = e.Digest
		}
	}
	for _, env := range u.dossier.Environments {
		b, err := evidence.Canonical(env)
		if err != nil {
			return err
		}
		if logged[env.ID] != artefact.DigestBytes(b) {
			return fmt.Errorf("environment %s is not the one that was logged", env.ID)
		}
	}
	return nil
}

// checkEvidence opens the file of every observation and compares it with the
// dossier, and the rows where they are there.
func (u *underCheck) checkEvidence(context.Context) (string, error) {
	rows, redacted := 0, 0
	for i := range u.dossier.Observations {
		o := &u.dossier.Observations[i]
		name := dossier.EvidencePath(o.Digest.Hex())
		b, err := dossier.ReadFile(u.dir, name, maxEvidenceBytes)
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
			continue
		}
		there, err := u.checkRows(o)
		if err != nil {
			return "", err
		}
		if there {
			rows += o.RowsCount
		} else {
			redacted++
		}
	}
	detail := fmt.Sprintf("%d observations, %d rows of outcomes", len(u.dossier.Observations), rows)
	if redacted > 0 {
		detail += fmt.Sprintf("; the rows of %d observations were left out", redacted)
	}
	return detail, nil
}

func (u *underCheck) checkRows(o *evidence.Observation) (bool, error) {
	digits, ok := strings.CutPrefix(o.RowsFile, evidence.Salted)
	if !ok || len(digits) != 64 {
		return false, fmt.Errorf("observation %s: rows %.80q are no salted digest", o.ID, o.RowsFile)
	}
	name := dossier.EvidencePath(digits)
	b, err := dossier.ReadFile(u.dir, name, maxEvidenceBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("observation %s: %w", o.ID, err)
	}
	if artefact.DigestBytes(b).Hex() != digits {
		return false, fmt.Errorf("%s does not have the digest that observation %s names", name, o.ID)
	}
	rows, err := evidence.UnsealRows(b)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if rows.Len() != o.RowsCount {
		return false, fmt.Errorf("%s holds %d rows, observation %s says %d", name, rows.Len(), o.ID, o.RowsCount)
	}
	return true, nil
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

// judgeAgain decides from the recorded evidence and compares.
func (u *underCheck) judgeAgain(context.Context) (string, error) {
	d := u.dossier
	decisions := judge.Decide(&d.Plan.Plan, d.Observations)
	goals := judge.Goals(&d.Plan.Plan, decisions)
	summary := judge.Summarise(&d.Plan.Plan, decisions, goals)
	for i, want := range decisions {
		if i >= len(d.Decisions) || !equal(want, d.Decisions[i]) {
			return "", fmt.Errorf("criterion %s: the evidence leads to %q, not to what the dossier says", want.Criterion, want.Decision)
		}
	}
	if len(decisions) != len(d.Decisions) || !equal(goals, d.Goals) {
		return "", errors.New("the goals' decisions do not follow from those of the criteria")
	}
	if summary.Passed != d.Summary.Passed || summary.Claimed != d.Summary.Claimed || summary.Exit != d.Summary.Exit || !equal(summary.Counts, d.Summary.Counts) {
		return "", errors.New("the summary does not follow from the decisions")
	}
	return fmt.Sprintf("%d decisions follow from the evidence", len(decisions)), nil
}

func equal(a, b any) bool {
	x, errX := evidence.Canonical(a)
	y, errY := evidence.Canonical(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

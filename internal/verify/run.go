package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/plan"
)

// placedEntry is an entry with its number in the ledger.
type placedEntry struct {
	evidence.Entry
	index int64
}

// maxRunEntries bounds the entries of one run: its items are far fewer.
const maxRunEntries = 100_000

// readEntries keeps the entries of this run, and of others where their plans stand.
func (u *underCheck) readEntries(ctx context.Context, r *ledger.Reader) error {
	return r.Entries(ctx, func(index int64, b []byte) error {
		e := placedEntry{index: index}
		if err := evidence.Decode(b, &e.Entry); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		u.size++
		switch {
		case e.Run != u.files.Run:
			if e.Type == evidence.EntryPlan {
				u.plans = append(u.plans, index)
			}
		case len(u.entries) == maxRunEntries:
			return fmt.Errorf("entry %d: the run has more than %d entries", index, maxRunEntries)
		default:
			u.entries = append(u.entries, e)
		}
		return nil
	})
}

// checkOrder walks through the entries of this run: the plan first, then the
// environments and observations, the decisions last, nothing twice, and each with the digest that the dossier has.
func (u *underCheck) checkOrder(context.Context) (string, error) {
	d := u.dossier
	run := u.entries
	switch {
	case len(run) < 2 || run[0].Type != evidence.EntryPlan:
		return "", errors.New("the run's first entry is not its plan")
	case run[0].index != d.Log.First || u.size != d.Log.Size:
		return "", fmt.Errorf("the dossier says that the run begins at entry %d of %d, the ledger has it at %d of %d", d.Log.First, d.Log.Size, run[0].index, u.size)
	case run[len(run)-1].Type != evidence.EntryDecisions:
		return "", errors.New("the run's last entry is not its decisions")
	case run[len(run)-1].index != d.Log.Size-1 || int64(len(run)) != d.Log.Size-d.Log.First:
		return "", errors.New("entries of other runs stand between those of this one, or behind them")
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
	resumed := 0
	for _, e := range run[1 : len(run)-1] {
		switch e.Type {
		case evidence.EntryObservation:
			logged = append(logged, e.Entry)
		case evidence.EntryEnvironment:
		case evidence.EntryResumed:
			resumed++
		default:
			return "", fmt.Errorf("entry %d of type %q stands inside the run", e.index, e.Type)
		}
	}
	if resumed != d.Resumed {
		return "", fmt.Errorf("the dossier says that the run went on %d times after it was broken off, the ledger %d times", d.Resumed, resumed)
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
	for _, index := range u.plans {
		if index < u.dossier.Log.First {
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
	var overrides []artefact.Digest
	for _, o := range d.Plan.Overrides {
		overrides = append(overrides, o.Digest)
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
	case !slices.Equal(e.Overrides, overrides) || slices.ContainsFunc(d.Plan.Overrides, u.otherData):
		return errors.New("what the assessor set is not what was logged")
	case d.Target.Name != d.Plan.Target || d.Target.Version != d.Plan.Version:
		return errors.New("the target is not that of the plan")
	}
	return nil
}

// otherData tells whether data that the assessor set are not those among the artefacts.
func (u *underCheck) otherData(o plan.Override) bool {
	return o.Name != "" && !slices.ContainsFunc(u.dossier.Plan.Artefacts, func(a artefact.Artefact) bool { return a.Name == o.Name && a.Digest == o.Digest })
}

func (u *underCheck) checkEnvironments(run []placedEntry) error {
	logged := map[string]artefact.Digest{}
	for _, e := range run {
		if e.Type == evidence.EntryEnvironment {
			logged[e.ID] = e.Digest
		}
	}
	if len(logged) != len(u.dossier.Environments) {
		return fmt.Errorf("%d environments were logged, the dossier has %d", len(logged), len(u.dossier.Environments))
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

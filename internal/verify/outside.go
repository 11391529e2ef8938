package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/witness"
)

// maxCosignatures bounds the file of cosignatures.
const maxCosignatures = 64 << 10

// checkOutside checks every time stamp and cosignature over the checkpoint, and
// that the dossier says of them what they say.
func (u *underCheck) checkOutside(context.Context) (string, error) {
	log := &u.dossier.Log
	named := map[string]bool{}
	point, err := dossier.ReadFile(u.dir, dossier.CheckpointName, maxCosignatures)
	if err != nil {
		return "", err
	}
	var details []string
	for i, s := range log.Stamps {
		if s.File != dossier.StampPath(i+1) {
			return "", fmt.Errorf("time stamp %d is in %.80q, not in %s", i+1, s.File, dossier.StampPath(i+1))
		}
		named[s.File] = true
		answer, err := dossier.ReadFile(u.dir, s.File, witness.MaxStampBytes)
		if err != nil {
			return "", err
		}
		if u.trust.Stamp == nil {
			details = append(details, fmt.Sprintf("time stamp %s by %s, as the dossier says: not checked by this program, assize verify checks it", s.Time.Format(time.RFC3339), s.Authority))
			continue
		}
		at, authority, err := u.trust.Stamp(answer, point)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.File, err)
		}
		if !at.Equal(s.Time) || authority != s.Authority {
			return "", fmt.Errorf("%s is of %s by %s, the dossier says otherwise", s.File, at.Format(time.RFC3339), authority)
		}
		details = append(details, fmt.Sprintf("time stamp %s by %s", at.Format(time.RFC3339), authority))
	}
	if u.trust.Authorities && len(log.Stamps) == 0 {
		return "", errors.New("there is no time stamp, and one by an authority that was named is wanted")
	}
	if err := u.checkWitnesses(point, named); err != nil {
		return "", err
	}
	for _, w := range log.Witnesses {
		details = append(details, fmt.Sprintf("cosigned %s by %s", w.Time.Format(time.RFC3339), w.Name))
	}
	for _, f := range u.files.Files {
		if strings.HasPrefix(f.Path, dossier.OutsideName+"/") && !named[f.Path] {
			return "", fmt.Errorf("%q is not one that the dossier speaks of", f.Path)
		}
	}
	if len(details) == 0 {
		return "none", nil
	}
	return strings.Join(details, "; "), nil
}

func (u *underCheck) checkWitnesses(point []byte, named map[string]bool) error {
	said := u.dossier.Log.Witnesses
	if len(said) == 0 {
		if len(u.trust.Witnesses) > 0 {
			return errors.New("there is no cosignature, and one by a witness that was named is wanted")
		}
		return nil
	}
	named[dossier.CosignaturesName] = true
	lines, err := dossier.ReadFile(u.dir, dossier.CosignaturesName, maxCosignatures)
	if err != nil {
		return err
	}
	var keys []*witness.Key
	for _, w := range said {
		k, err := witness.ParseKey(w.Key)
		if err != nil {
			return fmt.Errorf("witness %.80q: %w", w.Name, err)
		}
		keys = append(keys, k)
	}
	found, err := witness.CheckCosignatures(lines, point, keys)
	if err != nil {
		return err
	}
	same := slices.EqualFunc(found, said, func(c witness.Cosignature, w dossier.Witness) bool {
		return c.Witness == w.Name && c.Key.String() == w.Key && c.Time.Equal(w.Time)
	})
	if !same || strings.Count(string(lines), "\n") != len(said) {
		return errors.New("the cosignatures are not those that the dossier speaks of")
	}
	trusted := slices.ContainsFunc(u.trust.Witnesses, func(k *witness.Key) bool {
		return slices.ContainsFunc(said, func(w dossier.Witness) bool { return w.Key == k.String() })
	})
	if len(u.trust.Witnesses) > 0 && !trusted {
		return errors.New("no cosignature is by a witness that was named")
	}
	return nil
}

// outsideShows is what time stamps and cosignatures that hold mean.
func (u *underCheck) outsideShows() []string {
	var shows []string
	for _, s := range u.dossier.Log.Stamps {
		if u.trust.Stamp == nil {
			continue
		}
		text := fmt.Sprintf("the run had ended with this ledger by %s, by a time stamp of %s", s.Time.Format(time.RFC3339), s.Authority)
		if !u.trust.Authorities {
			text += ", whose certificate comes from the dossier itself (--tsa FILE)"
		}
		shows = append(shows, text)
	}
	for _, w := range u.dossier.Log.Witnesses {
		text := fmt.Sprintf("at %s the witness %s had seen no other and no longer history of this ledger", w.Time.Format(time.RFC3339), w.Name)
		if len(u.trust.Witnesses) == 0 {
			text += "; its key comes from the dossier itself (--witness-key FILE)"
		}
		shows = append(shows, text)
	}
	return shows
}

// startedOver says what stands against a provider who starts over until the outcome pleases.
func (u *underCheck) startedOver() string {
	const what = "that the provider did not run before, dislike the outcome and start over with a new ledger: "
	if u.dossier == nil || len(u.dossier.Log.Stamps)+len(u.dossier.Log.Witnesses) == 0 {
		return what + "outside time stamps, witnesses or a replay can show that, and this dossier carries none"
	}
	if len(u.dossier.Log.Witnesses) > 0 {
		return what + "ask the witness which other ledgers it knows of this provider; or replay"
	}
	return what + "the time stamp bounds when it ended, not how often it was tried; witnesses or a replay can show that"
}

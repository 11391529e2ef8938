package checklist

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/manifest"
)

// Record is organisational evidence: a file with who stands for it and how long
// it counts.
type Record struct {
	Name       string          `json:"name"`
	File       string          `json:"file"` // below the target's folder
	Owner      string          `json:"owner"`
	Role       string          `json:"role,omitempty"`
	Date       manifest.Date   `json:"date"`
	ValidUntil manifest.Date   `json:"valid_until,omitempty"` // last day; empty is without end
	Expired    bool            `json:"expired"`
	Digest     artefact.Digest `json:"digest,omitempty"` // empty where the file is not at hand
	Origin     string          `json:"origin"`           // the manifest, or the checklist that somebody filled in

	goals []string // that it speaks of
	item  string   // that it answers; "" where it speaks of goals
}

// answers says whether the record speaks of an item.
func (r Record) answers(id string, goals []string) bool {
	if r.item != "" {
		return r.item == id
	}
	return slices.ContainsFunc(goals, func(g string) bool { return slices.Contains(r.goals, g) })
}

// readRecords collects the records of the manifest and of the filled checklist,
// and digests their files where they are at hand.
func (a *answerer) readRecords(ctx context.Context) error {
	g := a.given
	for _, s := range g.Solutions {
		if s.Record != "" {
			a.records = append(a.records, Record{Name: s.Name, File: s.Record, Owner: s.Owner, Date: s.Date, ValidUntil: s.ValidUntil, Origin: "manifest, solutions", goals: s.Goals})
		}
	}
	for _, r := range g.Records {
		a.records = append(a.records, Record{Name: r.Name, File: r.Path, Owner: r.Owner, Date: r.Date, ValidUntil: r.ValidUntil, Origin: "manifest, records", goals: r.Goals})
	}
	for _, f := range g.Filled {
		a.records = append(a.records, Record{Name: f.Record, File: f.Record, Owner: f.Owner, Role: f.Role, Date: f.Date, ValidUntil: f.ValidUntil, Origin: "filled checklist", item: f.ID})
	}
	digests := map[string]artefact.Digest{}
	for i := range a.records {
		r := &a.records[i]
		r.Expired = expired(r.ValidUntil, g.Today)
		for _, role := range slices.Sorted(maps.Keys(g.Target.Roles)) {
			if r.Role == "" && g.Target.Roles[role] == r.Owner {
				r.Role = role
			}
		}
		if g.Dir == "" {
			r.Digest = a.recorded(r.Name)
			continue
		}
		d, ok := digests[r.File]
		if !ok {
			var err error
			if d, _, err = artefact.DigestOf(ctx, filepath.Join(g.Dir, filepath.FromSlash(r.File))); err != nil {
				return fmt.Errorf("read record %q: %w", r.Name, err)
			}
			digests[r.File] = d
		}
		r.Digest = d
	}
	return nil
}

// recorded is the digest that the dossier has of a record; "" is none.
func (a *answerer) recorded(name string) artefact.Digest {
	if a.given.Dossier == nil {
		return ""
	}
	for _, f := range a.given.Dossier.Artefacts {
		if f.Kind == artefact.Record && f.Name == name {
			return f.Digest
		}
	}
	return ""
}

// expired says whether a last day has passed. A record counts on its last day.
func expired(until manifest.Date, today time.Time) bool {
	return until != "" && today.UTC().Truncate(24*time.Hour).After(until.Time())
}

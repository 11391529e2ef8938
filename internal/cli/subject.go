package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/report/wording"
)

// subject is what classify, route, risk and checklist speak of: a target's
// folder, with the dossier of its last run where there is one, or a dossier alone.
type subject struct {
	Manifest *manifest.Manifest // of a dossier alone: only what the dossier holds of it
	Dossier  *dossier.Dossier   // nil where the target was not assessed
	Dir      string             // where records lie; "" for a dossier alone
	Tables   *catalogue.Tables
}

// subject opens the target or dossier at path, and the catalogue with the
// folder of --catalogue, or else the manifest's, laid over it. The dossier
// beside a target is read only where measured is set.
func (a *App) subject(ctx context.Context, c *cobra.Command, path string, measured bool) (*subject, error) {
	s := &subject{}
	if hasDossier(path) {
		d, err := dossier.Read(path)
		if err != nil {
			return nil, err
		}
		s.Dossier = d
		s.Manifest = &manifest.Manifest{Target: d.Target, Solutions: d.Solutions, Claims: d.Plan.Claims, Depth: d.Plan.Depth}
	} else {
		m, err := manifest.Load(ctx, path)
		if err != nil {
			return nil, err
		}
		s.Manifest, s.Dir = m, m.Dir
		if folder := engine.Folder(m.Dir); measured && hasDossier(folder) {
			if s.Dossier, err = dossier.Read(folder); err != nil {
				return nil, err
			}
		}
		if m.Catalogue != "" && !c.Flags().Changed("catalogue") {
			if err := c.Flags().Set("catalogue", filepath.Join(m.Dir, filepath.FromSlash(m.Catalogue))); err != nil {
				return nil, err
			}
		}
	}
	var err error
	s.Tables, err = a.tables(c)
	return s, err
}

// answered is a file that a person fills in and keeps beside the manifest: its
// path, or "" where there is none. An empty one, which a shell makes before it
// runs what should fill it, is none.
func (s *subject) answered(name string) string {
	if s.Dir == "" {
		return ""
	}
	name = filepath.Join(s.Dir, name)
	if info, err := os.Lstat(name); err != nil || info.Size() == 0 {
		return ""
	}
	return name
}

func hasDossier(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, dossier.MainName))
	return err == nil
}

// notes says which dossier is spoken of, and what to know of it.
func (s *subject) notes() []string {
	d := s.Dossier
	if d == nil {
		return []string{"No dossier lies beside the target: nothing was measured yet. Run assize assess first to see what a measurement decides."}
	}
	all := []string{fmt.Sprintf("From the dossier of %s, depth %s, read and not verified here: see assize verify.", wording.Moment(d.Ended), d.Plan.Depth)}
	if d.Interrupted {
		all = append(all, "That run was interrupted.")
	}
	if s.Dir != "" && d.Manifest != s.Manifest.Digest {
		all = append(all, "The dossier was made from another text of assize.yaml than the one that lies there now.")
	}
	return all
}

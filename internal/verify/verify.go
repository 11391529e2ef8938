// Package verify checks a dossier offline: that every file is as signed, that
// the ledger is whole and in order, that evidence, plan and seeds belong together, and
// that the recorded evidence leads to the recorded decisions. It links no runtime.
package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/witness"
)

// Report is what was checked and how it came out.
type Report struct {
	Checks  []Check  `json:"checks"`
	Target  string   `json:"target"`
	Run     string   `json:"run"`
	Key     string   `json:"key"`     // that signed
	Trusted bool     `json:"trusted"` // the key is the one that the caller named
	Shows   []string `json:"shows"`
	// DoesNotShow is what no check of these can tell.
	DoesNotShow []string `json:"does_not_show"`
}

// Check is one question and its answer.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"` // what was counted, or what is wrong, with the file's name
}

// OK tells whether every check held.
func (r *Report) OK() bool {
	return len(r.Checks) > 0 && !slices.ContainsFunc(r.Checks, func(c Check) bool { return !c.OK })
}

// Trust is what the caller knows from somewhere other than the dossier. What is
// nil or empty is taken from the dossier, where it vouches for itself.
type Trust struct {
	Key *ledger.Verifier // of who signed
	// Tool is the name and version of the program that verifies. The sentences of
	// a dossier by any other are not compared with its own, only what they decide; "" compares all.
	Tool      string
	Witnesses []*witness.Key // one of which must have cosigned
	// Stamp checks time stamps; nil does not check them and says so. Checking
	// needs certificates, which the smallest of verifiers does without.
	Stamp witness.CheckStamp
	// Authorities says that Stamp wants certificates that lead to the caller's own roots.
	Authorities bool
}

// underCheck is what the checks share.
type underCheck struct {
	trust   Trust
	dir     string
	files   *dossier.Files
	key     *ledger.Verifier
	dossier *dossier.Dossier
	entries []placedEntry // of this run
	size    int64         // of the ledger
	plans   []int64       // where the plans of other runs stand
}

// Dossier checks the dossier in a folder. key is the verifier key that the
// caller trusts; nil takes the one inside, which then vouches for itself. The
// error is for a folder that is no dossier; what is wrong with one stands in the report.
func Dossier(ctx context.Context, dir string, key *ledger.Verifier) (*Report, error) {
	return Trusting(ctx, dir, Trust{Key: key})
}

// Trusting is Dossier for a caller who trusts authorities and witnesses too.
func Trusting(ctx context.Context, dir string, trust Trust) (*Report, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("verify dossier: %w\nhint: name the folder that assess wrote", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("verify dossier: %q is a file\nhint: name the folder that holds it", dir)
	}
	u := &underCheck{trust: trust, dir: dir, key: trust.Key}
	r := &Report{Trusted: trust.Key != nil}
	steps := []struct {
		name string
		run  func(context.Context) (string, error)
	}{
		{"list of files", u.readList},
		{"signature of the list", u.checkSignature},
		{"every file", u.checkFiles},
		{"ledger", u.checkLog},
		{"dossier.json", u.read},
		{"order in the ledger", u.checkOrder},
		{"items of the plan", u.checkItems},
		{"evidence", u.checkEvidence},
		{"seeds", u.checkSeeds},
		{"decisions, judged again", u.judgeAgain},
		{"effects, compared again", u.compareAgain},
		{"time stamps and witnesses", u.checkOutside},
	}
	for _, s := range steps {
		detail, err := s.run(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			r.Checks = append(r.Checks, Check{Name: s.name, Detail: err.Error()})
			if u.files == nil || u.key == nil {
				break // nothing further can be said
			}
			if u.dossier == nil && s.name == "dossier.json" {
				break
			}
			continue
		}
		r.Checks = append(r.Checks, Check{Name: s.name, OK: true, Detail: detail})
	}
	if u.key != nil {
		r.Key = u.key.String()
	}
	if u.dossier != nil {
		r.Target = strings.TrimSpace(u.dossier.Target.Name + " " + u.dossier.Target.Version)
		r.Run = u.dossier.Run
	}
	r.say(u)
	return r, nil
}

// say fills in what the checks mean.
func (r *Report) say(u *underCheck) {
	if r.OK() {
		r.Shows = []string{
			"no file of this dossier was changed, removed or added since it was signed",
			"plan, criteria and seeds were logged before the first observation, and decisions after the last",
			"every item of the plan was recorded, and the recorded decisions follow from the recorded evidence by the recorded criteria",
		}
		if n := u.dossier.Log.EarlierRuns; n > 0 {
			r.Shows = append(r.Shows, fmt.Sprintf("%d earlier runs of this target stand in the same ledger", n))
		}
		for _, o := range u.dossier.Plan.Overrides {
			r.Shows = append(r.Shows, o.Sentence())
		}
		r.Shows = append(r.Shows, u.outsideShows()...)
	}
	if !r.Trusted {
		r.DoesNotShow = append(r.DoesNotShow, "who signed: the key comes from the dossier itself; compare it with one that you got elsewhere (--key FILE)")
	}
	r.DoesNotShow = append(r.DoesNotShow, u.startedOver(),
		"that the measurements were really made on this target: replaying them can",
		"that report.html says what dossier.json does: assize report writes it anew",
		"that the criteria fit the intended purpose: judge them, or judge the evidence by your own")
}

func (u *underCheck) readList(context.Context) (string, error) {
	f, err := dossier.ReadFiles(u.dir)
	if err != nil {
		return "", err
	}
	u.files = f
	if u.key == nil {
		// The key inside vouches for itself; the report says so.
		if u.key, err = ledger.ParseVerifier(f.Key); err != nil {
			return "", fmt.Errorf("%s: %w", dossier.FilesName, err)
		}
	}
	return fmt.Sprintf("%d files", len(f.Files)), nil
}

func (u *underCheck) checkSignature(context.Context) (string, error) {
	payload, err := u.files.Payload()
	if err != nil {
		return "", err
	}
	if u.files.Key != u.key.String() {
		return "", fmt.Errorf("%s is signed by %s, not by the key that was named, %s", dossier.FilesName, u.files.Key, u.key.String())
	}
	if err := u.key.Verify(dossier.SignatureDomain, payload, u.files.Signature); err != nil {
		return "", fmt.Errorf("%s: %w", dossier.FilesName, err)
	}
	return "Ed25519, " + u.key.Name(), nil
}

// checkFiles compares what lies there with the list, both ways.
func (u *underCheck) checkFiles(ctx context.Context) (string, error) {
	there, err := dossier.List(ctx, u.dir)
	if err != nil {
		return "", err
	}
	listed := map[string]dossier.File{}
	for _, f := range u.files.Files {
		listed[f.Path] = f
	}
	var wrong []string
	var sizeBytes int64
	for _, f := range there {
		want, ok := listed[f.Path]
		delete(listed, f.Path)
		sizeBytes += f.Size
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("%q was added", f.Path))
		case want != f:
			wrong = append(wrong, fmt.Sprintf("%q was changed", f.Path))
		}
	}
	for path := range listed {
		wrong = append(wrong, fmt.Sprintf("%q is missing", path))
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return "", errors.New(strings.Join(wrong, "; "))
	}
	return fmt.Sprintf("%d files, %d bytes", len(there), sizeBytes), nil
}

func (u *underCheck) checkLog(ctx context.Context) (string, error) {
	fsys := os.DirFS(filepath.Join(u.dir, dossier.LogName))
	report, err := ledger.Fsck(ctx, fsys, u.key)
	if err != nil {
		return "", err
	}
	if err := report.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", dossier.LogName, err)
	}
	reader, err := ledger.OpenReader(fsys, u.key)
	if err != nil {
		return "", err
	}
	if err := u.readEntries(ctx, reader); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d entries, root recomputed, checkpoint signed", u.size), nil
}

func (u *underCheck) read(context.Context) (string, error) {
	d, err := dossier.Read(u.dir)
	if err != nil {
		return "", err
	}
	if d.Run != u.files.Run || d.Log.Key != u.key.String() {
		return "", fmt.Errorf("%s is of another run or key than %s", dossier.MainName, dossier.FilesName)
	}
	u.dossier = d
	return fmt.Sprintf("%s %s, run %.8s", d.Target.Name, d.Target.Version, d.Run), nil
}

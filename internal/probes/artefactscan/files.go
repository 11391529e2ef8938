package artefactscan

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
	"github.com/assize/assize/internal/scan/suite"
)

var filesScan = measure.Probe{
	ID: "artefactscan/files", Version: 2,
	Doc: `What would the target's files do when somebody loads them?

Every artefact, data and recorded outputs included, is read by the readers of "assize scan", with what lies inside
archives and pickles, and nothing is loaded. A file is malicious, dangerous, of unknown code, incomplete or clean; the worst
of what lies in it counts. What is not read to the last byte is never clean.`,
	Goals:   []string{"artefact-safety"},
	Threats: []string{"model-poisoning"},
	Cites:   []string{"AI Act Art. 15(5)", "ENISA Poisoning", "ATLAS AML.T0010", "ATLAS AML.T0018", "CWE-502"},
	Needs:   measure.Needs{Artefacts: true},
	Metrics: []string{"bytes", "dangerous", "files", "harmful", "incomplete", "malicious", "unknown_code", "unread_bytes"},
	Timeout: 30 * time.Minute,
	Run:     runFiles,
}

func runFiles(ctx context.Context, c *measure.Case) (*result.Result, error) {
	if len(c.Files) == 0 {
		return result.Unmeasured(result.NotAvailable, "the target has no files: its model is served elsewhere"), nil
	}
	set, err := rules.Load()
	if err != nil {
		return nil, err
	}
	t := &files{res: &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}, counts: map[scan.Outcome]int{}, kept: map[string]int{}}
	var all []scan.File
	for _, f := range c.Files {
		all = append(all, scan.File{Path: f.Path, Open: f.OpenPath})
	}
	// Together: what data are for, the model beside them says.
	err = suite.Scanner(set, time.Now).Files(ctx, all, func(i int, r scan.FileReport) error {
		own := r.Path == c.Files[i].Path // comes last and carries the worst of its members
		r = r.Escaped()
		for _, found := range r.Findings {
			t.add(c.Files[i].Name, r.Path, found)
		}
		if !own {
			return nil
		}
		t.counts[r.Outcome]++
		size, unread := r.Coverage.Bytes, r.Coverage.Unread
		if size == 0 && r.Outcome == scan.Incomplete {
			size, unread = c.Files[i].SizeBytes, c.Files[i].SizeBytes // it could not be opened
		}
		t.bytes += size
		t.unread += unread
		c.Done(float64(i+1) / float64(len(c.Files)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.finish(len(c.Files), set)
	return t.res, nil
}

// files collects what was found in all artefacts.
type files struct {
	res           *result.Result
	counts        map[scan.Outcome]int // artefacts by outcome
	bytes, unread int64
	kept          map[string]int // findings by artefact and rule
	dropped       int
}

// add keeps a finding, the first few of a rule in an artefact.
func (t *files) add(name, path string, f scan.Finding) {
	if f.Outcome == scan.Clean {
		return
	}
	if t.kept[name+"\x00"+f.Rule]++; t.kept[name+"\x00"+f.Rule] > perRule {
		t.dropped++
		return
	}
	severity := result.High
	if f.Outcome <= scan.UnknownCode {
		severity = result.Medium
	}
	what := f.Outcome.String()
	if f.Capability != "" {
		what += ", can " + strings.ReplaceAll(f.Capability, "-", " ")
	}
	t.res.Findings = append(t.res.Findings, result.Finding{
		Rule: f.Rule, Severity: severity, Where: fmt.Sprintf("%s, byte %d", path, f.Offset), What: what, Fix: f.Fix, Evidence: f.Evidence, Cites: f.Cites,
	})
}

func (t *files) finish(n int, set *rules.Set) {
	count := func(name string, v int) { t.res.Metrics[name] = result.Exactly(float64(v), n, "files") }
	count("files", n)
	count("malicious", t.counts[scan.Malicious])
	count("dangerous", t.counts[scan.Dangerous])
	count("harmful", t.counts[scan.Malicious]+t.counts[scan.Dangerous])
	count("unknown_code", t.counts[scan.UnknownCode])
	count("incomplete", t.counts[scan.Incomplete])
	t.res.Metrics["bytes"] = result.Exactly(float64(t.bytes), n, "bytes")
	t.res.Metrics["unread_bytes"] = result.Exactly(float64(t.unread), int(t.bytes), "bytes")
	t.res.Notes = append(t.res.Notes, "rules of the scan: "+set.Digest())
	if t.dropped > 0 {
		t.res.Notes = append(t.res.Notes, fmt.Sprintf("%d findings more are counted and not listed", t.dropped))
	}
}

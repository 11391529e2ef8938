// Package sarif writes what a dossier found as SARIF 2.1.0, for the tools that
// show and track findings: what scans found, and the criteria that fail or are not decided.
package sarif

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

const (
	schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	home   = "https://github.com/assize/assize"
)

// Write writes d as one run. A finding of a scan is a result of kind "fail" with the
// level of its severity, or "informational"; a criterion that fails is one too, an
// error where its goal is claimed and a warning elsewhere. What is inconclusive or not
// assessed is of kind "open", which SARIF allows no level but "none". Passes are not written.
func Write(w io.Writer, d *dossier.Dossier) error {
	name, version, _ := strings.Cut(d.Tool, " ")
	s := &sheet{d: d, run: run{
		Tool:        tool{driver{Name: text(name), Version: text(version), InformationURI: home}},
		Automation:  automation{strings.Trim("assize/"+url.PathEscape(text(d.Target.Name))+"/"+url.PathEscape(text(d.Run)), "/")},
		Invocations: []invocation{{Successful: !d.Interrupted, Start: moment(d.Started), End: moment(d.Ended)}},
		Results:     []found{},
		Properties:  properties{"target": text(d.Target.Name), "version": text(d.Target.Version), "depth": text(d.Plan.Depth), "headline": text(wording.Headline(d)), "means": wording.VerdictMeans},
	}}
	var theirs []string
	for _, o := range d.Plan.Overrides {
		theirs = append(theirs, text(o.Sentence()))
	}
	if theirs != nil {
		s.run.Properties["set_by_assessor"] = theirs
	}
	if s.run.Tool.Driver.Name == "" {
		s.run.Tool.Driver.Name = "assize"
	}
	for _, a := range d.Artefacts {
		f := file{Location: place{URI: uri(a.Path)}, Length: a.SizeBytes}
		if a.Digest != "" {
			f.Hashes = map[string]string{"sha-256": text(a.Digest.Hex())}
		}
		s.run.Artifacts = append(s.run.Artifacts, f)
	}
	for _, o := range d.Observations {
		for _, f := range o.Findings {
			s.finding(f, o.Inputs, o.ID)
		}
	}
	for _, k := range d.Decisions {
		s.decision(k)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(logFile{schema, "2.1.0", []run{s.run}}); err != nil {
		return fmt.Errorf("write SARIF: %w", err)
	}
	return nil
}

// sheet is a run in the making.
type sheet struct {
	d   *dossier.Dossier
	run run
}

// rule gives the place of a rule in the list, adding it where it is new.
func (s *sheet) rule(r rule) int {
	rules := &s.run.Tool.Driver.Rules
	i := slices.IndexFunc(*rules, func(o rule) bool { return o.ID == r.ID })
	if i < 0 {
		i = len(*rules)
		*rules = append(*rules, r)
	}
	return i
}

func (s *sheet) add(f found, where string) {
	sum := sha256.Sum256([]byte(f.RuleID + "\x00" + where))
	f.Fingerprints = map[string]string{"assize/v1": hex.EncodeToString(sum[:16])}
	s.run.Results = append(s.run.Results, f)
}

func (s *sheet) finding(f result.Finding, inputs []artefact.Digest, observation string) {
	id := text(f.Rule)
	out := found{RuleID: id, Kind: "fail", Message: message{text(f.What)}, Props: properties{"severity": f.Severity, "observation": text(observation)}}
	switch f.Severity {
	case result.High:
		out.Level = "error"
	case result.Medium:
		out.Level = "warning"
	case result.Low:
		out.Level = "note"
	default:
		out.Kind, out.Level = "informational", "none"
	}
	r := rule{ID: id, Short: message{text(wording.Words(strings.ReplaceAll(f.Rule, "/", ": ")))}}
	if fix := text(f.Fix); fix != "" {
		r.Help = &message{fix}
		out.Message.Text += " " + fix
	}
	if len(f.Cites) > 0 {
		out.Props["cites"] = cleaned(f.Cites)
	}
	if f.Evidence != "" {
		out.Props["evidence"] = text(f.Evidence)
	}
	out.RuleIndex = s.rule(r)
	out.Locations = []location{s.at(f.Where, inputs)}
	s.add(out, f.Where+"\x00"+f.What)
}

func (s *sheet) decision(k dossier.Decision) {
	if k.Decision == dossier.Pass || k.Decision == dossier.NotApplicable {
		return
	}
	out := found{RuleID: text(k.Criterion), Kind: "open", Level: "none", Props: properties{"goal": text(k.Goal), "verdict": k.Decision, "set_by": text(k.SetBy)}}
	title, claimed := k.Goal, false
	for _, g := range s.d.Goals {
		if g.ID == k.Goal {
			title, claimed = g.Title, g.Claimed
		}
	}
	if k.Decision == dossier.Fail {
		out.Kind, out.Level = "fail", "warning"
		if claimed {
			out.Level = "error"
		}
	}
	out.Message.Text = text(wording.Sentence(title+": "+wording.Words(string(k.Decision))) + " " + wording.Sentence(k.Because))
	if k.Missing != "" {
		out.Message.Text += " Missing: " + text(wording.Sentence(k.Missing))
	}
	r := rule{ID: out.RuleID, Short: message{text(title)}, Props: properties{"set_by": text(k.SetBy), "cites": cleaned(k.Cites)}}
	for _, c := range s.d.Plan.Criteria {
		if c.ID == k.Criterion && c.Why != "" {
			r.Help = &message{text(c.Why)}
		}
	}
	if len(k.Cites) == 0 {
		delete(r.Props, "cites")
	}
	if m := k.Measured; m != nil {
		out.Props["measured"] = m
	}
	if k.Level != nil {
		out.Props["level"] = *k.Level
	}
	out.RuleIndex = s.rule(r)
	var inputs []artefact.Digest
	for _, o := range s.d.Observations {
		if slices.Contains(k.From, o.ID) {
			inputs = append(inputs, o.Inputs...)
		}
	}
	out.Locations = []location{s.at("", inputs)}
	s.add(out, k.Goal)
}

// at places a result: in the artefact whose path or name the place begins with, else
// in the model that was read, else in whatever was read first.
func (s *sheet) at(where string, inputs []artefact.Digest) location {
	best := -1
	for i, a := range s.d.Artefacts {
		named := where != "" && (begins(where, a.Path) || begins(where, a.Name))
		read := slices.Contains(inputs, a.Digest)
		switch {
		case named:
			return s.place(i, where)
		case read && (best < 0 || a.Kind == artefact.Model && s.d.Artefacts[best].Kind != artefact.Model):
			best = i
		}
	}
	if best < 0 {
		best = slices.IndexFunc(s.d.Artefacts, func(a artefact.Artefact) bool { return a.Kind == artefact.Model })
	}
	return s.place(best, where)
}

func (s *sheet) place(i int, where string) location {
	var l location
	if i >= 0 {
		l.Physical = &physical{place{uri(s.d.Artefacts[i].Path), &i}}
	}
	if where = text(where); where != "" {
		l.Logical = []logical{{where}}
	}
	return l
}

// begins tells whether a place begins with a name and no longer word.
func begins(where, name string) bool {
	rest, ok := strings.CutPrefix(where, name)
	return ok && name != "" && (rest == "" || strings.ContainsRune(":/, ", rune(rest[0])))
}

// uri is a path as a relative reference (RFC 3986).
func uri(p string) string {
	u := url.URL{Path: path.Clean(strings.TrimLeft(wording.Clean(p), "/"))}
	return u.String()
}

func text(s string) string { return strings.TrimSpace(wording.Clean(s)) }

func cleaned(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = text(s)
	}
	return out
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

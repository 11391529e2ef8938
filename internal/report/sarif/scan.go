package sarif

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/scan"
)

// WriteScan writes what a scan of files found as one run. program is the program's
// name and version, rules the digest of its lists. What makes a file malicious is an
// error, what makes it dangerous or calls unknown code a warning, and what makes it
// incomplete is of kind "open". bound says that digests were made. The reports are
// escaped already.
func WriteScan(w io.Writer, program, rules string, bound bool, reports []scan.FileReport) error {
	name, version, _ := strings.Cut(program, " ")
	s := &sheet{run: run{
		Tool:        tool{driver{Name: text(name), Version: text(version), InformationURI: home}},
		Automation:  automation{"assize/scan"},
		Invocations: []invocation{{Successful: true}},
		Results:     []found{},
		Properties:  properties{"rules": rules, "boundToBytes": bound},
	}}
	for _, r := range reports {
		outer, inner, member := strings.Cut(r.Path, "!")
		if !member {
			f := file{Location: place{URI: uri(outer)}, Length: r.Coverage.Bytes}
			if d, ok := strings.CutPrefix(r.Digest, "sha256:"); ok {
				f.Hashes = map[string]string{"sha-256": d}
			}
			s.run.Artifacts = append(s.run.Artifacts, f)
		}
		for _, f := range r.Findings {
			s.scanned(r, f, outer, inner)
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(logFile{schema, "2.1.0", []run{s.run}}); err != nil {
		return fmt.Errorf("write SARIF: %w", err)
	}
	return nil
}

func (s *sheet) scanned(r scan.FileReport, f scan.Finding, outer, inner string) {
	out := found{RuleID: f.Rule, Kind: "fail", Message: message{text(f.Evidence)}, Props: properties{"outcome": f.Outcome, "offset": f.Offset}}
	severity := result.Info
	switch f.Outcome {
	case scan.Malicious:
		out.Level, severity = "error", result.High
	case scan.Dangerous, scan.UnknownCode:
		out.Level, severity = "warning", result.Medium
	default:
		out.Kind, out.Level = "open", "none"
	}
	out.Props["severity"] = severity
	if f.Capability != "" {
		out.Props["capability"] = f.Capability
	}
	if len(f.Cites) > 0 {
		out.Props["cites"] = cleaned(f.Cites)
	}
	rule := rule{ID: f.Rule, Short: message{strings.ReplaceAll(strings.ReplaceAll(f.Rule, "/", ": "), "-", " ")}}
	if f.Fix != "" {
		rule.Help = &message{f.Fix}
		out.Message.Text += " " + f.Fix
	}
	out.RuleIndex = s.rule(rule)
	at := location{Physical: &physical{Artifact: place{URI: uri(outer)}}}
	if inner != "" {
		at.Logical = []logical{{Name: inner}}
	}
	out.Locations = []location{at}
	s.add(out, r.Path+"\x00"+f.Evidence+fmt.Sprint(f.Offset))
}

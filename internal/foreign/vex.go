package foreign

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/result"
)

// What is read of CycloneDX 1.4 and later.
type (
	vexFile struct {
		Metadata struct {
			Timestamp string          `json:"timestamp"`
			Tools     json.RawMessage `json:"tools"` // a list until 1.4, an object from 1.5 on
			Component vexComponent    `json:"component"`
		} `json:"metadata"`
		Components      []vexComponent `json:"components"`
		Vulnerabilities []vexStatement `json:"vulnerabilities"`
	}
	vexComponent struct {
		Ref        string         `json:"bom-ref"`
		Name       string         `json:"name"`
		Version    string         `json:"version"`
		Components []vexComponent `json:"components"`
	}
	vexStatement struct {
		ID          string `json:"id"`
		Description string `json:"description"`
		Ratings     []struct {
			Score    *float64 `json:"score"`
			Severity string   `json:"severity"`
			Method   string   `json:"method"`
		} `json:"ratings"`
		Analysis struct {
			State         string `json:"state"`
			Justification string `json:"justification"`
			Detail        string `json:"detail"`
		} `json:"analysis"`
		Affects []struct {
			Ref string `json:"ref"`
		} `json:"affects"`
	}
)

func readVEX(origin Origin, b []byte) (*Report, error) {
	var file vexFile
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("it is no CycloneDX: %w", err)
	}
	if file.Vulnerabilities == nil {
		return nil, errors.New("it has no vulnerabilities, so it states nothing\nhint: export it with its vulnerabilities and their analysis")
	}
	origin.Made = cut(file.Metadata.Timestamp)
	origin.Tool = cut(vexTool(file.Metadata.Tools))
	names := map[string]string{}
	var gather func([]vexComponent)
	gather = func(all []vexComponent) {
		for _, c := range all {
			if c.Ref != "" {
				names[c.Ref] = strings.TrimSpace(c.Name + " " + c.Version)
			}
			gather(c.Components)
		}
	}
	gather([]vexComponent{file.Metadata.Component})
	gather(file.Components)
	r := &Report{}
	for _, s := range file.Vulnerabilities {
		r.add(s.finding(origin, names))
	}
	return r, nil
}

// vexTool names the first tool in either form.
func vexTool(raw json.RawMessage) string {
	var list []vexComponent
	var object struct {
		Components []vexComponent `json:"components"`
	}
	if json.Unmarshal(raw, &list) != nil && json.Unmarshal(raw, &object) == nil {
		list = object.Components
	}
	if len(list) == 0 {
		return "not named"
	}
	return cmp.Or(strings.TrimSpace(list[0].Name+" "+list[0].Version), "not named")
}

func (s vexStatement) finding(origin Origin, names map[string]string) Finding {
	f := Finding{Origin: origin, Rule: cmp.Or(s.ID, "not named"), What: cmp.Or(s.Description, s.Analysis.Detail, "not said"), State: Open}
	f.Severity, f.Stated = s.severity()
	switch s.Analysis.State {
	case "resolved", "resolved_with_pedigree", "false_positive", "not_affected":
		f.State = Closed
		f.Why = strings.ReplaceAll(s.Analysis.State, "_", " ")
		for _, more := range []string{strings.ReplaceAll(s.Analysis.Justification, "_", " "), s.Analysis.Detail} {
			if more != "" {
				f.Why += ": " + more
			}
		}
	}
	var where []string
	for _, a := range s.Affects {
		where = append(where, cmp.Or(names[a.Ref], a.Ref))
		if len(where) == 20 {
			break // enough to know; the text is cut anyway
		}
	}
	f.Where = cmp.Or(strings.Join(where, ", "), "not placed")
	return f
}

// severity is the worst of the ratings. Where none states one, it counts as
// medium, so that silence makes nothing harmless.
func (s vexStatement) severity() (result.Severity, string) {
	order := []result.Severity{result.Info, result.Low, result.Medium, result.High}
	worst, stated := result.Severity(""), "not stated"
	for _, r := range s.Ratings {
		var one result.Severity
		word := r.Severity
		switch r.Severity {
		case "critical", "high":
			one = result.High
		case "medium":
			one = result.Medium
		case "low":
			one = result.Low
		case "info", "none":
			one = result.Info
		default:
			if r.Score == nil || !strings.HasPrefix(r.Method, "CVSS") {
				continue
			}
			one, word = ofScore(*r.Score), fmt.Sprintf("%s %g", r.Method, *r.Score)
		}
		if worst == "" || slices.Index(order, one) > slices.Index(order, worst) {
			worst, stated = one, word
		}
	}
	if worst == "" {
		worst = result.Medium
	}
	return worst, stated
}

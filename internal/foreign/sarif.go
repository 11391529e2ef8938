package foreign

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/result"
)

// What is read of SARIF 2.1.0; the numbers are its clauses.
type (
	sarifFile struct { // 3.13
		Runs []sarifRun `json:"runs"`
	}
	sarifRun struct { // 3.14
		Tool struct {
			Driver sarifTool `json:"driver"`
		} `json:"tool"`
		Invocations []struct {
			End string `json:"endTimeUtc"`
		} `json:"invocations"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct { // 3.19
		Name     string      `json:"name"`
		Version  string      `json:"version"`
		Semantic string      `json:"semanticVersion"`
		Rules    []sarifRule `json:"rules"`
	}
	sarifRule struct { // 3.49
		ID      string `json:"id"`
		Default struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
		Short sarifText       `json:"shortDescription"`
		Props sarifProperties `json:"properties"`
	}
	sarifResult struct { // 3.27
		RuleID    string    `json:"ruleId"`
		RuleIndex *int      `json:"ruleIndex"`
		Rule      sarifRef  `json:"rule"`
		Kind      string    `json:"kind"`
		Level     string    `json:"level"`
		Message   sarifText `json:"message"`
		Locations []struct {
			Physical struct {
				Artifact struct {
					URI string `json:"uri"`
				} `json:"artifactLocation"`
				Region struct {
					Line int `json:"startLine"`
				} `json:"region"`
			} `json:"physicalLocation"`
			Logical []struct {
				Name string `json:"fullyQualifiedName"`
			} `json:"logicalLocations"`
		} `json:"locations"`
		Suppressions []struct {
			Status        string `json:"status"`
			Justification string `json:"justification"`
		} `json:"suppressions"`
		Props sarifProperties `json:"properties"`
	}
	sarifRef struct { // 3.52
		ID    string `json:"id"`
		Index *int   `json:"index"`
	}
	sarifText struct { // 3.11
		Text string `json:"text"`
	}
	sarifProperties struct { // 3.8
		// Security is a score from 0 to 10, which several tools add.
		Security json.RawMessage `json:"security-severity"`
	}
)

func readSARIF(origin Origin, b []byte) (*Report, error) {
	var file sarifFile
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("it is no SARIF: %w", err)
	}
	r := &Report{}
	for _, run := range file.Runs {
		from := origin
		tool := run.Tool.Driver
		from.Tool = cut(cmp.Or(strings.TrimSpace(tool.Name+" "+cmp.Or(tool.Semantic, tool.Version)), "not named"))
		for _, i := range run.Invocations {
			from.Made = cut(i.End)
		}
		rules := make(map[string]int, len(tool.Rules))
		for i, rule := range tool.Rules {
			rules[rule.ID] = i
		}
		for _, f := range run.Results {
			r.add(f.finding(from, tool.Rules, rules))
		}
	}
	return r, nil
}

// rule finds the rule of a result: by its place in the list, else by its id.
func (f sarifResult) rule(rules []sarifRule, byID map[string]int) sarifRule {
	index := f.RuleIndex
	if index == nil {
		index = f.Rule.Index
	}
	id := cmp.Or(f.RuleID, f.Rule.ID)
	if index != nil && *index >= 0 && *index < len(rules) {
		return rules[*index]
	}
	if i, ok := byID[id]; ok {
		return rules[i]
	}
	return sarifRule{}
}

func (f sarifResult) finding(from Origin, rules []sarifRule, byID map[string]int) Finding {
	rule := f.rule(rules, byID)
	out := Finding{Origin: from, State: Open, Rule: cmp.Or(f.RuleID, f.Rule.ID, rule.ID, "not named"), What: cmp.Or(f.Message.Text, rule.Short.Text, "not said")}
	level := cmp.Or(f.Level, rule.Default.Level, "warning") // 3.27.10
	out.Stated = level
	switch level {
	case "error":
		out.Severity = result.High
	case "warning":
		out.Severity = result.Medium
	case "note":
		out.Severity = result.Low
	default:
		out.Severity = result.Info
	}
	for _, p := range []sarifProperties{rule.Props, f.Props} {
		if score, err := strconv.ParseFloat(strings.Trim(string(p.Security), `"`), 64); err == nil && score >= 0 && score <= 10 {
			out.Severity = ofScore(score)
			out.Stated = level + ", security severity " + strconv.FormatFloat(score, 'f', -1, 64)
		}
	}
	switch f.Kind { // 3.27.9
	case "", "fail", "open", "review":
	default:
		out.State, out.Severity = Informed, result.Info
	}
	for _, s := range f.Suppressions { // 3.35
		if s.Status == "" || s.Status == "accepted" {
			out.State, out.Why = Closed, "suppressed: "+cmp.Or(s.Justification, "no reason given")
		}
	}
	for _, l := range f.Locations {
		place := l.Physical.Artifact.URI
		if l.Physical.Region.Line > 0 {
			place += ":" + strconv.Itoa(l.Physical.Region.Line)
		}
		for _, name := range l.Logical {
			place += " " + name.Name
		}
		if place = strings.TrimSpace(place); place != "" {
			out.Where = place
			break // the first place is where a result is; others are no finding of their own
		}
	}
	out.Where = cmp.Or(out.Where, "not placed")
	return out
}

// ofScore is a severity for a score of the Common Vulnerability Scoring System, by the
// bands of its version 3.1, table 14; critical counts as high.
func ofScore(score float64) result.Severity {
	switch {
	case score >= 7:
		return result.High
	case score >= 4:
		return result.Medium
	case score > 0:
		return result.Low
	}
	return result.Info
}

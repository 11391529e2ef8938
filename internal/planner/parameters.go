package planner

import (
	"fmt"

	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
)

// parameters are a probe's defaults at the depth, with what the manifest sets put over them.
func parameters(t Target, p *measure.Probe) (measure.Params, error) {
	params := measure.Params{}
	for _, d := range p.Params {
		params[d.Name] = d.Default(t.Depth)
		if d.Manifest == "" {
			continue
		}
		v, known := fromManifest(t, d.Manifest)
		if !known {
			return nil, fmt.Errorf("plan: probe %s reads %q of the manifest, which does not exist", p.ID, d.Manifest)
		}
		if v != nil {
			params[d.Name] = v
		}
	}
	return params, nil
}

// fromManifest looks a field up by its path: nil where the manifest leaves it
// open, false where there is no such field.
func fromManifest(t Target, path string) (any, bool) {
	var e struct {
		norm, unit, access string
		epsilon            float64
		queries            int
	}
	if m := t.Manifest.ThreatModel.Evasion; m != nil {
		e.norm, e.unit, e.access, e.epsilon, e.queries = string(m.Norm), string(m.Unit), string(m.Access), m.Epsilon, m.QueriesPerRow
	}
	switch path {
	case "endpoint.queries_per_user":
		if a, ok := t.Manifest.Served(); ok {
			return number(float64(a.Endpoint.QueriesPerUser)), true
		}
		return nil, true
	case "endpoint.batch":
		if a, ok := t.Manifest.Served(); ok {
			return number(float64(a.Endpoint.Largest())), true
		}
		return nil, true
	case "solutions.query-limit.queries":
		least := 0
		for _, s := range t.Manifest.Solutions {
			if s.Type == manifest.QueryLimit && s.Queries != nil && (least == 0 || *s.Queries < least) {
				least = *s.Queries
			}
		}
		return number(float64(least)), true
	case "threat_model.evasion.norm":
		return text(e.norm), true
	case "threat_model.evasion.unit":
		return text(e.unit), true
	case "threat_model.evasion.access":
		return text(e.access), true
	case "threat_model.evasion.epsilon":
		return number(e.epsilon), true
	case "declared.worst_change.at_most":
		if at := t.Manifest.Declared["worst_change"].AtMost; at != nil {
			return number(*at), true
		}
		return nil, true
	case "threat_model.evasion.queries_per_row":
		return number(float64(e.queries)), true
	}
	return nil, false
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func number(v float64) any {
	if v == 0 {
		return nil
	}
	return v
}

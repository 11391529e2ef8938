package engine

import (
	"slices"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
)

// operatingLogs are the records that the manifest declares to be operating logs.
func operatingLogs(m *manifest.Manifest, artefacts []artefact.Artefact) ([]measure.Record, error) {
	var out []measure.Record
	for _, r := range m.Records {
		i := slices.IndexFunc(artefacts, func(a artefact.Artefact) bool { return a.Kind == artefact.Record && a.Name == r.Name })
		if r.Log == nil || i < 0 {
			continue
		}
		full, err := m.Locate(r.Path)
		if err != nil {
			return nil, err
		}
		l := r.Log
		log := measure.Log{
			Format: l.Format, Time: l.Time, Event: l.Event, ID: l.ID, Subject: l.Subject, Required: l.RequiredEvents,
			MaxGap: l.MaxGap.Value(), Retention: l.Retention.Value(), Since: l.Since.Time(), AllowedPersonal: l.AllowedPersonal,
		}
		for _, k := range l.MandatoryChecks {
			log.Checks = append(log.Checks, measure.Duty{Trigger: k.Before, Answer: k.Check, Within: k.Within.Value()})
		}
		for _, e := range l.Escalations {
			log.Escalations = append(log.Escalations, measure.Duty{Trigger: e.When, Answer: e.Then, Within: e.Within.Value()})
		}
		if l.Integrity != nil {
			log.Previous, log.Hash = l.Integrity.Previous, l.Integrity.Hash
		}
		out = append(out, measure.Record{File: measure.File{Artefact: artefacts[i], OpenPath: full, Folder: m.Dir}, Date: r.Date.Time(), Log: log})
	}
	return out, nil
}

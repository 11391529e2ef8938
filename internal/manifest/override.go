package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
)

// Overrides is what an assessor puts in place of what the provider chose. The
// files may lie anywhere; the manifest stays as it is.
type Overrides struct {
	Data   map[string]string // file, by the name of the data set that it replaces
	Threat string            // YAML file with the section threat_model and nothing else; "" keeps the manifest's
}

// Any tells whether anything is replaced.
func (o Overrides) Any() bool { return len(o.Data) > 0 || o.Threat != "" }

// Override is one replacement, as it was made.
type Override struct {
	Name     string          // of the data set; "" is the threat model
	File     string          // base name of the assessor's file
	Digest   artefact.Digest // of the threat file; Resolve digests data
	Replaced string          // path of the provider's data, relative to Dir
	LeftOut  []string        // names of the recorded outputs that were recorded on the replaced data
}

// threatField is the one field of a threat file.
const threatField = "threat_model"

// override puts the assessor's files in place of the provider's. It comes before
// anything looks for files: the replaced ones need not be there.
func (m *Manifest) override(o Overrides) error {
	if o.Threat != "" {
		if err := m.replaceThreat(o.Threat); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Data)) {
		if text, hint := m.replaceData(name, o.Data[name]); text != "" {
			return report(m.name, []Problem{{Text: fmt.Sprintf("the assessor's data %s: %s", clip(name), text), Hint: hint}})
		}
	}
	return nil
}

// replaceData puts the file theirs in the place of a data set's: with its label and array,
// without its pin, and without the outputs that were recorded on it.
func (m *Manifest) replaceData(name, theirs string) (text, hint string) {
	var names []string
	at := -1
	for i, a := range m.Artefacts {
		if a.Kind == artefact.Dataset {
			names = append(names, a.Name)
			if a.Name == name {
				at = i
			}
		}
	}
	if at < 0 {
		return "there is no data set of that name", didYouMean(name, names, "the data sets are "+strings.Join(names, ", "))
	}
	full, err := filepath.Abs(theirs)
	if err == nil {
		full, err = filepath.EvalSymlinks(full)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return clip(theirs) + " does not exist", "write NAME=FILE with a file of the same format and columns"
	}
	if err != nil {
		return fmt.Sprintf("%s: %v", clip(theirs), cause(err)), "make the file readable"
	}
	if info, err := os.Stat(full); err != nil || !info.Mode().IsRegular() {
		return clip(theirs) + " is no file", "write NAME=FILE with a file of the same format and columns"
	}
	placed := "assessor/" + name + "/" + filepath.Base(full)
	if slices.ContainsFunc(m.files(), func(f file) bool { return f.path == placed }) {
		return fmt.Sprintf("the manifest names a file %s of its own", clip(placed)), "give the file another name"
	}
	made := Override{Name: name, File: filepath.Base(full), Replaced: m.Artefacts[at].Path}
	for _, a := range m.Artefacts {
		switch {
		case a.Kind == artefact.RecordedOutputs && (a.On == name || slices.Contains(a.From, name)):
			made.LeftOut = append(made.LeftOut, a.Name)
		case slices.Contains(a.From, name):
			return fmt.Sprintf("%s %q was made from it, and not from other data", a.Kind, a.Name), "replace data that nothing was made from, such as the test data"
		}
	}
	a := &m.Artefacts[at]
	a.Path, a.Digest = placed, ""
	m.Artefacts = slices.DeleteFunc(m.Artefacts, func(a Artefact) bool { return slices.Contains(made.LeftOut, a.Name) })
	if m.outside == nil {
		m.outside = map[string]string{}
	}
	m.outside[placed] = full
	m.Overrides = append(m.Overrides, made)
	return "", ""
}

// replaceThreat reads the section threat_model from a file of the assessor's, as
// strictly as the manifest's own.
func (m *Manifest) replaceThreat(file string) error {
	src, err := readAtMost(file, maxBytes)
	if err != nil {
		hint := "name a readable YAML file that holds threat_model and nothing else"
		return &Error{Name: file, Problems: []Problem{{Text: cause(err).Error(), Hint: hint}}}
	}
	root, problems := grow(src)
	if len(problems) > 0 {
		return report(file, problems)
	}
	for name, n := range root.fields {
		if name != threatField {
			problems = append(problems, Problem{Line: n.line, Text: "unknown field " + clip(name), Hint: didYouMean(name, []string{threatField}, "an assessor's threat file holds threat_model and nothing else")})
		}
	}
	if len(problems) == 0 && root.fields[threatField] == nil {
		problems = append(problems, Problem{Text: "there is no threat_model", Hint: "the file holds the manifest's section threat_model and nothing else"})
	}
	if len(problems) > 0 {
		return report(file, problems)
	}
	// The manifest alone was found good: what is wrong with it now is wrong with the section.
	whole := *m.root
	whole.fields, whole.value = maps.Clone(m.root.fields), maps.Clone(m.root.value.(map[string]any))
	whole.fields[threatField], whole.value.(map[string]any)[threatField] = root.fields[threatField], root.fields[threatField].value
	if problems, err = validate(&whole); err != nil {
		return fmt.Errorf("read threat model %q: %w", file, err)
	}
	if len(problems) > 0 {
		return report(file, problems)
	}
	var with Manifest
	if err := decode(whole.value, &with); err != nil {
		return fmt.Errorf("read threat model %q: %w", file, err)
	}
	with.root = &whole
	with.fillDefaults()
	if err := report(file, with.check()); err != nil {
		return err
	}
	m.ThreatModel, m.root = with.ThreatModel, &whole
	m.Overrides = append(m.Overrides, Override{File: filepath.Base(file), Digest: artefact.DigestBytes(src)})
	return nil
}

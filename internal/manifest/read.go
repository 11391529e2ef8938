package manifest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/assize/assize/internal/artefact"
)

// FileName is the name of a manifest in a target's folder.
const FileName = "assize.yaml"

// Load reads the manifest at path, a file or the folder that holds an
// assize.yaml; checks it as Parse does; looks whether every file that it names
// is there and inside the folder; and builds the domain once. It digests none of
// the artefacts: that is for Resolve, which takes as long as reading them.
// What is wrong with the manifest is an *Error.
func Load(ctx context.Context, path string) (*Manifest, error) {
	return LoadWith(ctx, path, Overrides{})
}

// LoadWith is Load with an assessor's data and threat model in place of the
// manifest's. What is wrong with them is an *Error too.
func LoadWith(ctx context.Context, path string, o Overrides) (*Manifest, error) {
	src, name, err := read(path)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := Parse(src, name)
	if err != nil {
		return nil, err
	}
	if m.Dir, err = filepath.Abs(filepath.Dir(name)); err != nil {
		return nil, fmt.Errorf("read manifest %q: %w", name, err)
	}
	if err := m.override(o); err != nil {
		return nil, err
	}
	if err := report(name, m.checkFiles()); err != nil {
		return nil, err
	}
	if _, err := m.BuildDomain(); err != nil {
		return nil, err
	}
	return m, nil
}

// read takes at most maxBytes+1 bytes of the manifest at path.
func read(path string) (src []byte, name string, err error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, FileName)
		info, err = os.Stat(path)
	}
	fail := func(text, hint string) ([]byte, string, error) {
		return nil, path, &Error{Name: path, Problems: []Problem{{Text: text, Hint: hint}}}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint := `name a folder that holds an assize.yaml; "assize manifest schema" describes it`
		if other := filepath.Join(filepath.Dir(path), "assize.yml"); exists(other) {
			hint = fmt.Sprintf("rename %q to %s", other, FileName)
		}
		return fail("no such file", hint)
	case err != nil:
		return fail(cause(err).Error(), "make the file and its folder readable")
	case !info.Mode().IsRegular():
		return fail("neither a file nor a folder", "name a folder that holds an assize.yaml")
	case info.Size() > maxBytes:
		return fail("larger than 1 MiB", featuresHint)
	}
	if src, err = readAtMost(path, maxBytes); err != nil {
		return fail(cause(err).Error(), "make the file readable")
	}
	return src, path, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Parse reads a manifest without opening any file that it names; name is for
// errors. It validates src against the schema, refuses what YAML allows and a
// manifest does not need (anchors, tags, several documents, repeated keys), and
// checks what fields say of one another. What is wrong is an *Error.
func Parse(src []byte, name string) (*Manifest, error) {
	text := bytes.TrimPrefix(src, []byte("\ufeff"))
	root, problems := grow(text)
	if len(problems) > 0 {
		return nil, report(name, problems)
	}
	problems, err := validate(root)
	if err != nil {
		return nil, fmt.Errorf("read manifest %q: %w", name, err)
	}
	if len(problems) > 0 {
		return nil, report(name, problems)
	}
	m := &Manifest{name: name, root: root, Digest: artefact.DigestBytes(src)}
	if err := decode(root.value, m); err != nil {
		return nil, fmt.Errorf("read manifest %q: %w", name, err)
	}
	m.fillDefaults()
	if err := report(name, m.check()); err != nil {
		return nil, err
	}
	return m, nil
}

// decode goes through JSON, so that the fields' tags are the only mapping.
func decode(v any, m *Manifest) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(m)
}

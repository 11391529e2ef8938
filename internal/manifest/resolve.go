package manifest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/assize/assize/internal/artefact"
)

// file is one path that the manifest names.
type file struct {
	field    []any // where in the manifest
	path     string
	artefact artefact.Artefact // "" as its name where it does not become one
	folder   bool              // must be a folder; artefacts may be either
	plain    bool              // must be a file
	pin      artefact.Digest
}

// files lists every path that the manifest names: artefacts, the file of
// features, records, the catalogue's overlay.
func (m *Manifest) files() []file {
	var out []file
	for i, a := range m.Artefacts {
		if a.Kind == artefact.Endpoint {
			if a.Endpoint.CA != "" {
				out = append(out, file{field: where("artefacts", i, "endpoint", "ca"), path: a.Endpoint.CA, plain: true})
			}
			continue
		}
		out = append(out, file{field: where("artefacts", i, "path"), path: a.Path, pin: a.Digest, artefact: artefact.Artefact{
			Name: a.Name, Kind: a.Kind, Path: path.Clean(a.Path), From: a.From, Of: a.Of, On: a.On}})
	}
	extra := func(name string, kind artefact.Kind, rel string, field ...any) {
		out = append(out, file{field: field, path: rel, plain: true, artefact: artefact.Artefact{Name: name, Kind: kind, Path: path.Clean(rel)}})
	}
	if m.Domain != nil && m.Domain.Features.Path != "" {
		extra(featuresName, artefact.Code, m.Domain.Features.Path, "domain", "features")
	}
	for i, s := range m.Solutions {
		if s.Record != "" {
			extra(s.Name, artefact.Record, s.Record, "solutions", i, "record")
		}
	}
	for i, r := range m.Records {
		extra(r.Name, artefact.Record, r.Path, "records", i, "path")
		out[len(out)-1].pin = r.Digest
	}
	if m.Catalogue != "" {
		out = append(out, file{field: where("catalogue"), path: m.Catalogue, folder: true})
	}
	return out
}

// featuresName is the name of the file of features among the artefacts. No
// artefact of a manifest can have it, because of the slash.
const featuresName = "domain/features"

// paths refuses, without looking at the disk, what leads out of the folder.
func (c *checker) paths() {
	for _, f := range c.m.files() {
		if text, hint := leaves(f.path); text != "" {
			c.problem(hint, f.field, "%s", text)
		}
	}
}

func leaves(rel string) (text, hint string) {
	const inside = "put it into the manifest's folder and name it relative to that"
	switch {
	case strings.ContainsAny(rel, "\\\x00\r\n"):
		return fmt.Sprintf("path %s holds a backslash or a control character", clip(rel)), "write paths with /"
	case path.IsAbs(rel) || !filepath.IsLocal(filepath.FromSlash(rel)):
		return fmt.Sprintf("path %s leaves the manifest's folder", clip(rel)), inside
	case path.Clean(rel) == ".":
		return fmt.Sprintf("path %s is the manifest's folder itself", clip(rel)), "name a file or folder inside it"
	}
	return "", ""
}

// Locate is the path of the file or folder rel, as the manifest writes it, with
// links resolved. What lies outside the manifest's folder, by itself or through
// a link, is refused; only a file that an assessor put in place lies elsewhere. Locate needs Dir.
func (m *Manifest) Locate(rel string) (string, error) {
	found, text, hint := m.locate(rel)
	if text != "" {
		return "", fmt.Errorf("locate file: %s\nhint: %s", text, hint)
	}
	return found, nil
}

func (m *Manifest) locate(rel string) (found, text, hint string) {
	if found, ok := m.outside[rel]; ok { // resolved when it was put in place
		return found, "", ""
	}
	if text, hint = leaves(rel); text != "" {
		return "", text, hint
	}
	root, err := filepath.EvalSymlinks(m.Dir)
	if err != nil {
		return "", fmt.Sprintf("open the manifest's folder: %v", cause(err)), "give the folder back its name and its permissions"
	}
	found, err = filepath.EvalSymlinks(filepath.Join(root, filepath.FromSlash(rel)))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Sprintf("%s does not exist", clip(rel)), "paths start at the manifest's folder" + m.neighbour(root, rel)
	}
	if err != nil {
		return "", fmt.Sprintf("%s: %v", clip(rel), cause(err)), "make the file readable"
	}
	if in, err := filepath.Rel(root, found); err != nil || !filepath.IsLocal(in) {
		return "", fmt.Sprintf("path %s leaves the manifest's folder through a link", clip(rel)), "put a copy of the file into the folder"
	}
	return found, "", ""
}

// neighbour suggests a file of nearly that name, in the same folder.
func (m *Manifest) neighbour(root, rel string) string {
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(path.Dir(rel))))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries[:min(len(entries), 1000)] {
		names = append(names, path.Join(path.Dir(rel), e.Name()))
	}
	if near := nearest(rel, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// cause is what the system said, without the path.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// checkFiles looks whether every file that the manifest names is there.
func (m *Manifest) checkFiles() []Problem {
	c := &checker{m: m}
	for _, f := range m.files() {
		found, text, hint := m.locate(f.path)
		if text != "" {
			c.problem(hint, f.field, "%s", f.label()+text)
			continue
		}
		info, err := os.Stat(found)
		switch {
		case err != nil:
			c.problem("make it readable", f.field, "%s%s: %v", f.label(), clip(f.path), cause(err))
		case f.folder && !info.IsDir():
			c.problem("name a folder", f.field, "%s is no folder", clip(f.path))
		case f.plain && !info.Mode().IsRegular(), !info.IsDir() && !info.Mode().IsRegular():
			c.problem("name a file", f.field, "%s%s is no file", f.label(), clip(f.path))
		}
	}
	return c.problems
}

func (f file) label() string {
	if f.artefact.Name == "" || f.artefact.Name == featuresName {
		return ""
	}
	return fmt.Sprintf("%s %q: ", f.artefact.Kind, f.artefact.Name)
}

// Resolve digests what the manifest names but an endpoint, which has no bytes to digest, and compares the digests with those
// that it pins. The artefacts come in the manifest's order, with size and
// lineage; after them, as artefacts too because an assessment rests on them, the
// file of features (kind code, named "domain/features") and the records of
// solutions and of the manifest (kind record, under the solution's or record's
// name). A digest that differs and a file that is not there are an *Error. Resolve needs
// Dir, as Load sets it, and stops when ctx ends.
func (m *Manifest) Resolve(ctx context.Context) ([]artefact.Artefact, error) {
	type measured struct {
		digest artefact.Digest
		size   int64
	}
	seen := map[string]measured{}
	c := &checker{m: m}
	var out []artefact.Artefact
	for _, f := range m.files() {
		if f.artefact.Name == "" {
			continue
		}
		found, text, hint := m.locate(f.path)
		if text != "" {
			c.problem(hint, f.field, "%s", f.label()+text)
			continue
		}
		got, ok := seen[found]
		if !ok {
			d, n, err := artefact.DigestOf(ctx, found)
			if ctx.Err() != nil {
				return nil, fmt.Errorf("digest artefacts: %w", ctx.Err())
			}
			if err != nil {
				c.problem("make it readable; an artefact is a file, or a folder of files without links", f.field, "%s%v", f.label(), err)
				continue
			}
			got = measured{d, n}
			seen[found] = got
		}
		if f.pin != "" && f.pin != got.digest {
			field := append(f.field[:len(f.field)-1:len(f.field)-1], "digest")
			hint := fmt.Sprintf("put the right %s back or, if the change is meant, set digest: %q", f.artefact.Kind, got.digest)
			if info, err := os.Stat(found); err == nil && !info.IsDir() {
				hint += fmt.Sprintf(` ("sha256sum %s" shows it)`, f.path)
			}
			c.problem(hint, field, "%s %q has the digest %s…, and %s… is pinned", f.artefact.Kind, f.artefact.Name, got.digest.Short(), f.pin.Short())
			continue
		}
		f.artefact.Digest, f.artefact.SizeBytes = got.digest, got.size
		out = append(out, f.artefact)
	}
	if err := report(m.name, c.problems); err != nil {
		return nil, err
	}
	return out, nil
}

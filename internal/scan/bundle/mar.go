// Package bundle knows archives that hold a model together with the code or the
// configuration that a server runs to load it: TorchServe's MAR and NVIDIA's NeMo.
// What is code there is code that runs; elsewhere it is text.
package bundle

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/assize/assize/internal/scan"
)

// maxManifest is the size of a manifest that is read.
const maxManifest = 1 << 20

// MAR is the layout of TorchServe's model and workflow archives (TorchServe 0.12,
// model-archiver): a zip whose manifest names the handler, Python that runs when the
// model is served, and the file with the weights.
type MAR struct{}

// Name implements scan.Layout.
func (MAR) Name() string { return "mar" }

// manifests are where the two kinds of archive have theirs.
func manifests() []string { return []string{"MAR-INF/MANIFEST.json", "WAR-INF/MANIFEST.json"} }

// Match implements scan.Layout.
func (MAR) Match(entries []scan.Entry) bool {
	return slices.ContainsFunc(entries, func(e scan.Entry) bool { return slices.Contains(manifests(), path.Clean(e.Name)) })
}

// Scan implements scan.Layout. Everything but the code is left to the other readers.
func (MAR) Scan(ctx context.Context, out *scan.Sink, entries []scan.Entry) (rest []scan.Entry, err error) {
	for _, e := range entries {
		name := path.Clean(e.Name)
		switch {
		case slices.Contains(manifests(), name):
			if err := manifest(ctx, out, e, entries); err != nil {
				return nil, err
			}
			rest = append(rest, e) // as JSON too, whose keys may stand twice
		case strings.EqualFold(path.Ext(name), ".py"):
			if err := out.Member(ctx, e, python); err != nil {
				return nil, err
			}
		case strings.EqualFold(path.Base(name), "requirements.txt"):
			if err := out.Member(ctx, e, requirements); err != nil {
				return nil, err
			}
		default:
			rest = append(rest, e)
		}
	}
	return rest, nil
}

// python says of source code that it runs.
func python(_ context.Context, in *scan.Input, out *scan.Sink) error {
	out.Format("python")
	out.Structured(0, in.Size)
	unknown(out, "mar/code", scan.Execute, "Python that the server runs or can import when the model is served", "Read it before you serve the model, or ask for the weights alone.")
	return nil
}

func requirements(_ context.Context, in *scan.Input, out *scan.Sink) error {
	out.Format("requirements")
	out.Structured(0, in.Size)
	unknown(out, "mar/requirements", scan.Network, "packages that a server that allows it fetches and installs", "Install what you have looked at yourself, and leave install_py_dep_per_model off.")
	return nil
}

func unknown(out *scan.Sink, rule, capability, evidence, fix string) {
	out.Find(scan.Finding{Rule: rule, Outcome: scan.UnknownCode, Capability: capability, Evidence: evidence, Cites: []string{"CWE-829"}, Fix: fix})
}

// own are the handlers that TorchServe brings along.
func own() []string {
	return []string{"image_classifier", "image_segmenter", "object_detector", "text_classifier", "text_handler", "vision_handler", "base_handler"}
}

// manifest judges what the archive says of itself.
func manifest(ctx context.Context, out *scan.Sink, e scan.Entry, entries []scan.Entry) error {
	r, err := e.Open(ctx)
	if err != nil || r == nil {
		return nil // said of the member itself
	}
	if c, ok := r.(io.Closer); ok {
		defer c.Close()
	}
	b, err := io.ReadAll(io.NewSectionReader(r, 0, maxManifest+1))
	if err != nil {
		return err
	}
	if len(b) > maxManifest {
		return scan.Problemf("mar/manifest", 0, "the manifest has more than %d bytes", maxManifest)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return scan.Problemf("mar/manifest", 0, "the manifest is no JSON: %v", err)
	}
	for _, section := range []string{"model", "workflow"} {
		parts, _ := m[section].(map[string]any)
		for _, key := range []string{"handler", "serializedFile", "modelFile", "requirementsFile", "specFile", "configFile"} {
			value, ok := parts[key]
			text, isText := value.(string)
			switch {
			case !ok || value == nil || isText && text == "":
			case !isText:
				return scan.Problemf("mar/manifest", 0, "%s.%s is no text", section, key)
			default:
				reference(out, section+"."+key, key, text, entries)
			}
		}
	}
	return nil
}

// reference judges a file or a name that a manifest refers to.
func reference(out *scan.Sink, where, key, text string, entries []scan.Entry) {
	file, _, _ := strings.Cut(text, ":") // file and function
	slashed := strings.ReplaceAll(file, `\`, "/")
	if path.IsAbs(slashed) || len(slashed) > 1 && slashed[1] == ':' || slashed == ".." || strings.HasPrefix(path.Clean(slashed), "../") {
		out.Find(scan.Finding{
			Rule: "mar/path", Outcome: scan.Dangerous, Capability: scan.Read, Evidence: fmt.Sprintf("%s is %q, outside of the archive", where, text), Cites: []string{"CWE-22"},
			Fix: "Do not serve it: what it loads lies elsewhere. Ask for the model to be archived again.",
		})
		return
	}
	inside := slices.ContainsFunc(entries, func(e scan.Entry) bool { return path.Clean(e.Name) == path.Clean(slashed) })
	if key == "handler" && !inside && !slices.Contains(own(), strings.TrimSuffix(file, ".py")) {
		unknown(out, "mar/handler", scan.Import, fmt.Sprintf("%s is %q, which is neither in the archive nor one of TorchServe's own", where, text), "Find out what the server would run under that name before you serve the model.")
	}
	if key == "requirementsFile" && path.Base(slashed) != "requirements.txt" {
		unknown(out, "mar/requirements", scan.Network, fmt.Sprintf("%s is %q: packages that a server that allows it fetches and installs", where, text), "Install what you have looked at yourself, and leave install_py_dep_per_model off.")
	}
}

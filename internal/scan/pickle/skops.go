package pickle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
)

// Skops is the layout of files of skops: a zip with a description of Python objects
// in schema.json and arrays beside it. The loader imports every class that the
// description names and makes instances of it.
type Skops struct{ Rules *rules.Set }

// Name is what reports call the layout.
func (Skops) Name() string { return "skops" }

// Match looks for the description.
func (Skops) Match(entries []scan.Entry) bool {
	for _, e := range entries {
		if e.Name == "schema.json" {
			return true
		}
	}
	return false
}

// Scan reads the description. The arrays are members as any others.
func (s Skops) Scan(ctx context.Context, out *scan.Sink, entries []scan.Entry) (rest []scan.Entry, err error) {
	for _, e := range entries {
		if e.Name != "schema.json" {
			rest = append(rest, e)
			continue
		}
		if err := out.Member(ctx, e, s.schema); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// node is an object of the description that is being read.
type node struct {
	key    string
	keyed  bool // what comes next belongs to the key
	object bool
	values map[string]string
	at     int64
}

func (s Skops) schema(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	out.Format("skops-schema")
	d := json.NewDecoder(io.NewSectionReader(in, 0, in.Size))
	d.UseNumber()
	var stack []node
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			out.Structured(0, in.Size)
			if len(stack) > 0 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		if err != nil {
			return scan.Problemf("skops/schema", d.InputOffset(), "the description is no JSON: %v", err)
		}
		if err := out.Spend(ctx, 16); err != nil {
			return err
		}
		top := len(stack) - 1
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				if len(stack) >= 1000 {
					return scan.Problemf("skops/schema", d.InputOffset(), "more than 1000 objects in each other")
				}
				if top >= 0 {
					stack[top].keyed = false
				}
				stack = append(stack, node{object: t == '{', values: map[string]string{}, at: d.InputOffset()})
			default:
				if stack[top].object {
					s.judge(out, stack[top])
				}
				stack = stack[:top]
			}
		case string:
			switch {
			case top < 0 || !stack[top].object:
			case !stack[top].keyed:
				stack[top].key, stack[top].keyed = t, true
			default:
				n := &stack[top]
				if old, twice := n.values[n.key]; twice && old != t && strings.HasPrefix(n.key, "__") {
					out.Find(scan.Finding{Rule: "skops/duplicate", Outcome: scan.Dangerous, Offset: n.at, Evidence: fmt.Sprintf("%s stands there twice: %s and %s", n.key, old, t), Cites: []string{"CWE-436"}, Fix: "Do not load the file: readers disagree on which one counts."})
				}
				if strings.HasPrefix(n.key, "__") {
					n.values[n.key] = t
				}
				n.keyed = false
			}
		default:
			if top >= 0 {
				stack[top].keyed = false
			}
		}
	}
}

// judge says what a node's class may do.
func (s Skops) judge(out *scan.Sink, n node) {
	module, class := n.values["__module__"], n.values["__class__"]
	if module == "" || class == "" {
		return
	}
	f := scan.Finding{Offset: n.at, Capability: scan.Import, Evidence: fmt.Sprintf("%s.%s by %s", module, class, n.values["__loader__"])}
	switch v := s.Rules.Name(module, class); v.Kind {
	case rules.Vetted:
		return
	case rules.Denied, rules.Deceptive:
		f.Rule, f.Outcome, f.Capability, f.Cites = "skops/denied-type", scan.Malicious, v.Capability, v.Cites
		f.Fix = "Do not load the file, and never list this type as trusted."
	default:
		f.Rule, f.Outcome, f.Cites = "skops/unknown-type", scan.UnknownCode, []string{"CWE-829"}
		f.Fix = "Read the source of the type before you list it as trusted, here in the policy and in skops."
	}
	out.Find(f)
}

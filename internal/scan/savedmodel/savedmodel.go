// Package savedmodel reads TensorFlow's SavedModel: the graphs and the function
// library of saved_model.pb, the index of its variables, and what Keras 2 keeps
// beside them. A graph is a program; what it can do is told by its operators.
package savedmodel

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/keras"
	"github.com/assize/assize/internal/scan/wire"
)

//go:embed data/*.txt
var lists embed.FS

// Formats are the files of a SavedModel.
func Formats() []scan.Format {
	return []scan.Format{Graph{}, Frozen{}, Index{}, Fingerprint{}, Metadata{}, Shard{}}
}

// maxNesting is the depth of messages in each other; protocol buffers stop at 100.
const maxNesting = 100

// Graph reads saved_model.pb.
type Graph struct{}

// Name implements scan.Format.
func (Graph) Name() string { return "saved-model" }

// Sniff implements scan.Format: version 1 and a graph that fills the file.
func (Graph) Sniff(head []byte, in *scan.Input) scan.Confidence {
	if !bytes.HasPrefix(head, []byte("\x08\x01\x12")) {
		return scan.No
	}
	found := scan.No
	wire.Each(in, 2, in.Size, func(f wire.Field) error {
		if f.Num == 2 && f.Type == wire.Bytes && f.Len() > in.Size/3 && f.From < 16 {
			found = scan.Sure
		}
		return io.EOF
	})
	if found == scan.No && bytes.Contains(head, []byte("\x22\x05serve")) { // cut short
		found = scan.Sure
	}
	return found
}

// Scan implements scan.Format.
func (Graph) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	w, err := newWalker(ctx, in, out)
	if err != nil {
		return err
	}
	return w.file("SavedModel")
}

// walker goes through one file.
type walker struct {
	ctx     context.Context
	in      *scan.Input
	out     *scan.Sink
	vetted  map[string]bool
	denied  map[string]string // operator: capability
	schema  map[string]map[int]string
	ops     map[string]bool  // seen, which are judged once
	own     map[string]bool  // functions of the file
	custom  map[string]int64 // operators on no list, and where they stand first
	silent  bool             // the file is read for another's sake
	held    int64            // memory of the graph whose files are followed
	close   []byte           // a message that was read at once, and where it stands
	closeAt int64
}

func newWalker(ctx context.Context, in *scan.Input, out *scan.Sink) (*walker, error) {
	w := &walker{ctx: ctx, in: in, out: out, vetted: map[string]bool{}, denied: map[string]string{}, schema: schema(), ops: map[string]bool{}, own: map[string]bool{}, custom: map[string]int64{}}
	for name, take := range map[string]func([]string){
		"data/vetted.txt": func(words []string) {
			for _, op := range words {
				w.vetted[op] = true
			}
		},
		"data/denied.txt": func(words []string) {
			for _, op := range words[1:] {
				w.denied[op] = words[0]
			}
		},
	} {
		b, err := lists.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read rules: %w", err)
		}
		for line := range strings.Lines(string(b)) {
			if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
				take(words)
			}
		}
	}
	return w, nil
}

func (w *walker) file(message string) error {
	err := w.message(message, 0, w.in.Size, 0)
	w.customs()
	if err == nil && message == "GraphDef" {
		err = w.flow(wire.Field{To: w.in.Size}, true)
	}
	var p *scan.Problem
	if err == nil || errors.As(err, &p) || w.ctx.Err() != nil {
		return err
	}
	return scan.Problemf("savedmodel/broken", 0, "%v", err)
}

// message walks through one message of a kind of the schema.
func (w *walker) message(kind string, from, to int64, depth int) error {
	if depth > maxNesting {
		return scan.Problemf("savedmodel/nesting", from, "messages nest deeper than %d", maxNesting)
	}
	fields := w.schema[kind]
	unknown := int64(0)
	err := wire.Each(w.in, from, to, func(f wire.Field) error {
		if err := w.out.Spend(w.ctx, 16); err != nil {
			return err
		}
		inner, known := fields[f.Num]
		if !known {
			unknown += f.To - f.Start
			return nil
		}
		w.out.Structured(f.Start, f.From-f.Start)
		switch {
		case inner == "":
			w.out.Structured(f.From, f.Len())
		case inner == "data":
			w.out.Opaque(f.From, f.Len())
		case f.Type != wire.Bytes:
			return fmt.Errorf("byte %d: a %s that is a number", f.Start, inner)
		case inner == "op" || inner == "function" || inner == "keras":
			w.out.Structured(f.From, f.Len())
			return map[string]func(wire.Field) error{"op": w.operator, "function": w.function, "keras": w.keras}[inner](f)
		default:
			if err := w.message(inner, f.From, f.To, depth+1); err != nil || inner != "MetaGraph" {
				return err
			}
			return w.flow(f, false)
		}
		return nil
	})
	if unknown > 0 {
		w.out.Incomplete(scan.Problemf("savedmodel/unknown-field", from, "a %s holds %d bytes in fields that nobody knows", kind, unknown))
	}
	return err
}

// operator judges one by its name.
func (w *walker) operator(f wire.Field) error {
	op, err := wire.Text(w.in, f, 1<<16)
	if err != nil {
		return err
	}
	if w.ops[op] {
		return nil
	}
	w.ops[op] = true
	if err := w.out.Hold(int64(len(op)) + 64); err != nil {
		return err
	}
	base := op[strings.LastIndexByte(op, '>')+1:]
	capability := w.denied[op]
	if capability == "" {
		capability = w.denied[base]
	}
	switch {
	case capability != "":
		w.out.Find(scan.Finding{
			Rule: "savedmodel/operator", Outcome: scan.Malicious, Capability: capability, Offset: f.From, Evidence: fmt.Sprintf("the operator %q, which reaches out of the graph", op),
			Cites: []string{"CWE-502", "AML.T0011.000"}, Fix: "Do not load it. Ask for a model whose graph computes and nothing else.",
		})
	case !w.vetted[op]:
		w.custom[op] = f.From
	}
	return nil
}

// function remembers the name of one that the file defines.
func (w *walker) function(f wire.Field) error {
	name, err := wire.Text(w.in, f, 1<<16)
	if err != nil {
		return err
	}
	w.own[name] = true
	return w.out.Hold(int64(len(name)) + 64)
}

// customs reports operators that neither TensorFlow nor the file defines.
func (w *walker) customs() {
	for _, op := range slices.Sorted(maps.Keys(w.custom)) {
		if w.own[op] {
			continue
		}
		w.out.Find(scan.Finding{
			Rule: "savedmodel/custom-operator", Outcome: scan.UnknownCode, Capability: scan.Native, Offset: w.custom[op], Evidence: fmt.Sprintf("the operator %q is none of TensorFlow's: whoever runs it loads a library", op),
			Cites: []string{"CWE-829"}, Fix: "Read the library that it needs before you load it, or ask for a model of TensorFlow's own operators.",
		})
	}
}

// keras judges what Keras 2 says of an object, as text.
func (w *walker) keras(f wire.Field) error {
	text := io.NewSectionReader(w.in, f.From, f.Len())
	head := make([]byte, 1)
	if n, _ := text.ReadAt(head, 0); n == 0 || head[0] != '{' {
		return nil
	}
	return keras.ScanConfig(w.ctx, w.out, text, f.From)
}

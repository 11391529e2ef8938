// Package onnxfile reads ONNX files that may be hostile. Its rules on models are
// shared with the probe that scans the artefacts of a target.
package onnxfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/wire"
)

// Format reads ONNX files.
type Format struct{}

// Name implements scan.Format.
func (Format) Name() string { return "onnx" }

// Sniff implements scan.Format. ONNX has no mark: the fields of the outermost message
// are those of a model, of their types, and a graph is among them.
func (Format) Sniff(head []byte, in *scan.Input) scan.Confidence {
	if len(head) < 8 || onnx.Sniff(head) != onnx.Unrecognised {
		return scan.No
	}
	types := map[int]int{1: wire.Varint, 2: wire.Bytes, 3: wire.Bytes, 4: wire.Bytes, 5: wire.Varint, 6: wire.Bytes, 7: wire.Bytes, 8: wire.Bytes, 14: wire.Bytes, 20: wire.Bytes, 25: wire.Bytes}
	fields, graph, foreign := 0, false, false
	wire.Each(in, 0, in.Size, func(f wire.Field) error {
		fields++
		if t, known := types[f.Num]; known && t != f.Type || !known && fields == 1 {
			foreign = true
		}
		if f.Num == 7 && f.Type == wire.Bytes {
			graph = graph || inner(in, f)
		}
		if foreign || fields > 10_000 {
			return io.EOF
		}
		return nil
	})
	switch {
	case foreign || fields == 0:
		return scan.No
	case graph:
		return scan.Sure
	case head[0] == 8 && head[1] < 32 && (head[2] == 0x12 || head[2] == 0x3a): // cut short: version, then producer or graph
		return scan.Possible
	}
	return scan.No
}

// inner tells whether a field holds a graph: nodes, a name, tensors, values.
func inner(in *scan.Input, graph wire.Field) bool {
	fields, ok := 0, true
	wire.Each(in, graph.From, graph.To, func(f wire.Field) error {
		switch f.Num {
		case 1, 2, 5, 10, 11, 12, 13, 14, 15, 16:
			ok = ok && f.Type == wire.Bytes
		}
		if fields++; fields > 16 {
			return io.EOF
		}
		return nil
	})
	return ok && fields > 0
}

// outcomes says what a rule makes of a file and which capability it gives. Rules
// that are not here say nothing of harm.
func outcomes() map[string]struct {
	outcome    scan.Outcome
	capability string
	cite       string
} {
	type o = struct {
		outcome    scan.Outcome
		capability string
		cite       string
	}
	return map[string]o{
		"onnx/python-operator":           {scan.Malicious, scan.Execute, "CWE-502"},
		"onnx/compiled-context":          {scan.Malicious, scan.Native, "CWE-829"},
		"onnx/custom-operator":           {scan.UnknownCode, scan.Native, "CWE-829"},
		"onnx/function-shadows-operator": {scan.Dangerous, "", "CWE-436"},
		"onnx/function-recursion":        {scan.Dangerous, "", "CWE-674"},
		"onnx/duplicate-name":            {scan.Dangerous, "", "CWE-694"},
		"onnx/payload-in-text":           {scan.Dangerous, scan.Nested, "CWE-506"},
		"onnx/payload-in-tensor":         {scan.Dangerous, scan.Nested, "CWE-506"},
		"onnx/script-in-text":            {scan.Dangerous, scan.Execute, "CWE-79"},
		"onnx/tensor-dimensions":         {scan.Dangerous, "", "CWE-190"},
		"onnx/tensor-size":               {scan.Dangerous, scan.Memory, "CWE-125"},
		"onnx/unread-bytes":              {scan.Incomplete, "", "CWE-436"},
		"onnx/external-data-malformed":   {scan.Dangerous, "", "CWE-20"},
		"onnx/external-data-memory":      {scan.Dangerous, scan.Memory, "CWE-822"},
		"onnx/external-data-absolute":    {scan.Dangerous, scan.Read, "CVE-2024-27318"},
		"onnx/external-data-escapes":     {scan.Dangerous, scan.Read, "CVE-2024-27318"},
		"onnx/external-data-name":        {scan.Dangerous, scan.Read, "CWE-22"},
	}
}

// maxMessages bounds the parts of a model: 400 bytes for each are within the budget of memory.
const maxMessages = 500_000

// skim reads a model without its arrays. What it holds is given back by free.
func skim(ctx context.Context, file io.ReaderAt, size int64, out *scan.Sink) (s *onnx.Skimmed, free func(), err error) {
	lim := onnx.DefaultLimits()
	lim.MaxMessages = maxMessages
	held := int64(0)
	s, err = onnx.Skim(file, size, lim, onnx.Meter{
		Hold: func(n int64) error {
			held += n
			return out.Hold(n)
		},
		Spend: func(n int64) error { return out.Spend(ctx, n) },
	})
	return s, func() { out.Hold(-held) }, err
}

// Scan implements scan.Format.
func (Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	s, free, err := skim(ctx, in, in.Size, out)
	defer free()
	if err != nil {
		var p *scan.Problem
		if errors.As(err, &p) || ctx.Err() != nil {
			return err
		}
		line, _, _ := strings.Cut(err.Error(), "\nhint: ")
		if strings.Contains(line, "nest deeper") || strings.Contains(line, "occurs twice") || strings.Contains(line, "data in both") {
			out.Find(finding("onnx/structure", scan.Dangerous, "", "CWE-674", line))
		}
		return scan.Problemf("onnx/unreadable", 0, "%s", line)
	}
	if n := in.Size - s.End; n > 0 {
		f := finding("onnx/trailing-bytes", scan.Dangerous, "", "CWE-436", fmt.Sprintf("%d bytes stand behind the model%s", n, Containing(io.NewSectionReader(in, s.End, n))))
		f.Offset = s.End
		out.Find(f)
	}
	// The counts do not say where each byte stands; the sums are right.
	out.Structured(0, s.Structured)
	out.Opaque(s.Structured, s.Opaque)
	known := outcomes()
	Inspect(in, s, func(n Note) {
		o, ok := known[n.Rule]
		if !ok {
			return
		}
		if n.Rule == "onnx/unread-bytes" && n.Severity == result.High {
			o.outcome = scan.Dangerous
		}
		f := finding(n.Rule, o.outcome, o.capability, o.cite, strings.TrimPrefix(n.Where+": "+n.What+" "+n.Evidence, ": "))
		if n.Fix != "" {
			f.Fix = "Do not load it. " + n.Fix
		}
		out.Find(f)
	}, func(where string, t *onnx.Tensor) {
		alone := onnx.Model{Graph: &onnx.Graph{Initializers: []*onnx.Tensor{t}}}
		ref := alone.ExternalData()[0]
		rule, what := Location(ref.Location)
		if rule == "" && ref.Problem != "" {
			rule, what = "onnx/external-data-malformed", ref.Problem
		}
		if rule != "" {
			o := known[rule]
			out.Find(finding(rule, o.outcome, o.capability, o.cite, where+": "+what+" "+Escape(ref.Location)))
		}
	})
	return ctx.Err()
}

func finding(rule string, o scan.Outcome, capability, cite, evidence string) scan.Finding {
	return scan.Finding{
		Rule: rule, Outcome: o, Capability: capability, Evidence: evidence, Cites: []string{cite},
		Fix: "Do not load it. Ask for the model to be exported again, with its weights inside or in a file beside it.",
	}
}

// Package xmlfile reads XML: PMML and OpenVINO's descriptions of networks. XML is
// data unless it declares entities, which can read files and fill memory, or names
// code of somebody's own.
package xmlfile

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/window"
)

const (
	maxNesting = 1000
	maxToken   = 16 << 20
)

// Format reads XML files.
type Format struct{}

// Name implements scan.Format.
func (Format) Name() string { return "xml" }

// Sniff implements scan.Format.
func (Format) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	start := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	for _, begin := range []string{"<?xml", "<!DOCTYPE", "<!ENTITY", "<PMML", "<net "} {
		if bytes.HasPrefix(start, []byte(begin)) {
			return scan.Sure
		}
	}
	return scan.No
}

// bounded ends when one token takes more than maxToken bytes.
type bounded struct {
	ctx  context.Context
	out  *scan.Sink
	in   io.Reader
	read int64 // since the last token
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.read > maxToken {
		return 0, scan.Problemf("xml/token", 0, "one value has more than %d bytes", maxToken)
	}
	n, err := b.in.Read(p[:min(len(p), 64<<10)])
	b.read += int64(n)
	if err := b.out.Spend(b.ctx, int64(n)); err != nil {
		return n, err
	}
	return n, err
}

// Scan implements scan.Format.
func (Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	if err := out.Hold(2 * maxToken); err != nil {
		return err
	}
	defer out.Hold(-2 * maxToken)
	b := &bounded{ctx: ctx, out: out, in: window.New(in, 0, in.Size)}
	d := xml.NewDecoder(b)
	depth := 0
	for {
		b.read = 0
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var p *scan.Problem
			if errors.As(err, &p) || ctx.Err() != nil {
				return err
			}
			if strings.Contains(err.Error(), "entity") {
				find(out, "entity", scan.Dangerous, "", d.InputOffset(), "CWE-611", "an entity that the file defines: %v", err)
			}
			return scan.Problemf("xml/broken", d.InputOffset(), "%v", err)
		}
		switch t := t.(type) {
		case xml.Directive:
			if bytes.Contains(t, []byte("ENTITY")) || bytes.Contains(t, []byte("SYSTEM")) || bytes.Contains(t, []byte("PUBLIC")) {
				find(out, "entity", scan.Dangerous, scan.Read, d.InputOffset(), "CWE-611", "a declaration that can read files or fill memory: %.200s", t)
			}
		case xml.ProcInst:
			if t.Target != "xml" && t.Target != "xml-model" { // the latter names a schema
				find(out, "instruction", scan.Dangerous, "", d.InputOffset(), "CWE-91", "an instruction to programs: %s %.100s", t.Target, t.Inst)
			}
		case xml.StartElement:
			if depth++; depth > maxNesting {
				return scan.Problemf("xml/nesting", d.InputOffset(), "elements nest deeper than %d", maxNesting)
			}
			if depth == 1 {
				switch t.Name.Local {
				case "PMML":
					out.Format("pmml")
				case "net":
					out.Format("openvino")
				}
			}
			element(out, t, d.InputOffset())
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 {
		return scan.Problemf("xml/truncated", in.Size, "%d elements do not end", depth)
	}
	out.Structured(0, in.Size)
	return nil
}

func find(out *scan.Sink, rule string, o scan.Outcome, capability string, at int64, cite, evidence string, args ...any) {
	out.Find(scan.Finding{
		Rule: "xml/" + rule, Outcome: o, Capability: capability, Offset: at, Evidence: fmt.Sprintf(evidence, args...), Cites: []string{cite},
		Fix: "Do not load it. Ask for a file without it.",
	})
}

// element judges one: functions of a class of Java's in PMML, layers of an extension in OpenVINO.
func element(out *scan.Sink, e xml.StartElement, at int64) {
	for _, a := range e.Attr {
		switch {
		case e.Name.Local == "Apply" && a.Name.Local == "function" && strings.Contains(a.Value, "."):
			find(out, "function", scan.UnknownCode, scan.Import, at, "CWE-470", "a function of a class of its own: %q", a.Value)
		case e.Name.Local == "layer" && a.Name.Local == "version" && a.Value != "" && !strings.HasPrefix(a.Value, "opset") && a.Value != "util":
			find(out, "custom-layer", scan.UnknownCode, scan.Native, at, "CWE-829", "a layer of the set %q, which an extension library has to bring", a.Value)
		}
	}
}

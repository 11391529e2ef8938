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

// tokens calls visit with every part of a document and where it ends.
func tokens(ctx context.Context, in *scan.Input, out *scan.Sink, visit func(xml.Token, int64) error) error {
	if err := out.Hold(2 * maxToken); err != nil {
		return err
	}
	defer out.Hold(-2 * maxToken)
	b := &bounded{ctx: ctx, out: out, in: window.New(in, 0, in.Size)}
	d := xml.NewDecoder(b)
	for {
		b.read = 0
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			var p *scan.Problem
			if errors.As(err, &p) || ctx.Err() != nil {
				return err
			}
			return &syntaxError{err, d.InputOffset()}
		}
		if err := visit(t, d.InputOffset()); err != nil {
			return err
		}
	}
}

// syntaxError says that a file is no XML, and where.
type syntaxError struct {
	error
	at int64
}

// Scan implements scan.Format.
func (Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	depth := 0
	var model *pmml     // where it is one
	var layers *network // where it is one
	err := tokens(ctx, in, out, func(t xml.Token, at int64) (err error) {
		switch t := t.(type) {
		case xml.Directive:
			if bytes.Contains(t, []byte("ENTITY")) || bytes.Contains(t, []byte("SYSTEM")) || bytes.Contains(t, []byte("PUBLIC")) {
				find(out, "entity", scan.Dangerous, scan.Read, at, "CWE-611", "a declaration that can read files or fill memory: %.200s", t)
			}
		case xml.ProcInst:
			if t.Target != "xml" && t.Target != "xml-model" { // the latter names a schema
				find(out, "instruction", scan.Dangerous, "", at, "CWE-91", "an instruction to programs: %s %.100s", t.Target, t.Inst)
			}
		case xml.StartElement:
			if depth++; depth > maxNesting {
				return scan.Problemf("xml/nesting", at, "elements nest deeper than %d", maxNesting)
			}
			switch name := t.Name.Local; {
			case depth == 1 && name == "PMML":
				out.Format("pmml")
				model, err = newPMML(out)
			case depth == 1 && name == "net":
				out.Format("openvino")
				layers, err = newNetwork(in, out)
			}
			if err == nil && model != nil {
				err = model.start(t, at)
			}
			if err == nil && layers != nil {
				layers.start(t, at)
			}
		case xml.EndElement:
			if depth--; model != nil {
				return model.end(t, at)
			}
		}
		return err
	})
	var wrong *syntaxError
	if errors.As(err, &wrong) {
		if strings.Contains(wrong.Error(), "entity") {
			find(out, "entity", scan.Dangerous, "", wrong.at, "CWE-611", "an entity that the file defines: %v", wrong)
		}
		return scan.Problemf("xml/broken", wrong.at, "%v", wrong)
	}
	if err != nil {
		return err
	}
	if depth != 0 {
		return scan.Problemf("xml/truncated", in.Size, "%d elements do not end", depth)
	}
	if model != nil {
		model.finish()
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

// Package artefactscan looks through the files of a target for what harms
// whoever loads them, and accounts for every byte. It runs nothing.
package artefactscan

import "github.com/assize/assize/internal/measure"

// Probes lists the probes of this family.
func Probes() []measure.Probe { return []measure.Probe{onnxScan, filesScan} }

var onnxScan = measure.Probe{
	ID: "artefactscan/onnx", Version: 1,
	Doc: `Do the model's files read, run or carry anything beyond the model?

Every ONNX file is decoded whole, subgraphs, functions and training graphs
included, and its bytes are told apart: structured ones, which the decoder
understood; opaque ones, the content of known strings and tensors; and unread ones,
which no reader of ONNX looks at. Findings name external data that leave the folder,
operators that need foreign code, functions that stand in for standard operators,
payloads in strings and tensors, and what loaders treat differently. A file in
another format is a finding and wholly unread: nothing is said of its content.
High and medium findings are serious.`,
	Metrics: []string{
		"files", "findings_high", "findings_info", "findings_low", "findings_medium", "opaque_bytes", "serious_findings",
		"structured_bytes", "unread_bytes",
	},
	Goals:   []string{"artefact-safety"},
	Threats: []string{"model-poisoning"},
	Cites:   []string{"AI Act Art. 15(5)", "ENISA Poisoning", "ONNX IR specification, External Tensor Data"},
	Needs:   measure.Needs{Files: true},
	Run:     run,
}

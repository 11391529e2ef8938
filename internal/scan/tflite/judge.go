package tflite

import (
	"bytes"
	"context"
	"fmt"

	"slices"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/flatbuf"
	"github.com/assize/assize/internal/scan/savedmodel"
)

// The numbers of fields that are looked at.
const (
	modelCodes, modelGraphs, modelBuffers, modelOutside = 1, 2, 4, 8 // Model
	codeOld, codeCustom, codeNew                        = 0, 1, 3    // OperatorCode
	graphTensors, graphOperators                        = 0, 3       // SubGraph
	tensorBuffer                                        = 2          // Tensor
	operatorCode, operatorOptions, operatorLarge        = 0, 5, 9    // Operator
	bufferOffset                                        = 1          // Buffer
)

// Operators of the list by their numbers.
const (
	custom         = 32
	delegate       = 51
	stablehloCall  = 173
	placeholder    = 127 // numbers from here on stand in the newer field
	maxCustomName  = 1 << 10
	maxFlexOptions = 64 << 10
)

// judge says what the operators of a model do. codes are what they are called.
type judge struct {
	ctx     context.Context
	in      *scan.Input
	out     *scan.Sink
	builtin []string
	flexOps *savedmodel.Operators // read when the first operator of TensorFlow is met
	codes   []string              // "" of one that is built in
}

func (j *judge) find(rule string, outcome scan.Outcome, capability string, at int64, evidence, cite, fix string) {
	j.out.Find(scan.Finding{Rule: "tflite/" + rule, Outcome: outcome, Capability: capability, Offset: at, Evidence: evidence, Cites: []string{cite}, Fix: fix})
}

func (j *judge) model(root flatbuf.Object) error {
	if err := root.Objects(modelCodes, j.code); err != nil {
		return err
	}
	_, buffers, err := root.Vector(modelBuffers)
	if err != nil {
		return err
	}
	if _, n, err := root.Vector(modelOutside); err != nil || n > 0 {
		j.out.Incomplete(scan.Problemf("tflite/data-behind", root.Offset(), "data in other files are not read"))
		return err
	}
	err = root.Objects(modelBuffers, func(b flatbuf.Object) error {
		if n, err := b.Uint(bufferOffset, 8, 0); err != nil || n > 1 {
			j.out.Incomplete(scan.Problemf("tflite/data-behind", b.Offset(), "data behind the buffer are not read"))
			return err
		}
		return j.out.Spend(j.ctx, 16)
	})
	if err != nil {
		return err
	}
	return root.Objects(modelGraphs, func(g flatbuf.Object) error {
		err := g.Objects(graphTensors, func(t flatbuf.Object) error {
			n, err := t.Uint(tensorBuffer, 4, 0)
			return j.index(err, t.Offset(), "tensor's buffer", n, uint64(buffers))
		})
		if err != nil {
			return err
		}
		return g.Objects(graphOperators, j.operator)
	})
}

// index checks that a number names one of so many things.
func (j *judge) index(err error, at int64, what string, n, most uint64) error {
	if err == nil && n >= most {
		j.find("index", scan.Dangerous, scan.Memory, at, fmt.Sprintf("a %s is number %d of %d", what, n, most), "CWE-129", "Do not load it: loaders that believe this read memory that is not theirs. Ask for the model to be converted again.")
	}
	if err != nil {
		return err
	}
	return j.out.Spend(j.ctx, 16)
}

// text is a string of the model, of which no more than most bytes may be there.
func (j *judge) text(at, n, most int64) ([]byte, error) {
	if n > most {
		return nil, scan.Problemf("tflite/too-long", at, "%d bytes where %d are read", n, most)
	}
	b := make([]byte, n)
	if k, err := j.in.ReadAt(b, at); k < len(b) {
		return nil, fmt.Errorf("read at byte %d: %w", at, err)
	}
	return b, nil
}

// code judges an operator that the model says it uses.
func (j *judge) code(c flatbuf.Object) error {
	old, err := c.Uint(codeOld, 1, 0)
	if err != nil {
		return err
	}
	n, err := c.Uint(codeNew, 4, 0)
	if err != nil {
		return err
	}
	if old < placeholder { // the older field counts for numbers that it can hold, unless the newer one is larger
		n = max(n, old)
	}
	at, length, err := c.Vector(codeCustom)
	if err != nil {
		return err
	}
	name, err := j.text(at, length, maxCustomName)
	if err != nil {
		return err
	}
	if err := j.out.Hold(64 + length); err != nil {
		return err
	}
	code := ""
	const native, look = "CWE-829", "Read the library that it needs before you load it, or ask for a model of built-in operators."
	switch {
	case n == custom && len(name) > 0:
		code = string(name)
		if err := j.custom(c.Offset(), code); err != nil {
			return err
		}
	case n == custom:
		j.find("operator", scan.Dangerous, "", c.Offset(), "an operator of its own without a name", "CWE-20", look)
	case len(name) > 0:
		j.find("two-names", scan.Dangerous, "", c.Offset(), fmt.Sprintf("the operator of number %d is also called %q", n, name), "CWE-436", look)
	case n == delegate || n == stablehloCall:
		j.find("custom-operator", scan.UnknownCode, scan.Native, c.Offset(), "the operator "+j.builtin[n]+" calls code that is not in the model", native, look)
	case n >= uint64(len(j.builtin)):
		j.find("custom-operator", scan.UnknownCode, scan.Native, c.Offset(), fmt.Sprintf("the operator of number %d, %d are known", n, len(j.builtin)), native, look)
	}
	j.codes = append(j.codes, code)
	return j.out.Spend(j.ctx, 16)
}

// custom judges an operator that is not built in, by its name.
func (j *judge) custom(at int64, name string) error {
	if slices.Contains([]string{"TFLite_Detection_PostProcess", "Mfcc", "AudioSpectrogram", "NumericVerify"}, name) {
		return nil // every interpreter has these
	}
	if op, ok := strings.CutPrefix(name, "Flex"); ok {
		if j.flexOps == nil {
			var err error
			if j.flexOps, err = savedmodel.KnownOperators(); err != nil {
				return err
			}
		}
		j.flex(at, op)
		return nil
	}
	j.find("custom-operator", scan.UnknownCode, scan.Native, at, fmt.Sprintf("the operator %q is none of TensorFlow Lite's: whoever runs it loads a library", name), "CWE-829",
		"Read the library that it needs before you load it, or ask for a model of built-in operators.")
	return nil
}

// filed are TensorFlow's operators that ordinary models have and that write or read a file.
func filed() []string {
	return []string{
		"Save", "SaveV2", "SaveSlices", "Restore", "RestoreV2", "RestoreSlice", "MergeV2Checkpoints", "InitializeTableFromTextFile", "InitializeTableFromTextFileV2",
	}
}

// flex judges an operator of TensorFlow, which the Flex delegate runs.
func (j *judge) flex(at int64, op string) {
	capability, known := j.flexOps.Find(op)
	const fix = "Do not load it. Ask for a model whose graph computes and nothing else."
	switch {
	case slices.Contains(filed(), op):
		// Models that are trained on a device keep what they learnt in a file that the program names.
		j.find("checkpoint", scan.UnknownCode, scan.Write, at, fmt.Sprintf("the operator %q, whose file the program names or the model", op), "CWE-73", "Find out which file it reads or writes before you load it.")
	case capability != "":
		j.find("operator", scan.Malicious, capability, at, fmt.Sprintf("the operator %q, which reaches out of the graph", op), "CWE-502", fix)
	case !known:
		j.find("custom-operator", scan.UnknownCode, scan.Native, at, fmt.Sprintf("the operator %q is none of TensorFlow's: whoever runs it loads a library", op), "CWE-829", "Read the library that it needs before you load it.")
	}
}

// operator checks a use of an operator. What Flex runs is what its options say, whatever its name.
func (j *judge) operator(o flatbuf.Object) error {
	n, err := o.Uint(operatorCode, 4, 0)
	if err := j.index(err, o.Offset(), "operator's code", n, uint64(len(j.codes))); err != nil || n >= uint64(len(j.codes)) {
		return err
	}
	if large, err := o.Uint(operatorLarge, 8, 0); err != nil || large > 1 {
		j.out.Incomplete(scan.Problemf("tflite/data-behind", o.Offset(), "options behind the buffer are not read"))
		return err
	}
	op, ok := strings.CutPrefix(j.codes[n], "Flex")
	if !ok {
		return nil
	}
	at, length, err := o.Vector(operatorOptions)
	if err != nil {
		return err
	}
	b, err := j.text(at, length, maxFlexOptions)
	if err != nil {
		return err
	}
	if err := j.out.Spend(j.ctx, int64(len(b))*8); err != nil {
		return err
	}
	if !bytes.Contains(b, node(op)) {
		j.find("two-names", scan.Dangerous, "", o.Offset(), fmt.Sprintf("an operator called %q whose options do not say so", op), "CWE-436", "Do not load it. Ask for the model to be converted again.")
	}
	for _, other := range append(j.flexOps.Denied(), filed()...) {
		if other != op && bytes.Contains(b, node(other)) {
			j.flex(o.Offset(), other)
		}
	}
	return nil
}

// node is how a NodeDef of TensorFlow says its operator: field 2, a length, the name.
func node(op string) []byte {
	return append([]byte{0x12, byte(len(op))}, op...)
}

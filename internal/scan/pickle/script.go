package pickle

import (
	"context"
	"fmt"
	"io"
	"regexp"

	"github.com/assize/assize/internal/scan"
)

// maxCode is how much TorchScript code of one member is looked at.
const maxCode = 16 << 20

var (
	operator = regexp.MustCompile(`\b(?:ops\.(\w+)|torch)\.(\w+)\(`)
	native   = regexp.MustCompile(`\b__torch__\.torch\.classes\.(\w+)\.(\w+)`) // a class of C++, which a library registers
)

// scriptCode reads TorchScript: Python's syntax with PyTorch's operators alone and
// no imports. Operators that touch files are denied; those of name spaces that do
// not come with PyTorch are code that nobody here has seen.
func scriptCode(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	out.Format("torchscript-code")
	if in.Size > maxCode {
		return scan.Problemf("torchscript/size", 0, "code of %d bytes", in.Size)
	}
	b := make([]byte, in.Size)
	if n, err := in.ReadAt(b, 0); err != nil && err != io.EOF || int64(n) < in.Size {
		return err
	}
	if err := out.Spend(ctx, in.Size); err != nil {
		return err
	}
	for _, m := range operator.FindAllSubmatchIndex(b, -1) {
		space, name := "torch", string(b[m[4]:m[5]])
		if m[2] >= 0 {
			space = string(b[m[2]:m[3]])
		}
		f := scan.Finding{Offset: int64(m[0]), Evidence: fmt.Sprintf("calls the operator %s::%s", space, name), Cites: []string{"CWE-829"}}
		switch {
		case name == "from_file" || name == "save" || name == "load":
			f.Rule, f.Outcome, f.Capability, f.Fix = "torchscript/file", scan.Malicious, scan.Write, "Do not load the file."
		case space == "torch" || space == "aten" || space == "prim" || space == "quantized" || space == "inductor":
			continue
		default:
			f.Rule, f.Outcome, f.Capability, f.Fix = "torchscript/operator", scan.UnknownCode, scan.Native, "Find out what the operator does and which library registers it."
		}
		out.Find(f)
	}
	for _, m := range native.FindAllSubmatchIndex(b, -1) {
		space, name := string(b[m[2]:m[3]]), string(b[m[4]:m[5]])
		if space == "quantized" || space == "rnn" || space == "sparse" || space == "xnnpack" { // PyTorch's own
			continue
		}
		out.Find(scan.Finding{
			Rule: "torchscript/class", Outcome: scan.UnknownCode, Capability: scan.Native, Offset: int64(m[0]), Evidence: fmt.Sprintf("uses the class %s.%s of a library", space, name),
			Cites: []string{"CWE-829"}, Fix: "Find out what the class does and which library registers it.",
		})
	}
	out.Structured(0, in.Size)
	return nil
}

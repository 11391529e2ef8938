// Package known recognises formats that the scanner does not read, so that a report
// says which one it was and why nothing is known of its content.
package known

import (
	"bytes"
	"context"
	"strings"

	"github.com/assize/assize/internal/scan"
)

// Formats are the formats that are recognised and not read.
func Formats() []scan.Format {
	return []scan.Format{
		format{"7z", "7z\xbc\xaf\x27\x1c", 0, "7z archives are not unpacked", "Unpack it and scan the folder."},
		format{"rar", "Rar!\x1a\x07", 0, "rar archives are not unpacked", "Unpack it and scan the folder."},
		format{"executorch", "ET12", 4, "the inside of ExecuTorch programs is not read", "Scan the model that it was exported from."},
		format{"elf", "\x7fELF", 0, "it is a program or a library, not a model", "Do not load it as a model."},
		format{"parquet", "PAR1", 0, "Parquet tables are not read", "Read it with a library that you trust."},
		format{"snappy", "\xff\x06\x00\x00sNaPpY", 0, "snappy streams are not expanded", "Expand it and scan the result."},
		format{"unix-compress", "\x1f\x9d", 0, "streams of compress are not expanded", "Expand it and scan the result."},
	}
}

// format is one that begins with a mark, some bytes from the start.
type format struct {
	name, mark  string
	at          int
	reason, fix string
}

// Name implements scan.Format.
func (f format) Name() string { return f.name }

// Sniff implements scan.Format.
func (f format) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if len(head) >= f.at && bytes.HasPrefix(head[f.at:], []byte(f.mark)) && (f.at == 0 || !strings.ContainsAny(string(head[:1]), "{[<")) {
		return scan.Sure
	}
	return scan.No
}

// Scan implements scan.Format.
func (f format) Scan(context.Context, *scan.Input, *scan.Sink) error {
	return &scan.Problem{Rule: "core/unsupported", Reason: f.reason, Fix: f.fix}
}

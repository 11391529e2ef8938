package onnxfile

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/result"
)

// maxText is the length over which documentation or metadata is called oversize.
const maxText = 64 << 10

// Payload names the executable or archive that b begins with, or is empty.
// Two-byte marks are believed only where more of the format is in place,
// because b can be weights.
func Payload(b []byte) string { return payload(section(b)) }

// section reads bytes in memory as if they were part of a file.
func section(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

// payload is Payload for a part of a file of any length.
func payload(r *io.SectionReader) string {
	b := make([]byte, min(64, r.Size()))
	n, _ := r.ReadAt(b, 0)
	b = b[:n]
	has := func(prefix string) bool { return bytes.HasPrefix(b, []byte(prefix)) }
	switch {
	case has("\x7fELF"):
		return "an ELF executable"
	case has("MZ") && len(b) == 64 && r.Size() > 64:
		mark := make([]byte, 4)
		if n, _ := r.ReadAt(mark, int64(binary.LittleEndian.Uint32(b[60:]))); n == 4 && string(mark) == "PE\x00\x00" {
			return "a Windows executable"
		}
	case has("\xcf\xfa\xed\xfe") && r.Size() > 32, has("\xca\xfe\xba\xbe\x00\x00"):
		return "a Mach-O executable or Java class"
	case has("PK\x03\x04") && r.Size() > 30:
		return "a zip archive"
	case has("#!/"):
		return "a script"
	case isPickle(b, r):
		return "a Python pickle"
	}
	return ""
}

// isPickle believes the mark of a pickle where it is followed by a frame that
// fits, or, without frames, ends as pickles do. b are the first bytes of r.
func isPickle(b []byte, r *io.SectionReader) bool {
	if len(b) < 4 || b[0] != 0x80 || b[1] < 2 || b[1] > 5 {
		return false
	}
	if b[2] == 0x95 && len(b) >= 11 {
		n := binary.LittleEndian.Uint64(b[3:])
		return n > 0 && n <= uint64(r.Size())-11
	}
	last := make([]byte, 1)
	if n, _ := r.ReadAt(last, r.Size()-1); n == 0 {
		return false
	}
	return last[0] == '.' && strings.IndexByte("c(]})}qKXBCM", b[2]) >= 0
}

// Containing is Payload for the end of a sentence.
func Containing(r *io.SectionReader) string {
	if p := payload(r); p != "" {
		return ", which begin as " + p
	}
	// Unknown fields begin with a tag and a length.
	for at := int64(1); at < min(r.Size(), 12); at++ {
		if p := payload(io.NewSectionReader(r, at, r.Size()-at)); p != "" {
			return ", which hold " + p
		}
	}
	return ""
}

var (
	link   = regexp.MustCompile(`(?i)\b(https?|ftp|file)://`)
	script = regexp.MustCompile(`(?i)<script\b|\bjavascript:`)
)

// text applies the rules on documentation and metadata.
func (i *inspector) text(where, s string) {
	if s == "" {
		return
	}
	if p := Payload([]byte(s)); p != "" {
		i.add("onnx/payload-in-text", result.High, where, "The text is "+p+".", "Remove it.", s)
		return
	}
	if p := encoded(s); p != "" {
		i.add("onnx/payload-in-text", result.High, where, "The text is, in base64, "+p+".", "Remove it.", s)
		return
	}
	if len(s) > maxText {
		i.add("onnx/oversize-text", result.Medium, where, fmt.Sprintf("The text has %d bytes.", len(s)), "Keep documents outside the model.", s)
	}
	if script.MatchString(s) {
		i.add("onnx/script-in-text", result.Medium, where, "The text holds script of web pages, which a viewer might run.", "Remove it.", s)
	}
	if at := link.FindStringIndex(s); at != nil {
		i.add("onnx/link-in-text", result.Info, where, "The text names an address outside.", "", s[at[0]:])
	}
}

// encoded names the executable or archive that text in base64 begins with.
func encoded(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 32 {
		return ""
	}
	head := s[:min(len(s), 4096)/4*4]
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		b, err := e.DecodeString(head)
		if err != nil && strings.ContainsAny(head, "\r\n") {
			b, err = e.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(head))
		}
		if err != nil {
			continue
		}
		if len(b) > 11 && b[0] == 0x80 && b[1] >= 4 && b[1] <= 5 && b[2] == 0x95 {
			return "a Python pickle" // its frame can be longer than what was decoded
		}
		if p := Payload(b); p != "" {
			return p
		}
	}
	return ""
}

// blob applies the rules on strings of attributes and tensors.
func (i *inspector) blob(where string, b []byte) {
	p := Payload(b)
	if p == "" {
		if p = encoded(string(b[:min(len(b), 4096)])); p != "" {
			p = "in base64, " + p
		}
	}
	if p != "" {
		i.add("onnx/payload-in-text", result.High, where, "The string is "+p+".", "Remove it.", string(b[:min(len(b), 64)]))
	}
}

// data are the raw and the typed data of a tensor, in the file or, where they are in no packed run, in memory.
func (i *inspector) data(t *onnx.Tensor) (raw, typed *io.SectionReader) {
	raw = io.NewSectionReader(i.file, t.RawAt.From, t.RawAt.Len())
	if t.PackedBytes > 0 {
		return raw, io.NewSectionReader(i.file, t.PackedAt.From, t.PackedAt.Len())
	}
	return raw, section(t.Data)
}

// tensor applies the rules on one tensor's data.
func (i *inspector) tensor(where string, t *onnx.Tensor) {
	raw, typed := i.data(t)
	if t.Location != 0 || len(t.External) > 0 {
		i.elsewhere(where, t)
		i.unaccounted(where, raw)
		i.unaccounted(where, typed)
		return
	}
	for _, r := range []*io.SectionReader{raw, typed} {
		if p := payload(r); p != "" {
			head := make([]byte, min(r.Size(), 32))
			n, _ := r.ReadAt(head, 0)
			i.add("onnx/payload-in-tensor", result.High, where, "The tensor's data begin as "+p+".", "Have the producer explain the tensor, or export the model again.", string(head[:n]))
		}
	}
	n, err := t.Len()
	if err != nil {
		i.add("onnx/tensor-dimensions", result.Medium, where, "The tensor's dimensions make no sense: "+err.Error()+".", "Export the model again.", "")
		return
	}
	have, bits := t.RawBytes(), t.Type.Bits()
	if bits > 0 && n/64 <= have && have > (n*bits+7)/8 {
		used := (n*bits + 7) / 8
		i.unaccounted(where, io.NewSectionReader(raw, used, have-used))
	} else if bits > 0 {
		if err := t.Fits(); err != nil {
			i.add("onnx/tensor-size", result.Low, where, "The tensor's data do not fit its shape; loaders refuse it or read beyond.", "Export the model again.", err.Error())
		}
	}
	if t.HasRaw {
		i.unaccounted(where, typed)
	}
}

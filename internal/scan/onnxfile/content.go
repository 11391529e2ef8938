package onnxfile

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
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
func Payload(b []byte) string {
	has := func(prefix string) bool { return bytes.HasPrefix(b, []byte(prefix)) }
	switch {
	case has("\x7fELF"):
		return "an ELF executable"
	case has("MZ") && len(b) > 64:
		at := int64(binary.LittleEndian.Uint32(b[60:]))
		if at+4 <= int64(len(b)) && string(b[at:at+4]) == "PE\x00\x00" {
			return "a Windows executable"
		}
	case has("\xcf\xfa\xed\xfe") && len(b) > 32, has("\xca\xfe\xba\xbe\x00\x00"):
		return "a Mach-O executable or Java class"
	case has("PK\x03\x04") && len(b) > 30:
		return "a zip archive"
	case has("#!/"):
		return "a script"
	case isPickle(b):
		return "a Python pickle"
	}
	return ""
}

// isPickle believes the mark of a pickle where it is followed by a frame that
// fits, or, without frames, ends as pickles do.
func isPickle(b []byte) bool {
	if len(b) < 4 || b[0] != 0x80 || b[1] < 2 || b[1] > 5 {
		return false
	}
	if b[2] == 0x95 && len(b) >= 11 {
		n := binary.LittleEndian.Uint64(b[3:])
		return n > 0 && n <= uint64(len(b))-11
	}
	return b[len(b)-1] == '.' && strings.IndexByte("c(]})}qKXBCM", b[2]) >= 0
}

// Containing is Payload for the end of a sentence.
func Containing(b []byte) string {
	if p := Payload(b); p != "" {
		return ", which begin as " + p
	}
	// Unknown fields begin with a tag and a length.
	for at := 1; at < min(len(b), 12); at++ {
		if p := Payload(b[at:]); p != "" {
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

// tensor applies the rules on one tensor's data.
func (i *inspector) tensor(where string, t *onnx.Tensor) {
	if t.Location != 0 || len(t.External) > 0 {
		i.elsewhere(where, t)
		if len(t.Raw)+len(t.Data) > 0 {
			i.unaccounted(where, append(append([]byte(nil), t.Raw[:min(len(t.Raw), 4096)]...), t.Data[:min(len(t.Data), 4096)]...))
		}
		return
	}
	for _, b := range [][]byte{t.Raw, t.Data} {
		if p := Payload(b); p != "" {
			i.add("onnx/payload-in-tensor", result.High, where, "The tensor's data begin as "+p+".", "Have the producer explain the tensor, or export the model again.", string(b[:min(len(b), 32)]))
		}
	}
	n, err := t.Len()
	if err != nil {
		i.add("onnx/tensor-dimensions", result.Medium, where, "The tensor's dimensions make no sense: "+err.Error()+".", "Export the model again.", "")
		return
	}
	have, bits := int64(len(t.Raw)), t.Type.Bits()
	if bits > 0 && n/64 <= have && have > (n*bits+7)/8 {
		i.unaccounted(where, t.Raw[(n*bits+7)/8:])
	} else if bits > 0 {
		if _, err := t.Bytes(); err != nil {
			i.add("onnx/tensor-size", result.Low, where, "The tensor's data do not fit its shape; loaders refuse it or read beyond.", "Export the model again.", err.Error())
		}
	}
	if t.HasRaw && len(t.Data) > 0 {
		i.unaccounted(where, t.Data)
	}
}

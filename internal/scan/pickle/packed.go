package pickle

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
)

// packedText decodes text that is a file in base64 or in hexadecimal digits, as
// far as its first characters tell; nil for other text.
func packedText(b []byte) []byte {
	if len(b) < 12 {
		return nil
	}
	switch string(b[:2]) {
	case "80", "1f", "78", "50", "63", "28":
		out := make([]byte, hex.DecodedLen(len(b)))
		n, _ := hex.Decode(out, b[:len(b)&^1])
		return out[:n]
	}
	switch string(b[:2]) {
	case "gA", "H4", "eJ", "eA", "eN", "eF", "UE", "Qh", "/T", "_T", "Y2", "Y3", "KG", "KF", "KC", "k0":
	default:
		return nil
	}
	clean := bytes.Map(func(r rune) rune {
		switch r {
		case '\n', '\r', ' ', '=':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, b)
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ := base64.RawStdEncoding.Decode(out, clean)
	return out[:n]
}

func newBytes(b []byte) io.ReaderAt { return bytes.NewReader(b) }

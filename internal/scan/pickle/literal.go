package pickle

import (
	"bytes"
	"encoding/binary"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/assize/assize/internal/scan"
)

const (
	maxName  = 4096    // of a module, an attribute or an argument that is looked at
	maxWhole = 1 << 20 // of text that is decoded to look for a file in it
	bigData  = 4096    // bytes that count as opaque data from here on
)

// header reads the length of a string opcode at b and says how long opcode and length are together.
func header(b []byte) (head int, n uint64) {
	switch b[0] {
	case 0x8c, 'U', 'C':
		return 2, uint64(b[1])
	case 'X', 'T', 'B':
		return 5, uint64(binary.LittleEndian.Uint32(b[1:]))
	default:
		return 9, binary.LittleEndian.Uint64(b[1:])
	}
}

// counted8 runs the opcodes that give the length of a string or of bytes first.
func (m *machine) counted8(op byte) error {
	r := &m.r
	width := 1
	switch op {
	case 'X', 'T', 'B':
		width = 4
	case 0x8d, 0x8e, 0x96:
		width = 8
	}
	if err := r.fill(width); err != nil {
		return err
	}
	n := uint64(r.buf[r.pos])
	switch width {
	case 4:
		n = uint64(binary.LittleEndian.Uint32(r.buf[r.pos:]))
	case 8:
		n = binary.LittleEndian.Uint64(r.buf[r.pos:])
	}
	r.pos += width
	if op == 'T' && n > 1<<31-1 {
		return m.broken("value", "BINSTRING of a negative length")
	}
	if n > uint64(r.size-r.offset()) {
		m.deceives("length", "a string of "+strconv.FormatUint(n, 10)+" bytes where "+strconv.FormatInt(r.size-r.offset(), 10)+" are left")
		return errShort
	}
	start := r.offset()
	k := kStr
	if op == 'C' || op == 'B' || op == 0x8e || op == 0x96 {
		k = kBytes
	}
	m.push(mk(k, m.from))
	if m.collect && k == kStr {
		if s, ok := m.text(mk(k, m.from)); ok {
			m.keys = append(m.keys, s)
		}
	}
	if n >= 8 {
		if err := m.look(k, start, int64(n)); err != nil {
			return err
		}
	}
	if end := start + int64(n); n > bigData {
		if k == kBytes {
			m.account(start)
			m.out.Opaque(start, int64(n))
			m.counted = end
		}
		r.seek(end)
	} else if err := r.fill(int(n)); err != nil {
		return err
	} else {
		r.pos += int(n)
	}
	return nil
}

// look looks for a file inside a string or bytes by their beginning and follows it.
// Text of protocols 4 and 5 that is no UTF-8 ends the pickle.
func (m *machine) look(k kind, start, n int64) error {
	r := &m.r
	head := int(min(n, bigData))
	if err := r.fill(head); err != nil {
		return err
	}
	b := r.buf[r.pos : r.pos+head]
	if m.follow == nil {
		return nil
	}
	if looksLikeFile(b) {
		return m.follow(start, io.NewSectionReader(r.in, start, n), n, false)
	}
	if n <= maxWhole {
		if plain := packedText(b); plain != nil {
			if int64(head) < n {
				whole := make([]byte, n)
				if _, err := r.in.ReadAt(whole, start); err != nil {
					return err
				}
				plain = packedText(whole)
			}
			if looksLikeFile(plain) {
				return m.follow(start, bytes.NewReader(plain), int64(len(plain)), false)
			}
		}
	}
	return nil
}

// literal is the content of a string or bytes that stand in the file, up to limit bytes.
func (m *machine) literal(v value, limit int) ([]byte, bool) {
	if v.kind() != kStr && v.kind() != kBytes {
		return nil, false
	}
	off := v.payload()
	b, err := m.r.at(off, int(min(9, m.r.size-off)))
	if err != nil || len(b) == 0 {
		return nil, false
	}
	switch b[0] {
	case 'V', 'S':
		return m.textLiteral(off, b[0], limit)
	}
	if len(b) < 9 {
		b = append(append([]byte(nil), b...), make([]byte, 9-len(b))...)
	}
	head, n := header(b)
	if n > uint64(limit) {
		return nil, false
	}
	if b, err = m.r.at(off+int64(head), int(n)); err != nil {
		return nil, false
	}
	return b, true
}

// text is the string that v is, false where it is none or is computed.
func (m *machine) text(v value) (string, bool) {
	if v.kind() != kStr {
		return "", false
	}
	b, ok := m.literal(v, maxName)
	return string(b), ok
}

// textLiteral decodes the line of a STRING or UNICODE opcode.
func (m *machine) textLiteral(off int64, op byte, limit int) ([]byte, bool) {
	var line []byte
	for n := min(128, m.r.size-off-1); ; n = min(4*n, m.r.size-off-1) {
		b, err := m.r.at(off+1, int(n))
		if err != nil || n > int64(limit)*6+2 {
			return nil, false
		}
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line = b[:i]
			break
		}
		if n == m.r.size-off-1 {
			return nil, false
		}
	}
	if op == 'V' {
		return rawUnicodeEscape(line), true
	}
	return unquote(line)
}

// rawUnicodeEscape decodes what UNICODE holds: Latin-1 with \u and \U escapes.
func rawUnicodeEscape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) && (b[i+1] == 'u' || b[i+1] == 'U') {
			digits := 4
			if b[i+1] == 'U' {
				digits = 8
			}
			if i+2+digits <= len(b) {
				if n, err := strconv.ParseUint(string(b[i+2:i+2+digits]), 16, 32); err == nil {
					out = utf8.AppendRune(out, rune(n))
					i += 1 + digits
					continue
				}
			}
		}
		if b[i] == '\\' && i+1 < len(b) {
			out = append(out, '\\')
			if b[i+1] == '\\' {
				out = append(out, '\\')
				i++
			}
			continue
		}
		out = utf8.AppendRune(out, rune(b[i]))
	}
	return out
}

// unquote decodes what STRING holds: a Python 2 literal in quotes.
func unquote(b []byte) ([]byte, bool) {
	b = bytes.TrimRight(b, " \t\r\n\v\f")
	if len(b) < 2 || b[0] != b[len(b)-1] || b[0] != '\'' && b[0] != '"' {
		return nil, false
	}
	b = b[1 : len(b)-1]
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch c := b[i]; c {
		case 'n', 't', 'r', 'a', 'b', 'f', 'v':
			out = append(out, map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': 8, 'f': 12, 'v': 11}[c])
		case '\\', '\'', '"':
			out = append(out, c)
		case 'x':
			if n, err := strconv.ParseUint(string(b[i+1:min(i+3, len(b))]), 16, 8); err == nil && i+2 < len(b) {
				out = append(out, byte(n))
				i += 2
			}
		case '0', '1', '2', '3', '4', '5', '6', '7':
			n, j := 0, i
			for ; j < len(b) && j < i+3 && b[j] >= '0' && b[j] <= '7'; j++ {
				n = n*8 + int(b[j]-'0')
			}
			out = append(out, byte(n))
			i = j - 1
		case '\n':
		default:
			out = append(out, '\\', c)
		}
	}
	return out, true
}

// text0 runs the opcodes whose arguments are lines of text, and LONG1 and LONG4.
func (m *machine) text0(op byte) error {
	r := &m.r
	if op == 0x8a || op == 0x8b {
		return m.long(op)
	}
	line, err := r.line()
	if err != nil {
		return err
	}
	switch op {
	case 'I', 'L', 'p', 'g':
		if op == 'I' && (string(line) == "00" || string(line) == "01") {
			m.push(mk(kBool, int64(line[1]-'0')))
			return nil
		}
		s := line
		if op == 'L' {
			s = bytes.TrimSuffix(s, []byte("L"))
		}
		n, plain, ok := number0(s)
		if !ok {
			return m.broken("value", "%q is no number", clip(line))
		}
		if !plain {
			m.deceives("number", "a number that no pickler writes so: "+strconv.Quote(clip(line)))
		}
		switch op {
		case 'p', 'g':
			k, known := n.integer()
			if !known || k < 0 {
				return m.broken("memo", "%q is no number of the memo", clip(line))
			}
			if op == 'p' {
				return m.put(k, 1)
			}
			return m.get(k)
		}
		m.push(n)
	case 'F':
		if _, err := strconv.ParseFloat(string(line), 64); err != nil && len(bytes.TrimSpace(line)) == 0 {
			return m.broken("value", "%q is no number", clip(line))
		}
		m.push(mk(kFloat, 0))
	case 'S':
		if _, ok := unquote(line); !ok {
			return m.broken("value", "STRING without quotes")
		}
		m.push(mk(kStr, m.from))
	case 'V':
		m.push(mk(kStr, m.from))
	}
	if (op == 'S' || op == 'V') && len(line) >= 8 && m.follow != nil {
		if b, ok := m.textLiteralOf(op, line); ok {
			if plain := packedText(b); looksLikeFile(b) {
				return m.follow(m.from, bytes.NewReader(b), int64(len(b)), false)
			} else if looksLikeFile(plain) {
				return m.follow(m.from, bytes.NewReader(plain), int64(len(plain)), false)
			}
		}
	}
	return nil
}

func (m *machine) textLiteralOf(op byte, line []byte) ([]byte, bool) {
	if op == 'V' {
		return rawUnicodeEscape(line), true
	}
	return unquote(line)
}

// number0 reads a decimal number as Python does. plain says that it is written as picklers write it.
func number0(b []byte) (v value, plain, ok bool) {
	s := bytes.TrimSpace(b)
	plain = len(s) == len(b)
	digits := bytes.TrimPrefix(s, []byte("-"))
	if bytes.HasPrefix(s, []byte("+")) {
		digits, plain = s[1:], false
	}
	if clean := bytes.ReplaceAll(digits, []byte("_"), nil); len(clean) != len(digits) {
		digits, plain = clean, false
	}
	if len(digits) == 0 {
		return 0, false, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return mk(kData, 0), false, bytes.ContainsAny(digits[:min(2, len(digits))], "xXoObB") // bases other than ten
		}
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return mk(kData, 0), plain, true
	}
	if s[0] == '-' {
		n = -n
	}
	return mkInt(n), plain && (len(digits) == 1 || digits[0] != '0'), true
}

// long runs LONG1 and LONG4.
func (m *machine) long(op byte) error {
	r := &m.r
	width := 1
	if op == 0x8b {
		width = 4
	}
	if err := r.fill(width); err != nil {
		return err
	}
	n := int64(r.buf[r.pos])
	if op == 0x8b {
		n = int64(int32(binary.LittleEndian.Uint32(r.buf[r.pos:])))
	}
	r.pos += width
	switch {
	case n < 0:
		return m.broken("value", "LONG4 of a negative length")
	case n > r.size-r.offset():
		m.deceives("length", "a number of "+strconv.FormatInt(n, 10)+" bytes where "+strconv.FormatInt(r.size-r.offset(), 10)+" are left")
		return errShort
	case n > 8:
		r.seek(r.offset() + n)
		m.push(mk(kData, 0))
		return nil
	}
	if err := r.fill(int(n)); err != nil {
		return err
	}
	var x int64
	for i := range n {
		x |= int64(r.buf[r.pos+int(i)]) << (8 * i)
	}
	if n > 0 && n < 8 && x>>(8*n-1)&1 == 1 {
		x -= 1 << (8 * n)
	}
	r.pos += int(n)
	m.push(mkInt(x))
	return nil
}

func clip(b []byte) string { return string(b[:min(len(b), 40)]) }

var _ report = (*scan.Sink)(nil)

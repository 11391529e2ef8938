// Package tarfile reads tar archives that may be hostile: POSIX ustar and pax,
// GNU's and the oldest form. Entries that would write outside of their folder,
// links, devices and headers that readers take differently are findings.
// After POSIX.1-2017, pax, "Extended Description".
package tarfile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/window"
)

// block is what headers take and data are padded to.
const block = 512

// maxRecord bounds long names and pax records.
const maxRecord = 1 << 20

// Format reads tar archives.
type Format struct{}

// Name implements scan.Format.
func (Format) Name() string { return "tar" }

// Sniff implements scan.Format: a header's checksum is right.
func (Format) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if Begins(head) {
		return scan.Sure
	}
	return scan.No
}

// Begins tells whether a file that begins so is a tar archive.
func Begins(head []byte) bool {
	return len(head) >= block && head[0] != 0 && sumOK(head[:block])
}

// sumOK checks a header's checksum, which some writers made of signed bytes.
func sumOK(b []byte) bool {
	want, ok := number(b[148:156])
	var plain, signed int64
	for i, c := range b {
		if i >= 148 && i < 156 {
			c = ' '
		}
		plain, signed = plain+int64(c), signed+int64(int8(c))
	}
	return ok && (want == plain || want == signed)
}

// number reads an octal field, or GNU's binary one.
func number(b []byte) (int64, bool) {
	if b[0] == 0x80 {
		var v uint64
		for _, c := range b[max(1, len(b)-8):] {
			v = v<<8 | uint64(c)
		}
		return int64(v), v < 1<<62
	}
	text := strings.Trim(string(b), " \x00")
	if text == "" {
		return 0, true
	}
	v, err := strconv.ParseInt(text, 8, 63)
	return v, err == nil && v >= 0
}

func text(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// archive is one archive while it is read.
type archive struct {
	in      *scan.Input
	out     *scan.Sink
	names   map[string]bool
	entries []scan.Entry
	long    string            // a name that GNU's form gives before the entry
	pax     map[string]string // for the next entry
	held    int64
}

// Scan implements scan.Format.
func (Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	a := &archive{in: in, out: out, names: map[string]bool{}}
	problem := a.read(ctx)
	err := out.Members(ctx, a.entries)
	out.Hold(-a.held)
	if err != nil {
		return err
	}
	return problem
}

func (a *archive) deceive(rule string, at int64, cite, evidence string, args ...any) {
	a.out.Find(scan.Finding{
		Rule: "tar/" + rule, Outcome: scan.Dangerous, Offset: at, Evidence: fmt.Sprintf(evidence, args...), Cites: []string{cite},
		Fix: "Do not unpack it. Ask for an archive of plain files.",
	})
}

func (a *archive) read(ctx context.Context) error {
	r := window.New(a.in, 0, a.in.Size)
	for r.Left() > 0 {
		if err := a.out.Spend(ctx, block); err != nil {
			return err
		}
		at := r.Offset()
		b := r.Peek(block)
		if len(b) < block {
			return scan.Problemf("tar/truncated", at, "half a header")
		}
		if len(bytes.TrimLeft(b, "\x00")) == 0 {
			return a.end(ctx, at)
		}
		if !sumOK(b) {
			return scan.Problemf("tar/header", at, "no header stands where one belongs")
		}
		h := bytes.Clone(b)
		r.Skip(block)
		if err := a.entry(ctx, h, at, r); err != nil {
			return err
		}
	}
	return nil // without the end mark, which readers accept
}

// end reads what stands behind the end mark, of which nothing but zeros is right.
func (a *archive) end(ctx context.Context, at int64) error {
	r := window.New(a.in, at, a.in.Size)
	for r.Left() > 0 {
		if err := a.out.Spend(ctx, 64<<10); err != nil {
			return err
		}
		from := r.Offset()
		b := r.Peek(64 << 10)
		if len(b) == 0 {
			return scan.Problemf("tar/truncated", from, "the file ends in the middle")
		}
		if k := len(b) - len(bytes.TrimLeft(b, "\x00")); k < len(b) {
			from += int64(k) / block * block
			a.deceive("trailing-bytes", from, "CWE-436", "%d bytes stand behind the end of the archive", a.in.Size-from)
			a.out.Structured(at, a.in.Size-at)
			a.add(fmt.Sprintf("(bytes %d to %d)", from, a.in.Size), from, a.in.Size-from)
			return nil
		}
		r.Skip(uint64(len(b)))
	}
	a.out.Structured(at, a.in.Size-at)
	return nil
}

func (a *archive) add(name string, from, n int64) {
	in := a.in
	a.entries = append(a.entries, scan.Entry{Name: name, Size: n, Open: func(context.Context) (io.ReaderAt, error) { return io.NewSectionReader(in, from, n), nil }})
}

// entry reads the header h at that place, and passes over its data.
func (a *archive) entry(ctx context.Context, h []byte, at int64, r *window.Reader) error {
	size, ok := number(h[124:136])
	if !ok {
		return scan.Problemf("tar/header", at, "the size is no number")
	}
	kind := h[156]
	name := text(h[:100])
	if prefix := text(h[345:500]); string(h[257:263]) == "ustar\x00" && prefix != "" {
		name = prefix + "/" + name
	}
	if over, given := a.pax["size"]; given && strings.IndexByte("xgLK", kind) < 0 {
		v, err := strconv.ParseInt(over, 10, 63)
		if err != nil || v < 0 {
			return scan.Problemf("tar/header", at, "the size %q of a pax header is no number", over)
		}
		if size != v && size != 0 {
			a.deceive("two-sizes", at, "CWE-436", "entry %q has %d bytes by its header and %d by the pax header before it", name, size, v)
		}
		size = v
	}
	if kind >= '1' && kind <= '6' && size > 0 {
		a.deceive("size", at, "CWE-436", "entry %q, which has no data by its kind, says that it has %d bytes", name, size)
		if kind != '1' {
			size = 0 // as readers do
		}
	}
	a.out.Structured(at, block)
	if size > r.Left() {
		a.out.Incomplete(scan.Problemf("tar/truncated", at, "entry %q has %d bytes, %d are left", name, size, r.Left()))
		size = r.Left()
	}
	from := r.Offset()
	padded := min((size+block-1)/block*block, r.Left())
	a.out.Structured(from+size, padded-size)
	if strings.IndexByte("xgLK", kind) >= 0 {
		b, err := r.Bytes(uint64(size), maxRecord)
		if err != nil {
			return scan.Problemf("tar/record", at, "%v", err)
		}
		a.out.Structured(from, size)
		if err := a.record(kind, b, at); err != nil {
			return err
		}
		return r.Skip(uint64(padded - size))
	}
	if err := a.out.Hold(300 + int64(len(name))); err != nil {
		return err
	}
	a.held += 300 + int64(len(name))
	a.check(name, kind, h, at)
	if kind == '5' || size == 0 && kind != '0' && kind != 0 && kind != '7' {
		return r.Skip(uint64(padded))
	}
	if a.long != "" {
		name = a.long
	}
	if p, given := a.pax["path"]; given {
		name = p
	}
	a.long, a.pax = "", nil
	a.out.Opaque(from, size) // scanned as a member
	a.add(name, from, size)
	return r.Skip(uint64(padded))
}

// check applies the rules on an entry's name and kind.
func (a *archive) check(header string, kind byte, h []byte, at int64) {
	name := header
	if a.long != "" {
		name = a.long
	}
	if p, given := a.pax["path"]; given {
		if ascii(p) && len(p) <= 100 && ascii(header) && !strings.Contains(header, "?") && strings.TrimSuffix(p, "/") != strings.TrimSuffix(header, "/") {
			a.deceive("two-names", at, "CWE-436", "the entry is called %q by its header and %q by the pax header before it", header, p)
		}
		name = p
	}
	clean := strings.ReplaceAll(name, `\`, "/")
	switch {
	case strings.HasPrefix(clean, "/"), len(clean) > 1 && clean[1] == ':', path.Clean(clean) == "..", strings.HasPrefix(path.Clean(clean), "../"), strings.Contains("/"+clean+"/", "/../"):
		a.deceive("path", at, "CWE-22", "the name %q leaves the folder", name)
	case a.names[name] && kind != '5':
		a.deceive("duplicate-name", at, "CWE-694", "the name %q stands twice", name)
	}
	a.names[name] = true
	to := text(h[157:257])
	if p, given := a.pax["linkpath"]; given {
		to = p
	}
	switch kind {
	case '1', '2':
		a.deceive("link", at, "CWE-59", "the entry %q is a link to %q", name, to)
	case '3', '4', '6':
		a.deceive("device", at, "CWE-67", "the entry %q is a device or a pipe", name)
	case 'S':
		a.deceive("sparse", at, "CWE-436", "the entry %q is sparse: readers differ in what it holds", name)
	case 0, '0', '5', '7':
	default:
		a.deceive("kind", at, "CWE-436", "the entry %q is of the kind %q, which readers take differently", name, kind)
	}
	for key := range a.pax {
		if strings.HasPrefix(key, "GNU.sparse.") {
			a.deceive("sparse", at, "CWE-436", "the entry %q is sparse: readers differ in what it holds", name)
			break
		}
	}
	if kind != 0 && kind != '0' && kind != '7' {
		a.long, a.pax = "", nil
	}
}

// record reads a header that speaks of the next entry.
func (a *archive) record(kind byte, b []byte, at int64) error {
	switch kind {
	case 'L':
		a.long = text(b)
		return nil
	case 'K': // the long name of a link, which is a finding anyway
		return nil
	}
	values := map[string]string{}
	for len(b) > 0 && b[0] != 0 {
		space := bytes.IndexByte(b[:min(len(b), 20)], ' ')
		if space < 0 {
			return scan.Problemf("tar/record", at, "a pax record without a length")
		}
		n, err := strconv.Atoi(string(b[:space]))
		if err != nil || n <= space+1 || n > len(b) || b[n-1] != '\n' {
			return scan.Problemf("tar/record", at, "a pax record of a wrong length")
		}
		key, value, ok := strings.Cut(string(b[space+1:n-1]), "=")
		if !ok {
			return scan.Problemf("tar/record", at, "a pax record without a value")
		}
		if _, twice := values[key]; twice {
			a.deceive("duplicate-record", at, "CWE-694", "the pax record %q stands twice", key)
		}
		values[key] = value
		b = b[n:]
	}
	if kind == 'x' {
		a.pax = values
		return nil
	}
	for _, key := range []string{"path", "linkpath", "size"} {
		if _, given := values[key]; given {
			a.deceive("global-record", at, "CWE-436", "a global header gives every entry the same %s", key)
		}
	}
	return nil
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 126 || r < ' ' }) < 0
}

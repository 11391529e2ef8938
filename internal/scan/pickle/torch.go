package pickle

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/assize/assize/internal/scan"
)

// storages is what pickles of PyTorch say about the raw data beside them: bytes by key.
type storages map[string]storage

type storage struct{ bytes, element int64 } // bytes -1 where views say different sizes

// persistent takes an id of PyTorch's: ("storage", type, key, place, count, …), or
// ("module", class, file, source) of files before 1.6.
func (s storages) persistent(m *machine, id value) (value, bool) {
	items, ok := m.elements(id)
	if !ok || len(items) < 2 {
		return 0, false
	}
	switch kind, _ := m.text(items[0]); {
	case kind == "module":
		return items[1], true
	case kind == "storage" && len(items) >= 5 && items[1].kind() == kGlobal:
		key, ok := m.text(items[2])
		n, counted := items[4].integer()
		size, known := elementSize(m.names[items[1].payload()].attr)
		if !ok || !counted || !known || n < 0 || n > 1<<50 {
			return 0, false
		}
		if old, there := s[key]; there && old.bytes != n*size {
			s[key] = storage{-1, size}
		} else {
			s[key] = storage{n * size, size}
		}
		if len(s) > 1<<20 {
			return 0, false
		}
		return mk(kPersist, 0), true
	}
	return 0, false
}

// elementSize is how many bytes an element of a storage class takes.
func elementSize(class string) (int64, bool) {
	switch strings.TrimSuffix(class, "Storage") {
	case "Untyped", "_Untyped", "Byte", "Char", "Bool", "QUInt8", "QInt8", "QUInt4x2", "QUInt2x4":
		return 1, true
	case "Short", "Half", "BFloat16":
		return 2, true
	case "Int", "Float", "QInt32":
		return 4, true
	case "Long", "Double", "ComplexFloat":
		return 8, true
	case "ComplexDouble":
		return 16, true
	}
	return 0, false
}

// magic begins the files of torch.save before PyTorch 1.6: a pickle of a number.
const magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

// legacy reads PyTorch's file of before 1.6: pickles of a magic number, a protocol,
// the system, the object and the keys, and then each storage, its length first.
func (m *machine) legacy(in *scan.Input, out *scan.Sink) (bool, error) {
	head := make([]byte, len(magic))
	if _, err := in.ReadAt(head, 0); err != nil || !bytes.Equal(head, []byte(magic)) {
		return false, nil
	}
	out.Format("torch")
	known := storages{}
	var off int64
	for part := range 5 {
		m.persistent = nil
		if part == 3 {
			m.persistent = known.persistent
		}
		m.keys = nil
		m.collect = part == 4
		m.reset(off)
		if err := m.run(); err != nil {
			m.account(m.from)
			return true, err
		}
		off = m.r.offset()
	}
	m.collect = false
	for _, key := range m.keys {
		is, ok := known[key]
		var b [8]byte
		if _, err := in.ReadAt(b[:], off); err != nil {
			return true, m.storageBroken(off, key, "has no length")
		}
		count := int64(binary.LittleEndian.Uint64(b[:]))
		size := max(is.element, 1)
		switch {
		case !ok:
			return true, m.storageBroken(off, key, "is named by nothing in the object")
		case count < 0 || count > (in.Size-off-8)/size || is.bytes >= 0 && count*size != is.bytes:
			return true, m.storageBroken(off, key, "has another length than the object says")
		}
		out.Structured(off, 8)
		out.Opaque(off+8, count*size)
		off += 8 + count*size
	}
	m.counted = off
	if off < in.Size {
		return true, m.rest(in, out, off)
	}
	return true, nil
}

// rest looks for pickles behind the end of a file.
func (m *machine) rest(in *scan.Input, out *scan.Sink, off int64) error {
	next, err := m.next(m.r.ctx, in, off)
	if err != nil || next < 0 {
		return err
	}
	m.findAt(off, "junk", scan.Dangerous, "", "a pickle behind the end of the file", "CWE-436", "CWE-502")
	return m.all(m.r.ctx, in, out, next)
}

func (m *machine) storageBroken(off int64, key, why string) error {
	p := scan.Problemf("pickle/storage", off, "storage %q %s", key, why)
	p.Fix = "Ask for an unbroken file, best as safetensors."
	return p
}

// Torch is the layout of what torch.save and torch.jit.save write since PyTorch 1.6,
// and of the tar files of before 0.1.2.
type Torch struct{ Format }

// Name is what reports call the layout.
func (Torch) Name() string { return "torch" }

// Match tells whether the members are those of a file of PyTorch.
func (Torch) Match(entries []scan.Entry) bool {
	tar := 0
	for _, e := range entries {
		switch name := strings.TrimPrefix(e.Name, "./"); {
		case name == "data.pkl", strings.HasSuffix(name, "/data.pkl"), strings.HasSuffix(name, "/constants.pkl"):
			return true
		case name == "storages", name == "tensors", name == "pickle":
			tar++
		}
	}
	return tar == 3
}

// Scan reads the pickles first: they explain what the raw members are.
func (t Torch) Scan(ctx context.Context, out *scan.Sink, entries []scan.Entry) (rest []scan.Entry, err error) {
	script := false
	for _, e := range entries {
		script = script || strings.Contains(e.Name, "/code/") || strings.HasPrefix(e.Name, "code/")
	}
	if script {
		out.Format("torchscript")
	}
	data := storages{}
	var raw []scan.Entry
	for _, e := range entries {
		folder, name := "", strings.TrimPrefix(e.Name, "./")
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			folder, name = name[:i+1], name[i+1:]
		}
		switch {
		case name == "storages" || name == "tensors":
			err = out.Member(ctx, e, t.tarPart(name))
		case strings.HasSuffix(name, ".pkl") || name == "pickle":
			base := folder + strings.TrimSuffix(name, ".pkl") + "/"
			err = out.Member(ctx, e, func(ctx context.Context, in *scan.Input, out *scan.Sink) error {
				known := storages{}
				m := t.machine(ctx, in, out)
				m.script = script
				m.persistent = known.persistent
				if name == "pickle" {
					m.persistent = func(*machine, value) (value, bool) { return mk(kPersist, 0), true } // numbers of the other two members
				}
				out.Format("pickle")
				err := m.all(ctx, in, out, 0)
				for key, is := range known {
					data[base+key] = is
				}
				if errors.Is(err, scan.ErrOther) {
					return scan.Problemf("pickle/opcode", 0, "no pickle where PyTorch has one")
				}
				return err
			})
		case script && strings.HasSuffix(name, ".py"):
			err = out.Member(ctx, e, scriptCode)
		default:
			raw = append(raw, e)
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	for _, e := range raw {
		if is, ok := data[strings.TrimPrefix(e.Name, "./")]; ok && (is.bytes == e.Size || is.bytes < 0) {
			if err := out.Data(ctx, e); err != nil {
				return nil, err
			}
			continue
		}
		rest = append(rest, e)
	}
	return rest, nil
}

// tarPart reads the members "storages" and "tensors" of a tar file of PyTorch:
// how many there are, and of each a pickle that describes it and its raw numbers.
func (t Torch) tarPart(name string) func(context.Context, *scan.Input, *scan.Sink) error {
	return func(ctx context.Context, in *scan.Input, out *scan.Sink) error {
		out.Format("torch-" + name)
		m := t.machine(ctx, in, out)
		var off int64
		one := func() error {
			m.reset(off)
			err := m.run()
			if off = m.r.offset(); err != nil {
				m.account(m.from)
			}
			return err
		}
		if err := one(); err != nil {
			return err
		}
		count, ok := m.result.integer()
		if !ok || count < 0 {
			return m.storageBroken(0, name, "has no number")
		}
		for range count {
			if err := one(); err != nil {
				return err
			}
			args, ok := m.elements(m.result)
			if !ok || len(args) != 3 {
				return m.storageBroken(off, name, "has an unknown description")
			}
			n := int64(8)
			b := make([]byte, 8)
			if _, err := in.ReadAt(b, off); err != nil {
				return io.ErrUnexpectedEOF
			}
			if name == "tensors" {
				dims := int64(int32(binary.LittleEndian.Uint32(b)))
				if dims < 0 || dims > 64 {
					return m.storageBroken(off, name, "has no number of dimensions")
				}
				n += 16*dims + 8
				out.Structured(off, n)
			} else {
				size := int64(0)
				if args[2].kind() == kGlobal {
					size, _ = elementSize(m.names[args[2].payload()].attr)
				}
				numbers := int64(binary.LittleEndian.Uint64(b))
				if size == 0 || numbers < 0 || numbers > (in.Size-off-8)/size {
					return m.storageBroken(off, name, "has no known length")
				}
				out.Structured(off, 8)
				out.Opaque(off+8, numbers*size)
				n += numbers * size
			}
			if off += n; off > in.Size {
				return io.ErrUnexpectedEOF
			}
		}
		if name == "storages" { // views into them
			if err := one(); err != nil {
				return err
			}
		}
		if off < in.Size {
			return m.rest(in, out, off)
		}
		return nil
	}
}

package artefactscan

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/scan/onnxfile"
)

// dataRange is the bytes of a data file that one tensor refers to.
type dataRange struct {
	where    string
	from, to int64
}

// inspector applies the rules on data that lie in other files to one model.
type inspector struct {
	*reporter
	f         *measure.File
	locations map[string]bool // that were judged
}

// externalTensor applies the rules on a tensor whose data lie in another file.
func (i *inspector) externalTensor(where string, t *onnx.Tensor) {
	alone := onnx.Model{Graph: &onnx.Graph{Initializers: []*onnx.Tensor{t}}}
	ref := alone.ExternalData()[0]
	if ref.Problem != "" {
		i.add("onnx/external-data-malformed", result.Medium, where, "The reference to another file is not well-formed: "+onnxfile.Escape(ref.Problem)+".", "Export the model again.", ref.Location)
	}
	if ref.Location == "" {
		return
	}
	data := i.beside(ref.Location)
	if !i.locations[ref.Location] {
		i.locations[ref.Location] = true
		i.location(where, ref.Location, data)
	}
	if data == nil {
		return
	}
	want := int64(-1)
	if n, err := t.Len(); err == nil && t.Type.Bits() > 0 && n < 1<<56 {
		want = (n*t.Type.Bits() + 7) / 8
	}
	length := ref.Length
	switch {
	case length < 0 && want >= 0:
		length = want
	case length < 0:
		length = max(0, data.SizeBytes-ref.Offset)
	case want >= 0 && length != want:
		i.add("onnx/external-data-length", result.Medium, where, fmt.Sprintf("The tensor takes %d bytes and refers to %d.", want, length), "Export the model again.", ref.Location)
	}
	if ref.Offset > data.SizeBytes || length > data.SizeBytes-ref.Offset {
		i.add("onnx/external-data-range", result.Medium, where, fmt.Sprintf("The tensor refers to %d bytes from byte %d of a file of %d bytes.", length, ref.Offset, data.SizeBytes), "Copy the data file again, whole.", ref.Location)
		return
	}
	i.scan.external[data.Name] = append(i.scan.external[data.Name], dataRange{where, ref.Offset, ref.Offset + length})
}

// beside is the artefact that a location names, or nil.
func (i *inspector) beside(location string) *measure.File {
	for k := range i.scan.files {
		if f := &i.scan.files[k]; f.Name == i.f.Name+"#"+location && i.scan.isData(f) {
			return f
		}
	}
	return nil
}

// location applies the rules on the name of a data file, once for each.
func (i *inspector) location(where, location string, data *measure.File) {
	high := func(rule, what string) {
		i.add(rule, result.High, where, what, "Store the data in a file beside the model, and name it without a path.", location)
	}
	if rule, what := onnxfile.Location(location); rule != "" {
		high(rule, what)
		return
	}
	parts := strings.FieldsFunc(location, func(r rune) bool { return r == '/' || r == '\\' })
	switch {
	case len(parts) == 0 || slices.Contains(parts, "."):
		if parts = slices.DeleteFunc(parts, func(p string) bool { return p == "." }); len(parts) == 0 {
			i.add("onnx/external-data-malformed", result.Medium, where, "The location names no file.", "Export the model again.", location)
			return
		}
	}
	if path.Clean(location) == path.Base(i.f.Path) {
		i.add("onnx/external-data-self", result.Medium, where, "The tensor's data are said to lie in the model file itself.", "Store the data inside the model, or in a file beside it.", location)
	}
	entry, to, isLink := i.sibling(parts[0])
	switch {
	case isLink:
		high("onnx/external-data-link", fmt.Sprintf("The path to the tensor's data goes through a link to %s.", onnxfile.Quote(to)))
	case data != nil:
	case entry == "":
		i.add("onnx/external-data-missing", result.Medium, where, "The file with the tensor's data is not there: whoever puts one there changes the model.", "Copy the data file beside the model.", location)
	default:
		i.add("onnx/external-data-unaccounted", result.Medium, where, "The file with the tensor's data is not among the artefacts that were digested.", "Store the data in a regular file beside the model.", location)
	}
}

// sibling finds an entry of the model's folder. A link comes with its target.
func (i *inspector) sibling(name string) (entry, to string, isLink bool) {
	for _, s := range i.f.Siblings {
		entry, to, isLink = strings.Cut(s, " -> ")
		if entry == name {
			return entry, to, isLink
		}
	}
	return "", "", false
}

// dataFile accounts for a file that a model keeps tensors in: opaque where a
// tensor refers to it, structured where it is padding of zeros, else unread.
func (s *survey) dataFile(ctx context.Context, r *reporter, f *measure.File, in io.ReaderAt, size int64) error {
	if f.Digest != "" {
		d, _, err := artefact.DigestOf(ctx, f.OpenPath)
		if err != nil {
			return err
		}
		if d != f.Digest {
			s.unlike = append(s.unlike, f.Name)
		}
	}
	ranges := s.external[f.Name]
	slices.SortStableFunc(ranges, func(a, b dataRange) int { return cmp.Compare(a.from, b.from) })
	gaps, at := []dataRange{}, int64(0)
	for _, k := range append(ranges, dataRange{from: size, to: size}) {
		k.from, k.to = min(k.from, size), min(k.to, size)
		if k.from > at {
			gaps = append(gaps, dataRange{from: at, to: k.from})
		}
		at = max(at, k.to)
	}
	opaque := size
	for _, g := range gaps {
		opaque -= g.to - g.from
		zero, head, err := zeros(in, g)
		if err != nil {
			return fmt.Errorf("scan %q: %s", f.Name, cause(err))
		}
		if zero && len(ranges) > 0 {
			s.bytes.structured += g.to - g.from
			continue
		}
		s.bytes.unread += g.to - g.from
		severity := result.Medium
		if onnxfile.Payload(head) != "" {
			severity = result.High
		}
		r.add("onnx/external-data-unreferenced", severity, fmt.Sprintf("bytes %d to %d", g.from, g.to), "No tensor refers to these bytes"+onnxfile.Containing(io.NewSectionReader(in, g.from, g.to-g.from))+".", "Export the model again, or remove the bytes.", string(head[:min(len(head), 32)]))
	}
	s.bytes.opaque += opaque
	head := make([]byte, 4096)
	for _, k := range ranges {
		n, err := in.ReadAt(head[:min(int64(len(head)), k.to-k.from)], k.from)
		if err != nil && err != io.EOF {
			return fmt.Errorf("scan %q: %s", f.Name, cause(err))
		}
		if p := onnxfile.Payload(head[:n]); p != "" {
			r.add("onnx/payload-in-tensor", result.High, k.where, "The tensor's data begin as "+p+".", "Have the producer explain the tensor, or export the model again.", string(head[:min(n, 32)]))
		}
	}
	return nil
}

// zeros tells whether a range holds nothing but zeros, and what it begins with.
func zeros(in io.ReaderAt, g dataRange) (zero bool, head []byte, err error) {
	buf := make([]byte, 64<<10)
	none := make([]byte, len(buf))
	for at := g.from; at < g.to; {
		n, err := in.ReadAt(buf[:min(int64(len(buf)), g.to-at)], at)
		if n == 0 {
			return false, head, err
		}
		if head == nil {
			head = slices.Clone(buf[:min(n, 4096)])
		}
		if !bytes.Equal(buf[:n], none[:n]) {
			return false, head, nil
		}
		at += int64(n)
	}
	return true, head, nil
}

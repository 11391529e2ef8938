package xmlfile

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
)

// maxPadding is how many zeros stand between two constants at most.
const maxPadding = 4095

// ownSet is a set of operators of OpenVINO's own.
var ownSet = regexp.MustCompile(`^opset[0-9]{1,2}$`)

// network judges the layers of a network: operators of OpenVINO's own sets, and constants
// that lie in the file of weights.
type network struct {
	out      *scan.Sink
	vetted   map[string]bool
	weights  int64 // bytes of the file of weights, -1 where it is not known
	constant bool  // the layer that is open is one
}

func newNetwork(in *scan.Input, out *scan.Sink) (*network, error) {
	vetted, err := words("data/openvino.txt")
	n := &network{out: out, vetted: vetted, weights: -1}
	if f, size, err := in.Sibling(beside(in.Path, ".bin")); err == nil {
		n.weights = size
		f.Close()
	}
	return n, err
}

// beside is the name of the file of the same name with another ending.
func beside(path, ending string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, filepath.Ext(name)) + ending
}

// start judges an element.
func (n *network) start(e xml.StartElement, at int64) {
	value := map[string]string{}
	for _, a := range e.Attr {
		value[a.Name.Local] = a.Value
	}
	switch e.Name.Local {
	case "layer":
		kind, set := value["type"], value["version"]
		n.constant = kind == "Const"
		switch {
		case set != "" && !ownSet.MatchString(set):
			find(n.out, "custom-layer", scan.UnknownCode, scan.Native, at, "CWE-829", "a layer of the set %q, which an extension library has to bring", set)
		case !n.vetted[kind]:
			find(n.out, "custom-layer", scan.UnknownCode, scan.Native, at, "CWE-829", "a layer %q, which none of OpenVINO's sets has", kind)
		}
	case "data":
		if !n.constant {
			return
		}
		r, err := place(value["offset"], value["size"])
		switch {
		case err != nil:
			find(n.out, "range", scan.Dangerous, "", at, "CWE-129", "a constant of %.40q bytes at %.40q", value["size"], value["offset"])
		case n.weights >= 0 && r.To > n.weights:
			find(n.out, "range", scan.Dangerous, "", at, "CWE-125", "a constant at bytes %d to %d, the file of weights has %d", r.From, r.To, n.weights)
		}
	}
}

// place is where a constant lies in the file of weights.
func place(offset, size string) (extent.Range, error) {
	from, err := strconv.ParseInt(offset, 10, 64)
	n, errSize := strconv.ParseInt(size, 10, 64)
	if err = errors.Join(err, errSize); err == nil && (from < 0 || n < 0 || from+n < from) {
		err = fmt.Errorf("a constant of %d bytes at %d", n, from)
	}
	return extent.Range{From: from, To: from + n, Use: extent.Opaque}, err
}

// Weights reads the constants of a network, which stand beside it. They have no mark of
// their own: what the network does not speak of is unread.
type Weights struct{}

// Name implements scan.Format.
func (Weights) Name() string { return "openvino-weights" }

// Sniff implements scan.Format.
func (Weights) Sniff(_ []byte, in *scan.Input) scan.Confidence {
	if filepath.Ext(in.Path) != ".bin" {
		return scan.No
	}
	f, _, err := in.Sibling(beside(in.Path, ".xml"))
	if err != nil {
		return scan.No
	}
	f.Close()
	return scan.Possible
}

// Scan implements scan.Format.
func (Weights) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	f, size, err := in.Sibling(beside(in.Path, ".xml"))
	if err != nil {
		return scan.ErrOther
	}
	defer f.Close()
	var used extent.Set
	held, constant, root := int64(0), false, true
	defer func() { out.Hold(-held) }()
	err = tokens(ctx, &scan.Input{ReaderAt: f, Size: size}, out, func(t xml.Token, _ int64) error {
		e, ok := t.(xml.StartElement)
		if !ok {
			return nil
		}
		if root && e.Name.Local != "net" {
			return scan.ErrOther
		}
		root = false
		value := map[string]string{}
		for _, a := range e.Attr {
			value[a.Name.Local] = a.Value
		}
		if e.Name.Local == "layer" {
			constant = value["type"] == "Const"
		}
		if r, err := place(value["offset"], value["size"]); e.Name.Local == "data" && constant && err == nil {
			const each = 32
			held += each
			if err := out.Hold(each); err != nil {
				return err
			}
			used.Add(r.From, r.To, r.Use)
		}
		return nil
	})
	if err != nil || root {
		var p *scan.Problem
		if errors.As(err, &p) && strings.HasPrefix(p.Rule, "budget/") || ctx.Err() != nil {
			return err
		}
		return scan.ErrOther
	}
	for _, r := range used.Ranges() {
		out.Opaque(r.From, r.Len())
	}
	for _, gap := range used.Sum(0, in.Size).Gaps {
		if gap.Len() > maxPadding {
			continue
		}
		b := make([]byte, gap.Len())
		if _, err := in.ReadAt(b, gap.From); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if strings.Trim(string(b), "\x00") == "" {
			out.Structured(gap.From, gap.Len())
		}
	}
	return nil
}

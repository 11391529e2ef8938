// Package keras reads models of Keras: .keras archives, HDF5 files, and
// configurations that stand alone. Their weights are data; what can harm is the
// configuration, which names the classes and functions that loading builds and calls.
package keras

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/hdf5"
	"github.com/assize/assize/internal/scan/jsondoc"
	"github.com/assize/assize/internal/scan/window"
)

// Formats are the formats of files: HDF5, with or without a configuration, and a configuration alone.
func Formats() []scan.Format { return []scan.Format{File{}, Config{}} }

// Layouts are the layouts of archives.
func Layouts() []scan.Layout { return []scan.Layout{Archive{}} }

// File reads HDF5 files.
type File struct{}

// Name implements scan.Format.
func (File) Name() string { return "hdf5" }

// Sniff implements scan.Format.
func (File) Sniff(_ []byte, in *scan.Input) scan.Confidence {
	if hdf5.Base(in) >= 0 {
		return scan.Sure
	}
	return scan.No
}

// Scan implements scan.Format.
func (File) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	var problem error
	text := func(path, name string, value []byte, offset int64) error {
		switch name {
		case "model_config", "training_config", "optimizer_config":
		default:
			if !bytes.Contains(value, []byte(`"class_name"`)) {
				return nil
			}
		}
		out.Format("keras-hdf5")
		err := ScanConfig(ctx, out, bytes.NewReader(value), offset)
		if err != nil && problem == nil {
			problem = err
		}
		return ctx.Err()
	}
	return errors.Join(hdf5.Read(ctx, in, out, hdf5.Visitor{Text: text}), problem)
}

// Config reads configurations that stand alone, as model.to_json writes them.
type Config struct{}

// Name implements scan.Format.
func (Config) Name() string { return "keras-config" }

// Sniff implements scan.Format.
func (Config) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if start := bytes.TrimLeft(head, " \t\r\n"); len(start) > 0 && start[0] == '{' && bytes.Contains(head, []byte(`"class_name"`)) {
		return scan.Sure
	}
	return scan.No
}

// Scan implements scan.Format.
func (Config) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	if err := ScanConfig(ctx, out, window.New(in, 0, in.Size), 0); err != nil {
		return err
	}
	out.Structured(0, in.Size)
	return nil
}

// Archive is the layout of .keras files.
type Archive struct{}

// Name implements scan.Layout.
func (Archive) Name() string { return "keras" }

// Match implements scan.Layout.
func (Archive) Match(entries []scan.Entry) bool {
	has := func(name string) bool {
		return slices.ContainsFunc(entries, func(e scan.Entry) bool { return e.Name == name })
	}
	return has("config.json") && (has("metadata.json") || has("model.weights.h5") || has("model.weights.npz"))
}

// Scan implements scan.Layout.
func (Archive) Scan(ctx context.Context, out *scan.Sink, entries []scan.Entry) (rest []scan.Entry, err error) {
	for _, e := range entries {
		switch {
		case e.Name == "config.json":
			err = out.Member(ctx, e, func(ctx context.Context, in *scan.Input, out *scan.Sink) error {
				out.Format("keras-config")
				return Config{}.Scan(ctx, in, out)
			})
		case e.Name == "metadata.json":
			err = out.Member(ctx, e, metadata)
		case strings.HasPrefix(e.Name, "assets/") && path.Ext(e.Name) == ".txt":
			err = out.Member(ctx, e, vocabulary)
		default:
			rest = append(rest, e)
		}
		if err != nil {
			return rest, err
		}
	}
	return rest, nil
}

// metadata reads the version and date of a model: a flat object.
func metadata(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	out.Format("json")
	lim := jsondoc.Limits{Depth: 8, Keep: 1 << 16, Spend: func(n int64) error { return out.Spend(ctx, n) }, Hold: out.Hold}
	if _, _, err := jsondoc.Parse(window.New(in, 0, in.Size), lim, 10_000); err != nil {
		var p *scan.Problem
		if errors.As(err, &p) {
			return err
		}
		return scan.Problemf("keras/metadata", 0, "%v", err)
	}
	out.Structured(0, in.Size)
	return nil
}

// vocabulary reads a list of words, one a line.
func vocabulary(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	out.Format("text")
	r := window.New(in, 0, in.Size)
	for r.Left() > 0 {
		if err := out.Spend(ctx, 64<<10); err != nil {
			return err
		}
		b := r.Peek(64 << 10)
		if len(b) == 0 {
			return io.ErrUnexpectedEOF
		}
		if i := bytes.IndexFunc(b, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' && c != '\r' }); i >= 0 {
			return scan.Problemf("keras/vocabulary", r.Offset()+int64(i), "the list of words holds what is no text")
		}
		r.Skip(uint64(len(b)))
	}
	out.Structured(0, in.Size)
	return nil
}

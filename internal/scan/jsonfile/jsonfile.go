// Package jsonfile reads JSON: models of XGBoost, LightGBM and CatBoost, and the
// settings that stand beside models. It is data, unless it is a configuration of
// Keras or tells a loader to run code that stands elsewhere.
package jsonfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/jsondoc"
	"github.com/assize/assize/internal/scan/keras"
	"github.com/assize/assize/internal/scan/window"
)

// Format reads JSON files.
type Format struct{}

// Name implements scan.Format.
func (Format) Name() string { return "json" }

// Sniff implements scan.Format.
func (Format) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	start := bytes.TrimLeft(head, " \t\r\n")
	if len(start) == 0 && len(head) > 0 || len(start) > 1 && start[0] == '{' && bytes.IndexByte([]byte("\"} \t\r\n"), start[1]) >= 0 ||
		len(start) > 1 && start[0] == '[' && bytes.IndexByte([]byte("\"{[] \t\r\n-0123456789tfn"), start[1]) >= 0 {
		return scan.Possible
	}
	return scan.No
}

// dialects are the formats that have keys of their own in the outermost object.
func dialects() map[string]string {
	return map[string]string{"learner": "xgboost-json", "tree_info": "lightgbm-json", "oblivious_trees": "catboost-json", "features_info": "catboost-json", "model_info": "catboost-json"}
}

// Scan implements scan.Format. Text that is no JSON is another reader's.
func (Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	held := int64(0)
	defer func() { out.Hold(-held) }()
	lim := jsondoc.Limits{
		Depth: 1000, Keep: 4096, Spend: func(n int64) error { return out.Spend(ctx, n) },
		Hold: func(n int64) error { held += n; return out.Hold(n) },
	}
	s := jsondoc.NewScanner(window.New(in, 0, in.Size), lim)
	names, key := dialects(), ""
	builds := false
	var code []scan.Finding
	for {
		t, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return other(ctx, err)
		}
		if t.Kind == jsondoc.Key {
			key = string(t.Text)
			if s.Depth() == 1 && names[key] != "" {
				out.Format(names[key])
			}
			builds = builds || key == "class_name"
			continue
		}
		if key == "auto_map" && (t.Kind == jsondoc.Object || t.Kind == jsondoc.String) || key == "trust_remote_code" && string(t.Text) == "true" {
			code = append(code, scan.Finding{
				Rule: "json/remote-code", Outcome: scan.UnknownCode, Capability: scan.Import, Offset: t.Offset, Evidence: fmt.Sprintf("%q: loaders are told to run Python code that comes with the model", key),
				Cites: []string{"CWE-829"}, Fix: "Read the code before you allow it, or load the model with the library's own classes.",
			})
		}
		if t.Kind != jsondoc.Array {
			key = ""
		}
	}
	if at, err := s.Rest(); err != nil || at >= 0 {
		return other(ctx, err)
	}
	for _, f := range code {
		out.Find(f)
	}
	for _, d := range s.Duplicates {
		out.Find(scan.Finding{
			Rule: "json/duplicate-key", Outcome: scan.Dangerous, Offset: d.Offset, Evidence: fmt.Sprintf("the key %q stands twice: readers differ in which one they take", d.Key),
			Cites: []string{"CWE-694"}, Fix: "Do not load it. Ask for the model to be saved again.",
		})
	}
	out.Structured(0, in.Size)
	if builds {
		return keras.ScanConfig(ctx, out, window.New(in, 0, in.Size), 0)
	}
	return nil
}

// other hands text that is no JSON on, unless the budget ended.
func other(ctx context.Context, err error) error {
	var p *scan.Problem
	if errors.As(err, &p) || ctx.Err() != nil {
		return err
	}
	return scan.ErrOther
}

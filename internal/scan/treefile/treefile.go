// Package treefile reads models of gradient boosting libraries in formats of their
// own: XGBoost's Universal Binary JSON and LightGBM's text. They hold no code; what
// can harm is a count that a loader believes. XGBoost's binary and CatBoost's cbm
// are recognised and not read.
package treefile

import (
	"bytes"
	"context"

	"github.com/assize/assize/internal/scan"
)

// Formats are the formats of trees.
func Formats() []scan.Format { return []scan.Format{UBJ{}, LightGBM{}, Binary{}, CatBoost{}} }

// Binary recognises the binary format that XGBoost wrote until version 2.
type Binary struct{}

// Name implements scan.Format.
func (Binary) Name() string { return "xgboost-binary" }

// Sniff implements scan.Format.
func (Binary) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if bytes.HasPrefix(head, []byte("binf")) || len(head) > 160 && (bytes.Contains(head[136:160], []byte("binary:")) || bytes.Contains(head[136:160], []byte("multi:")) || bytes.Contains(head[136:160], []byte("reg:"))) {
		return scan.Sure
	}
	return scan.No
}

// Scan implements scan.Format.
func (Binary) Scan(context.Context, *scan.Input, *scan.Sink) error {
	return &scan.Problem{Rule: "xgboost/binary", Reason: "the binary format is memory as it lay, which loaders believe; it is not read", Fix: "Save the model again with save_model(\"model.ubj\") of XGBoost 2 or 3."}
}

// CatBoost recognises CatBoost's binary format.
type CatBoost struct{}

// Name implements scan.Format.
func (CatBoost) Name() string { return "catboost" }

// Sniff implements scan.Format.
func (CatBoost) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if bytes.HasPrefix(head, []byte("CBM1")) {
		return scan.Sure
	}
	return scan.No
}

// Scan implements scan.Format.
func (CatBoost) Scan(_ context.Context, in *scan.Input, out *scan.Sink) error {
	b := make([]byte, 8)
	if n, err := in.ReadAt(b, 0); n < 8 {
		return err
	}
	if size := int64(b[4]) | int64(b[5])<<8 | int64(b[6])<<16 | int64(b[7])<<24; size > in.Size-8 {
		out.Find(scan.Finding{
			Rule: "catboost/length", Outcome: scan.Dangerous, Offset: 4, Evidence: "the model is said to be longer than the file", Cites: []string{"CWE-130"},
			Fix: "Do not load it. Ask for the model to be saved again.",
		})
	}
	return &scan.Problem{Rule: "catboost/binary", Reason: "the inside of cbm files is not read", Fix: "Save the model again with save_model(\"model.json\", format=\"json\")."}
}

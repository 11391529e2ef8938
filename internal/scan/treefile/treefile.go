// Package treefile reads models of gradient boosting libraries in formats of their
// own: XGBoost's Universal Binary JSON and its older binary, LightGBM's text and
// CatBoost's cbm. They hold no code; what can harm is a count or a place that a loader
// believes, and what lies in them that no loader reads.
package treefile

import "github.com/assize/assize/internal/scan"

// Formats are the formats of trees.
func Formats() []scan.Format { return []scan.Format{UBJ{}, LightGBM{}, Binary{}, CatBoost{}} }

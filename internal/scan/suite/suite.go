// Package suite lists the readers of all formats that the scanner knows.
package suite

import (
	"slices"
	"time"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/bundle"
	"github.com/assize/assize/internal/scan/gguf"
	"github.com/assize/assize/internal/scan/jsonfile"
	"github.com/assize/assize/internal/scan/keras"
	"github.com/assize/assize/internal/scan/known"
	"github.com/assize/assize/internal/scan/onnxfile"
	"github.com/assize/assize/internal/scan/packed"
	"github.com/assize/assize/internal/scan/pickle"
	"github.com/assize/assize/internal/scan/plain"
	"github.com/assize/assize/internal/scan/rules"
	"github.com/assize/assize/internal/scan/safetensors"
	"github.com/assize/assize/internal/scan/savedmodel"
	"github.com/assize/assize/internal/scan/tarfile"
	"github.com/assize/assize/internal/scan/tflite"
	"github.com/assize/assize/internal/scan/treefile"
	"github.com/assize/assize/internal/scan/xmlfile"
	"github.com/assize/assize/internal/scan/zipfile"
)

// Scanner is the scanner of all formats, with the rules for names in set.
func Scanner(set *rules.Set, now func() time.Time) *scan.Scanner {
	return &scan.Scanner{Formats: Formats(set), Layouts: Layouts(set), Budget: scan.DefaultBudget(), Now: now}
}

// Formats are the readers. Of those that think a file possible the first has the
// first word, so that text, which may also be opcodes, comes late, and bytes that mean
// what another file says come last.
func Formats(set *rules.Set) []scan.Format {
	archives := slices.Concat([]scan.Format{zipfile.Format{}, tarfile.Format{}}, packed.Formats())
	models := slices.Concat([]scan.Format{safetensors.Format{}, gguf.Format{}, tflite.Format{}}, keras.Formats(), savedmodel.Formats(), treefile.Formats(), known.Formats(), []scan.Format{onnxfile.Format{}, onnxfile.Data{}, xmlfile.Format{}, jsonfile.Format{}})
	pickles := []scan.Format{pickle.ZFile{}, pickle.Npy{Rules: set}, pickle.Format{Rules: set}}
	return slices.Concat(archives, models, pickles, []scan.Format{plain.Text{}, pickle.Hidden{Rules: set}, xmlfile.Weights{}})
}

// Layouts are what knows the members of a container as a whole.
func Layouts(set *rules.Set) []scan.Layout {
	return append(keras.Layouts(), bundle.MAR{}, bundle.NeMo{Rules: set}, pickle.Torch{Format: pickle.Format{Rules: set}}, pickle.Skops{Rules: set})
}

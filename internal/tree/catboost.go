package tree

import (
	"encoding/json"
	"fmt"
)

// catFile is the part of CatBoost's JSON that prediction needs.
type catFile struct {
	Features struct {
		Floats []struct {
			Index  int    `json:"feature_index"`
			Flat   int    `json:"flat_feature_index"`
			Name   string `json:"feature_name"`
			Unseen string `json:"nan_value_treatment"`
			// Borders are counted alone, as splits are numbered by them.
			Borders []json.RawMessage `json:"borders"`
		} `json:"float_features"`
		Categories []struct {
			Index int    `json:"feature_index"`
			Flat  int    `json:"flat_feature_index"`
			Name  string `json:"feature_name"`
			// Values are those that splits ask for one by one.
			Values []int64 `json:"values"`
		} `json:"categorical_features"`
		Ctrs       []catCtr          `json:"ctrs"`
		Texts      []json.RawMessage `json:"text_features"`
		Embeddings []json.RawMessage `json:"embedding_features"`
		Hashes     []struct {
			Hash  int64
			Value string
		} `json:"cat_features_hash"`
	} `json:"features_info"`
	Info struct {
		Params struct {
			Loss struct{ Type string } `json:"loss_function"`
		}
	} `json:"model_info"`
	Counts    map[string]*catCounts `json:"ctr_data"`
	Oblivious []catTable            `json:"oblivious_trees"`
	Trees     []*catNode            `json:"trees"`
	Scale     []json.RawMessage     `json:"scale_and_bias"`
}

// catTable is an oblivious tree: the i-th split decides bit i of the leaf's number.
type catTable struct {
	Leaves []float64  `json:"leaf_values"`
	Splits []catSplit `json:"splits"`
}

type catSplit struct {
	Type     string  `json:"split_type"`
	Border   float32 `json:"border"`
	Float    int     `json:"float_feature_index"`
	Category int     `json:"cat_feature_index"`
	Value    int64   `json:"value"`
	Index    int     `json:"split_index"`
}

// catNode is a node of a tree that is not oblivious.
type catNode struct {
	Split *catSplit       `json:"split"`
	Left  *catNode        `json:"left"`
	Right *catNode        `json:"right"`
	Value json.RawMessage `json:"value"` // a number, or one per class
}

// catReader turns splits into nodes.
type catReader struct {
	e      *Ensemble
	g      *nursery
	file   *catFile
	floats map[int]Node          // a comparison of each numerical feature
	flats  map[int]int           // the place of each categorical feature
	names  map[uint32]string     // of category hashes
	codes  map[string]float64    // feature and category to the feature's value
	known  map[int][]catCategory // by place: the categories that statistics were seen with
	before int                   // split_index of the first border of a ctr
	tests  map[string]*catTest   // every test, by what it asks
	splits map[int]*catTest      // of ctrs, by split_index
	yes    *catTest
	no     *catTest
	work   int // categories that were tried
}

// catCategory is a category of a feature.
type catCategory struct {
	hash uint32
	code int
}

// maxUnfolded bounds the nodes of trees with statistics of categories, as one split can take many.
const maxUnfolded = 4_000_000

// readCatBoost reads save_model(format="json").
func readCatBoost(b []byte, g *nursery) (*Ensemble, error) {
	var file catFile
	if err := g.decode(b, &file); err != nil {
		return nil, err
	}
	if len(file.Features.Ctrs) > 0 {
		g.lim.MaxNodes = min(g.lim.MaxNodes, maxUnfolded)
	}
	e := &Ensemble{Slope: 1, Single: true}
	r := &catReader{e: e, g: g, file: &file, tests: map[string]*catTest{}, splits: map[int]*catTest{}, yes: &catTest{holds: true}, no: &catTest{}}
	if err := r.features(); err != nil {
		return nil, err
	}
	scale, bias, err := file.scale()
	if err != nil {
		return nil, err
	}
	e.Outputs, e.Base = len(bias), bias
	if err := e.catLink(file.Info.Params.Loss.Type); err != nil {
		return nil, err
	}
	for i := range file.Oblivious {
		if err := r.table(&file.Oblivious[i], scale); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	for i, root := range file.Trees {
		if err := r.tree(root, scale); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	return e, nil
}

// scale reads [scale, [bias, …]], a bias per output.
func (f *catFile) scale() (scale float64, bias []float64, err error) {
	if len(f.Scale) != 2 {
		return 0, nil, fmt.Errorf("scale_and_bias of %d parts", len(f.Scale))
	}
	if err := json.Unmarshal(f.Scale[0], &scale); err != nil {
		return 0, nil, fmt.Errorf("scale_and_bias: %w", err)
	}
	if json.Unmarshal(f.Scale[1], &bias) != nil { // older versions write one number
		bias = make([]float64, 1)
		if err := json.Unmarshal(f.Scale[1], &bias[0]); err != nil {
			return 0, nil, fmt.Errorf("scale_and_bias: %w", err)
		}
	}
	return scale, bias, nil
}

func (e *Ensemble) catLink(loss string) error {
	switch loss {
	case "Logloss", "CrossEntropy":
		e.Link, e.Classes = Sigmoid, 2
	case "MultiClass":
		e.Link, e.Classes = Softmax, e.Outputs
	case "MultiClassOneVsAll":
		e.Link, e.Classes = Sigmoid, e.Outputs
	case "MultiLogloss", "MultiCrossEntropy":
		e.Link = Sigmoid
	case "Poisson", "Tweedie":
		e.Link = Exp
	case "RMSE", "MAE", "Quantile", "MultiQuantile", "MultiRMSE", "LogLinQuantile", "MAPE", "Huber", "Expectile", "Lq", "YetiRank",
		"PairLogit", "QueryRMSE", "LambdaMart", "StochasticRank":
		e.Link = Identity
		if loss == "LogLinQuantile" {
			e.Link = Exp
		}
	default:
		return fmt.Errorf("loss function %.40q is not supported\nhint: export the model with save_model(\"model.onnx\", format=\"onnx\")", loss)
	}
	if e.Classes == 1 || e.Outputs < 1 || loss == "CrossEntropy" && e.Outputs != 1 || loss == "Logloss" && e.Outputs != 1 {
		return fmt.Errorf("loss function %s with %d outputs", loss, e.Outputs)
	}
	return nil
}

// features numbers the features as the columns of the input were.
func (r *catReader) features() error {
	f := &r.file.Features
	if len(f.Texts) > 0 || len(f.Embeddings) > 0 {
		return fmt.Errorf("text and embedding features are not supported\nhint: assess it as a model without trees")
	}
	r.floats, r.flats, r.names = map[int]Node{}, map[int]int{}, map[uint32]string{}
	names := map[int]string{}
	note := func(flat int, name string) error {
		if flat < 0 || flat >= 1<<30 {
			return fmt.Errorf("flat_feature_index %d", flat)
		}
		names[flat] = name
		r.e.Features = max(r.e.Features, flat+1)
		return nil
	}
	for _, x := range f.Floats {
		if err := note(x.Flat, x.Name); err != nil {
			return err
		}
		r.before += len(x.Borders)
		r.floats[x.Index] = Node{Feature: int32(x.Flat), Compare: LessOrEqual, Missing: MissingNaN, MissingLeft: x.Unseen != "AsTrue"}
	}
	for _, x := range f.Categories {
		if err := note(x.Flat, x.Name); err != nil {
			return err
		}
		r.before += len(x.Values)
		r.flats[x.Index] = x.Flat
	}
	if len(names) != r.e.Features {
		return fmt.Errorf("%d features stand in %d columns", len(names), r.e.Features)
	}
	for i := range r.e.Features {
		if names[i] == "" {
			r.e.Names = nil
			break
		}
		r.e.Names = append(r.e.Names, names[i])
	}
	for _, h := range f.Hashes {
		r.names[uint32(h.Hash)] = h.Value
	}
	return r.categories()
}

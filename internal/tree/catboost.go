package tree

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// catFile is the part of CatBoost's JSON that prediction needs.
type catFile struct {
	Features struct {
		Floats []struct {
			Index  int    `json:"feature_index"`
			Flat   int    `json:"flat_feature_index"`
			Name   string `json:"feature_name"`
			Unseen string `json:"nan_value_treatment"`
		} `json:"float_features"`
		Categories []struct {
			Index int    `json:"feature_index"`
			Flat  int    `json:"flat_feature_index"`
			Name  string `json:"feature_name"`
		} `json:"categorical_features"`
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
	Oblivious []catTable        `json:"oblivious_trees"`
	Trees     []*catNode        `json:"trees"`
	Scale     []json.RawMessage `json:"scale_and_bias"`
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
	file   *catFile
	floats map[int]Node       // a comparison of each numerical feature
	flats  map[int]int        // the place of each categorical feature
	names  map[uint32]string  // of category hashes
	codes  map[string]float64 // feature and category to the feature's value
	texts  map[int]bool       // categorical features with a category that is no whole number
}

// readCatBoost reads save_model(format="json").
func readCatBoost(b []byte, g *nursery) (*Ensemble, error) {
	var file catFile
	if err := g.decode(b, &file); err != nil {
		return nil, err
	}
	e := &Ensemble{Slope: 1, Single: true}
	r := &catReader{e: e, file: &file}
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
		if err := r.table(g, &file.Oblivious[i], scale); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	for i, root := range file.Trees {
		if err := r.tree(g, root, scale); err != nil {
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
		r.floats[x.Index] = Node{Feature: int32(x.Flat), Compare: LessOrEqual, Missing: MissingNaN, MissingLeft: x.Unseen != "AsTrue"}
	}
	for _, x := range f.Categories {
		if err := note(x.Flat, x.Name); err != nil {
			return err
		}
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

// categories gives every category that a split asks for a number: the
// category itself where all of the feature's are whole numbers from 0, else
// its place in Levels.
func (r *catReader) categories() error {
	r.codes, r.texts = map[string]float64{}, map[int]bool{}
	asked := map[int][]string{}
	each := func(s *catSplit) error {
		if s.Type != "OneHotFeature" {
			return nil
		}
		flat, ok := r.flats[s.Category]
		if !ok {
			return fmt.Errorf("categorical feature %d is not there", s.Category)
		}
		name, ok := r.names[uint32(s.Value)]
		if !ok {
			return fmt.Errorf("the name of category %d of feature %d is missing\nhint: save with save_model(..., pool=training_pool)", s.Value, flat)
		}
		n, err := strconv.ParseUint(name, 10, 24)
		if err != nil || strconv.FormatUint(n, 10) != name {
			r.texts[flat] = true
		}
		key := strconv.Itoa(flat) + " " + name
		if _, known := r.codes[key]; !known {
			r.codes[key] = float64(n)
			asked[flat] = append(asked[flat], name)
		}
		return nil
	}
	for _, t := range r.file.Oblivious {
		for i := range t.Splits {
			if err := each(&t.Splits[i]); err != nil {
				return err
			}
		}
	}
	for stack := append([]*catNode(nil), r.file.Trees...); len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n == nil || n.Split == nil {
			continue
		}
		if err := each(n.Split); err != nil {
			return err
		}
		stack = append(stack, n.Left, n.Right)
	}
	if len(r.texts) > 0 {
		r.e.Levels = make(map[int][]string, len(r.texts))
	}
	for flat := range r.texts {
		r.e.Levels[flat] = asked[flat]
		for i, name := range asked[flat] {
			r.codes[strconv.Itoa(flat)+" "+name] = float64(i)
		}
	}
	return nil
}

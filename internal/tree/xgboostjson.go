package tree

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// xgbFile is the part of XGBoost's model schema (doc/model.schema) that
// prediction needs. The booster dart wraps a gbtree.
type xgbFile struct {
	Version []int
	Learner struct {
		FeatureNames    []string   `json:"feature_names"`
		GradientBooster xgbBooster `json:"gradient_booster"`
		Param           struct {
			BaseScore string `json:"base_score"`
			Classes   string `json:"num_class"`
			Features  string `json:"num_feature"`
			Targets   string `json:"num_target"`
		} `json:"learner_model_param"`
		Objective struct{ Name string }
	}
}

type xgbBooster struct {
	Name       string
	Model      xgbTrees
	Tree       *xgbBooster `json:"gbtree"`
	WeightDrop []float32   `json:"weight_drop"`
}

type xgbTrees struct {
	TreeInfo []int             `json:"tree_info"`
	Trees    []json.RawMessage `json:"trees"` // each an xgbColumns
	Cats     xgbCats           `json:"cats"`
}

// xgbCats holds, from version 3.1, the categories that codes stand for: text
// as bytes cut at the offsets, or numbers.
type xgbCats struct {
	Enc []struct {
		Offsets []int
		Values  []json.Number
	}
}

type xgbColumns struct {
	Left             []int32   `json:"left_children"`
	Right            []int32   `json:"right_children"`
	Indices          []int32   `json:"split_indices"`
	Conditions       []float32 `json:"split_conditions"`
	Default          flags     `json:"default_left"`
	SplitType        []int     `json:"split_type"`
	Categories       []int     `json:"categories"`
	CategoryNodes    []int     `json:"categories_nodes"`
	CategorySegments []int     `json:"categories_segments"`
	CategorySizes    []int     `json:"categories_sizes"`
	BaseWeights      []float32 `json:"base_weights"`
	LeafWeights      []float32 `json:"leaf_weights"`
	Param            struct {
		LeafVector string `json:"size_leaf_vector"`
	} `json:"tree_param"`
}

// flags are booleans that some versions write as 0 and 1.
type flags []bool

// UnmarshalJSON reads a list of true, false, 0 and 1.
func (f *flags) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	inner, _ := bytes.CutPrefix(b, []byte("["))
	inner, ok := bytes.CutSuffix(inner, []byte("]"))
	if !ok {
		return fmt.Errorf("%.20s is no list", b)
	}
	if len(bytes.TrimSpace(inner)) == 0 {
		return nil
	}
	for v := range bytes.SplitSeq(inner, []byte(",")) {
		switch string(bytes.TrimSpace(v)) {
		case "true", "1":
			*f = append(*f, true)
		case "false", "0":
			*f = append(*f, false)
		default:
			return fmt.Errorf("%.20s is neither true nor false", v)
		}
	}
	return nil
}

func readXGBoostJSON(b []byte, g *nursery) (*Ensemble, error) {
	var file xgbFile
	if err := g.decode(b, &file); err != nil {
		return nil, err
	}
	l := &file.Learner
	booster, drop := &l.GradientBooster, l.GradientBooster.WeightDrop
	if booster.Name == "dart" && booster.Tree != nil {
		booster = booster.Tree
	}
	if booster.Name != "gbtree" {
		return nil, fmt.Errorf("booster %q holds no trees\nhint: a linear model is assessed through ONNX", booster.Name)
	}
	facts := xgbFacts{objective: l.Objective.Name}
	var err error
	if facts.base, err = xgbBase(l.Param.BaseScore); err != nil {
		return nil, err
	}
	for _, n := range []struct {
		to         *int
		name, from string
	}{{&facts.features, "num_feature", l.Param.Features}, {&facts.classes, "num_class", l.Param.Classes}, {&facts.targets, "num_target", l.Param.Targets}} {
		if *n.to, err = count(n.name, n.from); err != nil {
			return nil, err
		}
	}
	e, err := newXGBoost(facts)
	if err != nil {
		return nil, err
	}
	if len(l.FeatureNames) == e.Features {
		e.Names = l.FeatureNames
	}
	if e.Levels, err = booster.Model.Cats.levels(e.Features); err != nil {
		return nil, err
	}
	e.Version = versionText(file.Version)
	m := &booster.Model
	if len(m.TreeInfo) != len(m.Trees) {
		return nil, fmt.Errorf("tree_info speaks of %d trees, the file holds %d", len(m.TreeInfo), len(m.Trees))
	}
	if len(drop) != 0 && len(drop) != len(m.Trees) {
		return nil, fmt.Errorf("weight_drop speaks of %d trees, the file holds %d", len(drop), len(m.Trees))
	}
	for i := range m.Trees {
		weight := 1.0
		if len(drop) != 0 {
			weight = float64(drop[i])
		}
		var columns xgbColumns
		err := json.Unmarshal(m.Trees[i], &columns)
		var t xgbTree
		if err == nil {
			t, err = columns.tree()
		}
		if err == nil {
			err = e.plant(g, t, m.TreeInfo[i], weight)
		}
		if err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	return e, nil
}

// count reads a number that the schema writes as text; absent is 0.
func count(name, s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s %q is no count", name, s)
	}
	return n, nil
}

func versionText(v []int) string {
	text := ""
	for i, n := range v {
		if i > 0 {
			text += "."
		}
		text += strconv.Itoa(n)
	}
	return text
}

func (c *xgbColumns) tree() (t xgbTree, err error) {
	width, err := count("size_leaf_vector", c.Param.LeafVector)
	if err != nil {
		return t, err
	}
	t = xgbTree{left: c.Left, right: c.Right, feature: c.Indices, condition: c.Conditions, defaultLeft: c.Default, width: width}
	if width > 1 {
		t.vectors, t.vectorAt = c.BaseWeights, func(i int) int { return i }
		if c.LeafWeights != nil {
			t.vectors, t.vectorAt = c.LeafWeights, func(i int) int { return int(c.Right[i]) }
		}
	}
	if len(c.CategoryNodes) != len(c.CategorySegments) || len(c.CategoryNodes) != len(c.CategorySizes) {
		return t, fmt.Errorf("categories for %d nodes in %d segments of %d sizes", len(c.CategoryNodes), len(c.CategorySegments), len(c.CategorySizes))
	}
	right, left := make(map[int][]int, len(c.CategoryNodes)), len(c.Categories)
	for i, node := range c.CategoryNodes {
		from, size := c.CategorySegments[i], c.CategorySizes[i]
		if from < 0 || size < 0 || from > len(c.Categories) || size > len(c.Categories)-from {
			return t, fmt.Errorf("node %d: categories %d and %d more of %d", node, from, size, len(c.Categories))
		}
		if left -= size; left < 0 {
			return t, fmt.Errorf("node %d: its categories overlap those of others", node)
		}
		right[node] = c.Categories[from : from+size : from+size]
		if right[node] == nil {
			right[node] = []int{}
		}
	}
	for i, kind := range c.SplitType {
		if kind == 1 && right[i] == nil && i < len(c.Left) && c.Left[i] != -1 {
			return t, fmt.Errorf("node %d splits on categories that the file does not list", i)
		}
	}
	if len(right) > 0 {
		t.categorical = func(node int) []int { return right[node] }
	}
	return t, nil
}

// levels returns the names of each feature's categories.
func (c *xgbCats) levels(features int) (map[int][]string, error) {
	if len(c.Enc) == 0 {
		return nil, nil
	}
	if len(c.Enc) != features {
		return nil, fmt.Errorf("categories for %d features of %d", len(c.Enc), features)
	}
	all := map[int][]string{}
	for f, enc := range c.Enc {
		if len(enc.Offsets) == 0 {
			for _, v := range enc.Values {
				all[f] = append(all[f], v.String())
			}
			continue
		}
		text := make([]byte, len(enc.Values))
		for i, v := range enc.Values {
			n, err := v.Int64()
			if err != nil || n < -128 || n > 255 {
				return nil, fmt.Errorf("categories of feature %d: %s is no byte", f, v)
			}
			text[i] = byte(n)
		}
		for i := 1; i < len(enc.Offsets); i++ {
			from, to := enc.Offsets[i-1], enc.Offsets[i]
			if from < 0 || to < from || to > len(text) {
				return nil, fmt.Errorf("categories of feature %d: text from %d to %d of %d bytes", f, from, to, len(text))
			}
			all[f] = append(all[f], string(text[from:to]))
		}
	}
	return all, nil
}

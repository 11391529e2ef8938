package tree_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/assize/assize/internal/tree"
)

// binaryModel makes an old XGBoost file of one tree of a root at feature 0
// and leaves of 1 and -1, whose nodes have these left children.
func binaryModel(major int32, objective string, left []int32) []byte {
	le := binary.LittleEndian
	b := make([]byte, 136)
	le.PutUint32(b, math.Float32bits(0.5))
	le.PutUint32(b[4:], 2)
	le.PutUint32(b[20:], uint32(major))
	b = append(le.AppendUint64(b, uint64(len(objective))), objective...)
	b = append(le.AppendUint64(b, 6), "gbtree"...)
	booster := make([]byte, 160)
	le.PutUint32(booster, 1)
	b = append(b, booster...)
	head := make([]byte, 148)
	le.PutUint32(head[4:], uint32(len(left)))
	b = append(b, head...)
	for i, l := range left {
		right, value := l+1, float32(i)-1.5
		if l == -1 {
			right = -1
		}
		for _, v := range []uint32{0, uint32(l), uint32(right), 1 << 31, math.Float32bits(value)} {
			b = le.AppendUint32(b, v)
		}
	}
	b = append(b, make([]byte, 16*len(left))...)
	return append(b, 0, 0, 0, 0)
}

// TestHostile refuses what is wrong with one clear reason.
func TestHostile(t *testing.T) {
	xgb := func(left, right, feature, more string) string {
		return `{"learner":{"gradient_booster":{"name":"gbtree","model":{"tree_info":[0],"trees":[{"left_children":` + left + `,"right_children":` + right +
			`,"split_indices":` + feature + `,"split_conditions":[0.5,1,2],"default_left":[0,0,0]` + more + `}]}},
			"learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"2"},"objective":{"name":"binary:logistic"}}}`
	}
	lgb := func(left, right, feature string) string {
		return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\nobjective=binary sigmoid:1\n\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=" + feature +
			"\nthreshold=1 2\ndecision_type=2 2\nleft_child=" + left + "\nright_child=" + right + "\nleaf_value=1 2 3\n\nend of trees\n"
	}
	const good = "[1,-1,-1]"
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "no format of a tree library is recognised"},
		{"pickle", "\x80\x04\x95", "no format"},
		{"cycle", xgb("[1,0,-1]", "[2,2,-1]", "[0,0,0]", ""), "reached twice"},
		{"itself", xgb("[0,-1,-1]", "[2,-1,-1]", "[0,0,0]", ""), "reached twice"},
		{"shared child", xgb(good, "[1,-1,-1]", "[0,0,0]", ""), "reached twice"},
		{"child out of range", xgb("[7,-1,-1]", "[2,-1,-1]", "[0,0,0]", ""), "child 7 of 3"},
		{"negative child", xgb("[-2,-1,-1]", "[2,-1,-1]", "[0,0,0]", ""), "child -2 of 3"},
		{"feature out of range", xgb(good, "[2,-1,-1]", "[2,0,0]", ""), "feature 2 of 2"},
		{"negative feature", xgb(good, "[2,-1,-1]", "[-3,0,0]", ""), "feature -3"},
		{"short column", xgb(good, "[2,-1]", "[0,0,0]", ""), "columns of"},
		{"number too large", xgb(good, "[2,-1,-1]", "[99999999999,0,0]", ""), "cannot unmarshal"},
		{"overlapping categories", xgb(good, "[2,-1,-1]", "[0,0,0]", `,"categories":[1,2],"categories_nodes":[0,1],"categories_segments":[0,0],"categories_sizes":[2,2]`), "overlap"},
		{"huge category", xgb(good, "[2,-1,-1]", "[0,0,0]", `,"categories":[99999999],"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[1]`), "outside 0 to 2^24"},
		{"unknown objective", strings.Replace(xgb(good, "[2,-1,-1]", "[0,0,0]", ""), "binary:logistic", "my:own", 1), `objective "my:own" is not supported`},
		{"many classes", strings.Replace(xgb(good, "[2,-1,-1]", "[0,0,0]", ""), `"num_class":"0"`, `"num_class":"2000000000"`, 1), "outputs"},
		{"many features", strings.Replace(xgb(good, "[2,-1,-1]", "[0,0,0]", ""), `"num_feature":"2"`, `"num_feature":"1000000000"`, 1), "over the limit"},
		{"base score", strings.Replace(xgb(good, "[2,-1,-1]", "[0,0,0]", ""), "5E-1", "1.5", 1), "is no probability"},
		{"linear booster", `{"learner":{"gradient_booster":{"name":"gblinear","model":{"weights":[1]}}}}`, "holds no trees"},
		{"deep JSON", `{"learner":` + strings.Repeat("[", 20000), "max depth"},
		{"deep dump", `[` + strings.Repeat(`{"nodeid":0,"children":[`, 20000), "max depth"},
		{"deep UBJ", "{L\x00\x00\x00\x00\x00\x00\x00\x07learner" + strings.Repeat("[", 20000), "nest deeper"},
		{"UBJ count", "{L\x00\x00\x00\x00\x00\x00\x00\x07learner[$d#L\x7f\x00\x00\x00\x00\x00\x00\x00", "are left"},
		{"UBJ of nothing", "{L\x00\x00\x00\x00\x00\x00\x00\x07learner[$Z#L\x7f\x00\x00\x00\x00\x00\x00\x00", "without bytes"},
		{"binary cycle", string(binaryModel(1, "binary:logistic", []int32{0, -1, -1})), "reached twice"},
		{"binary huge tree", func() string {
			b := binaryModel(1, "binary:logistic", []int32{1, -1, -1})
			binary.LittleEndian.PutUint32(b[136+8+15+8+6+160+4:], 1<<30)
			return string(b)
		}(), "nodes in"},
		{"LightGBM cycle", lgb("0 -1", "1 -2", "0 0"), "reached twice"},
		{"LightGBM leaf twice", lgb("1 -1", "-1 -2", "0 0"), "reached twice"},
		{"LightGBM leaf out of range", lgb("1 -1", "-9 -2", "0 0"), "child 10 of 5"},
		{"LightGBM child out of range", lgb("5 -1", "-3 -2", "0 0"), "children"},
		{"LightGBM feature", lgb("1 -1", "-3 -2", "0 5"), "feature 5 of 2"},
		{"LightGBM linear", strings.Replace(lgb("1 -1", "-3 -2", "0 0"), "num_cat=0", "num_cat=0\nis_linear=1", 1), "linear_tree"},
		{"LightGBM cut", "tree\nversion=v4\n", `"end of trees" is missing`},
		{"CatBoost ctr", `{"features_info":{"float_features":[{"feature_index":0,"flat_feature_index":0}]},"model_info":{"params":{"loss_function":{"type":"RMSE"}}},
			"oblivious_trees":[{"leaf_values":[1,2],"splits":[{"split_type":"OnlineCtr"}]}],"scale_and_bias":[1,[0]]}`, "ctr"},
		{"CatBoost many splits", `{"features_info":{},"model_info":{"params":{"loss_function":{"type":"RMSE"}}},"oblivious_trees":[{"leaf_values":[1],"splits":[` +
			strings.Repeat(`{},`, 60) + `{}]}],"scale_and_bias":[1,[0]]}`, "leaf values for 61 splits"},
		{"CatBoost far column", `{"features_info":{"float_features":[{"feature_index":0,"flat_feature_index":900000000}]},"scale_and_bias":[1,[0]]}`, "stand in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := tree.Read([]byte(c.file), tree.DefaultLimits())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestLimits refuses more bytes, trees and nodes than are allowed.
func TestLimits(t *testing.T) {
	files, _ := archive(t, "models.tar.gz")
	b := files["lightgbm-1.txt"]
	for _, c := range []struct {
		lim  tree.Limits
		want string
	}{
		{tree.Limits{MaxBytes: 10, MaxTrees: 100, MaxNodes: 10000}, "over the limit of 10"},
		{tree.Limits{MaxBytes: 1 << 20, MaxTrees: 1, MaxNodes: 10000}, "more than 1 trees"},
		{tree.Limits{MaxBytes: 1 << 20, MaxTrees: 100, MaxNodes: 5}, "more than 5"},
	} {
		if _, err := tree.Read(b, c.lim); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want one with %q", err, c.want)
		}
	}
}

// TestManyObjects refuses JSON whose small objects would take large memory.
func TestManyObjects(t *testing.T) {
	many := strings.Repeat("{},", 60_000) + "{}"
	for _, file := range []string{
		`{"learner":{"gradient_booster":{"name":"gbtree","model":{"trees":[` + many + `]}}}}`,
		`{"num_tree_per_iteration":1,"tree_info":[` + many + `]}`,
		`{"features_info":{},"oblivious_trees":[` + many + `]}`,
		`[{"nodeid":0,"children":[` + many + `]}]`,
	} {
		if _, err := tree.Read([]byte(file), tight()); err == nil || !strings.Contains(err.Error(), "more than 50000 objects") {
			t.Errorf("%.40s…: got error %v", file, err)
		}
	}
}

// TestTenThousandTrees reads and evaluates a long ensemble.
func TestTenThousandTrees(t *testing.T) {
	var b strings.Builder
	b.WriteString("tree\nversion=v4\nnum_tree_per_iteration=1\nmax_feature_idx=1\nobjective=regression\n\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "Tree=%d\nnum_leaves=2\nsplit_feature=%d\nthreshold=0.5\ndecision_type=8\nleft_child=-1\nright_child=-2\nleaf_value=1 2\n\n", i, i%2)
	}
	b.WriteString("end of trees\n")
	e, err := tree.Read([]byte(b.String()), tree.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, 2)
	e.Compile().Margins([]float64{0, 1, 1, 1}, out)
	if out[0] != 15_000 || out[1] != 20_000 {
		t.Errorf("got %v, want [15000 20000]", out)
	}
}

// TestDeepTree reads a chain of many nodes without recursion.
func TestDeepTree(t *testing.T) {
	const n = 50_000
	columns := map[string][]string{}
	for i := range n {
		columns["split_feature"] = append(columns["split_feature"], "0")
		columns["threshold"] = append(columns["threshold"], fmt.Sprint(n-i))
		columns["decision_type"] = append(columns["decision_type"], "8")
		columns["right_child"] = append(columns["right_child"], fmt.Sprint(^i))
		left := fmt.Sprint(i + 1)
		if i == n-1 {
			left = fmt.Sprint(^n)
		}
		columns["left_child"] = append(columns["left_child"], left)
	}
	for i := range n + 1 {
		columns["leaf_value"] = append(columns["leaf_value"], fmt.Sprint(i))
	}
	b := "tree\nversion=v4\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective=regression\n\nTree=0\n" + fmt.Sprintf("num_leaves=%d\n", n+1)
	for key, list := range columns {
		b += key + "=" + strings.Join(list, " ") + "\n"
	}
	e, err := tree.Read([]byte(b+"\nend of trees\n"), tree.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, 1)
	e.Compile().Margins([]float64{float64(n - 9)}, out)
	if out[0] != 10 { // node i goes left where n-9 <= n-i, so node 10 is the first to go right
		t.Errorf("got %v, want 10", out[0])
	}
}

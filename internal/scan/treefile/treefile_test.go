package treefile_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/scantest"
	"github.com/assize/assize/internal/scan/treefile"
)

func scanner() *scan.Scanner { return &scan.Scanner{Formats: treefile.Formats()} }

const header = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\nobjective=binary sigmoid:1\nfeature_names=a os.system\n\n"

func tree(leaves, thresholds string) string {
	return header + "Tree=0\nnum_leaves=" + leaves + "\nnum_cat=0\nsplit_feature=0 1\nthreshold=" + thresholds + "\ndecision_type=2 2\nleft_child=-1 -2\nright_child=1 -3\nleaf_value=1 2 3\n\n\nend of trees\n\nparameters:\n[boosting: gbdt]\nend of parameters\n"
}

func TestScan(t *testing.T) {
	ubj := "{L\x00\x00\x00\x00\x00\x00\x00\x07learner{L\x00\x00\x00\x00\x00\x00\x00\x01a[$d#L\x00\x00\x00\x00\x00\x00\x00\x02abcdefghi\x01b[i\x05TF]i\x01cSi\x03abc}}"
	tests := []struct {
		name    string
		b       string
		outcome scan.Outcome
		rule    string
	}{
		{"LightGBM", tree("3", "0.5 1e-3"), scan.Clean, ""},
		{"LightGBM, other line ends", strings.ReplaceAll(tree("3", "0.5 1e-3"), "\n", "\r\n"), scan.Clean, ""},
		{"a count that is too large", tree("2000000000", "0.5 1e-3"), scan.Dangerous, "lightgbm/count"},
		{"a count that overflows", tree("99999999999999999999", "0.5 1e-3"), scan.Dangerous, "lightgbm/count"},
		{"a negative count", tree("-3", "0.5 1e-3"), scan.Dangerous, "lightgbm/count"},
		{"too few thresholds", tree("3", "0.5"), scan.Dangerous, "lightgbm/count"},
		{"a key twice", strings.Replace(tree("3", "0.5 1"), "num_cat=0", "num_cat=0\nnum_leaves=3", 1), scan.Dangerous, "lightgbm/duplicate-key"},
		{"cut", tree("3", "0.5 1e-3")[:200], scan.Incomplete, ""},
		{"no text", strings.Replace(tree("3", "0.5 1"), "sigmoid", "sig\x00oid", 1), scan.Incomplete, "lightgbm/text"},
		{"UBJ", ubj, scan.Clean, ""},
		{"UBJ with something behind", ubj + "x", scan.Dangerous, "ubj/trailing-bytes"},
		{"UBJ, cut", ubj[:40], scan.Incomplete, ""},
		{"UBJ, key twice", strings.Replace(ubj, "i\x01c", "i\x01b", 1), scan.Dangerous, "ubj/duplicate-key"},
		{"UBJ, 2^62 items", strings.Replace(ubj, "#L\x00", "#L\x40", 1), scan.Incomplete, "ubj/count"},
		{"UBJ, negative", strings.Replace(ubj, "#L\x00", "#L\x80", 1), scan.Dangerous, "ubj/length"},
		{"UBJ, 2^40 values without bytes", strings.Replace(ubj, "$d#L\x00\x00\x00", "$T#L\x00\x00\x01", 1), scan.Incomplete, "ubj/count"},
		{"UBJ, deep", ubj[:17] + strings.Repeat("[", 1000), scan.Incomplete, "ubj/broken"},
		{"CatBoost", "CBM1\x04\x00\x00\x00abcd", scan.Dangerous, "catboost/offset"},
		{"CatBoost, long", "CBM1\xff\xff\xff\xffabcd", scan.Dangerous, "catboost/length"},
		{"XGBoost binary", "binf" + strings.Repeat("\x00", 200), scan.Incomplete, "xgboost/broken"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			scantest.Bounded(t, func() {
				all := scantest.Scan(t, scanner(), []byte(test.b))
				if got := scantest.File(all); got.Outcome != test.outcome || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) {
					t.Errorf("%s with %+v, want %s by %q", got.Outcome, got, test.outcome, test.rule)
				}
			})
		})
	}
}

// TestShared reads models that the library's own users wrote, of many versions.
func TestShared(t *testing.T) {
	n := 0
	for _, pattern := range []string{"../../../../shared/data/tree-model-formats/lg*", "../../../../shared/data/tree-model-formats/xg*", "../../tree/testdata/*"} {
		list, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range list {
			b, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			if z, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
				if b, err = io.ReadAll(z); err != nil {
					t.Fatal(err)
				}
			}
			got := scantest.File(scantest.Scan(t, scanner(), b))
			if !slices.Contains([]string{"lightgbm", "xgboost-ubj", "xgboost-binary"}, got.Format) {
				continue
			}
			if n++; got.Outcome != scan.Clean || got.Coverage.Unread > 0 {
				t.Errorf("%s: %+v", filepath.Base(path), got)
			}
		}
	}
	if n == 0 {
		t.Skip("needs the shared data beside the repository")
	}
}

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	f.Add([]byte(tree("3", "0.5 1")))
	f.Add([]byte("{L\x00\x00\x00\x00\x00\x00\x00\x07learner[$d#i\x02abcdefgh}"))
	f.Add(xgboost(stump(), 0))
	f.Add(model(f, "categories"))
	f.Add(model(f, "depthwise"))
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

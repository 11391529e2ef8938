package jsonfile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/jsonfile"
	"github.com/assize/assize/internal/scan/keras"
	"github.com/assize/assize/internal/scan/scantest"
)

func scanner() *scan.Scanner {
	return &scan.Scanner{Formats: append(keras.Formats(), jsonfile.Format{})}
}

func TestScan(t *testing.T) {
	lambda := `{"class_name":"Lambda","config":{"function":["4wAA",null,null]}}`
	for _, test := range []struct {
		name, text, format string
		outcome            scan.Outcome
		rule               string
	}{
		{"settings", `{"os.system": "eval", "hidden_size": 4}`, "json", scan.Clean, ""},
		{"a list", ` [1, 2, {"a": [true, null]}]`, "json", scan.Clean, ""},
		{"XGBoost", `{"learner":{"attributes":{}},"version":[3,2,0]}`, "xgboost-json", scan.Clean, ""},
		{"LightGBM", `{"name":"tree","tree_info":[]}`, "lightgbm-json", scan.Clean, ""},
		{"CatBoost", `{"features_info":{},"oblivious_trees":[]}`, "catboost-json", scan.Clean, ""},
		{"key twice", `{"learner":{},"learner":{}}`, "xgboost-json", scan.Dangerous, "json/duplicate-key"},
		{"key twice, deep", `{"a":[{"b":{"c":1,"c":2}}]}`, "json", scan.Dangerous, "json/duplicate-key"},
		{"code from elsewhere", `{"auto_map":{"AutoModel":"modeling.Mine"}}`, "json", scan.UnknownCode, "json/remote-code"},
		{"a configuration far behind", `{"a":"` + strings.Repeat(" ", 9000) + `","m":` + lambda + `}`, "json", scan.Malicious, "keras/lambda-code"},
		{"a configuration behind blanks", strings.Repeat(" ", 9000) + lambda, "json", scan.Malicious, "keras/lambda-code"},
		{"deep", strings.Repeat("[", 2000) + strings.Repeat("]", 2000), "", scan.Incomplete, ""},
		{"cut", `{"learner":{"a":`, "", scan.Incomplete, ""},
		{"two", `{} {}`, "", scan.Incomplete, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := scantest.Scan(t, scanner(), []byte(test.text))
			got := scantest.File(all)
			if got.Outcome != test.outcome || test.format != "" && got.Format != test.format || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) {
				t.Errorf("%s of %q with %v, want %s of %q by %q", got.Outcome, got.Format, got.Findings, test.outcome, test.format, test.rule)
			}
		})
	}
}

// TestBounded reads ten million values and a million keys.
func TestBounded(t *testing.T) {
	for name, text := range map[string]string{
		"values": "[" + strings.Repeat("0,", 10_000_000) + "0]",
		"keys":   `{"a":0` + strings.Repeat(`,"a":0`, 1_000_000) + "}",
	} {
		t.Run(name, func(t *testing.T) {
			scantest.Bounded(t, func() { scantest.Scan(t, scanner(), []byte(text)) })
		})
	}
}

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	f.Add([]byte(`{"learner":{"a":[1,2]},"class_name":"Lambda"}`))
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

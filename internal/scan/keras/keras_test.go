package keras_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/keras"
	"github.com/assize/assize/internal/scan/scantest"
	"github.com/assize/assize/internal/scan/zipfile"
)

func scanner() *scan.Scanner {
	return &scan.Scanner{Formats: append(keras.Formats(), zipfile.Format{}), Layouts: keras.Layouts()}
}

func stored(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStored reads the files that bench/scanner/hdf5_cases.py wrote with h5py 3.14
// and Keras 3.15.1.
func TestStored(t *testing.T) {
	list, err := filepath.Glob("testdata/*")
	if err != nil || len(list) < 13 {
		t.Fatalf("%d files, %v", len(list), err)
	}
	rules := map[string]string{
		"bad-external-link.h5": "hdf5/external-link", "bad-external-storage.h5": "hdf5/external-storage", "bad-virtual.h5": "hdf5/virtual",
		"bad-userblock.h5": "hdf5/prefix", "bad-lambda.h5": "keras/lambda-code", "bad-lambda.keras": "keras/lambda-code",
	}
	for _, path := range list {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			all := scantest.Scan(t, scanner(), stored(t, name))
			got := scantest.File(all)
			switch rule := rules[name]; {
			case rule == "" && (got.Outcome != scan.Clean || got.Coverage.Unread > 0):
				t.Errorf("got %+v, want a clean one; members %v", got, scantest.Members(all))
			case rule != "" && (got.Outcome < scan.Dangerous || !slices.Contains(scantest.Rules(all), rule)):
				t.Errorf("%s with rules %v, want %s", got.Outcome, scantest.Rules(all), rule)
			}
		})
	}
}

// TestBroken cuts and changes files: no bytes that were not read may pass as clean.
func TestBroken(t *testing.T) {
	for _, name := range []string{"ok-groups.h5", "ok-latest.h5", "ok-order.h5", "ok-model.h5"} {
		b := stored(t, name)
		for _, n := range []int{9, 60, len(b) / 2, len(b) - 1} {
			if got := scantest.File(scantest.Scan(t, scanner(), b[:n])); got.Outcome == scan.Clean {
				t.Errorf("%s cut to %d bytes: %s", name, n, got.Outcome)
			}
		}
		if got := scantest.File(scantest.Scan(t, scanner(), append(bytes.Clone(b), "hidden"...))); got.Outcome == scan.Clean || got.Coverage.Unread == 0 {
			t.Errorf("%s with bytes behind it: %+v", name, got)
		}
		for at := 8; at < len(b); at += 97 { // whatever a changed byte does, the scan ends
			changed := bytes.Clone(b)
			changed[at] ^= 0xff
			scantest.Scan(t, scanner(), changed)
		}
	}
}

// model is a configuration of one layer.
func model(layer string) string {
	return fmt.Sprintf(`{"module":"keras","class_name":"Sequential","config":{"name":"s","layers":[%s]},"registered_name":null}`, layer)
}

func layer(module, class, config string) string {
	return fmt.Sprintf(`{"module":%q,"class_name":%q,"config":%s,"registered_name":null}`, module, class, config)
}

func TestConfig(t *testing.T) {
	dense := layer("keras.layers", "Dense", `{"name":"os.system","units":4}`)
	lambda := layer("builtins", "__lambda__", `{"value":"4wAAAA=="}`)
	deep := layer("keras.layers", "Lambda", `{"function":`+lambda+`}`)
	for range 3 {
		deep = layer("keras.layers", "TimeDistributed", `{"layer":`+model(deep)+`}`)
	}
	quoted, _ := json.Marshal(model(deep))
	tests := []struct {
		name    string
		layer   string
		outcome scan.Outcome
		rule    string
	}{
		{"plain", dense, scan.Clean, ""},
		{"recurrent with an input named eval", layer("keras.layers", "LSTM", `{"name":"eval","units":2,"activation":"tanh"}`), scan.Clean, ""},
		{"named activation", layer("keras.layers", "Activation", `{"activation":{"module":"builtins","class_name":"function","config":"relu","registered_name":"function"}}`), scan.Clean, ""},
		{"operation", layer("keras.src.ops.numpy", "Add", `{}`), scan.Clean, ""},
		{"of Keras 2", `{"class_name":"Conv2D","config":{"filters":2}}`, scan.Clean, ""},
		{"operator of Keras 2", `{"class_name":"TFOpLambda","config":{"function":"math.add"}}`, scan.Clean, ""},
		{"words given", layer("keras.layers", "StringLookup", `{"vocabulary":["a","b"]}`), scan.Clean, ""},
		{"lambda three models deep", deep, scan.Malicious, "keras/lambda-code"},
		{"configuration in a string", `{"class_name":"Dense","config":` + string(quoted) + `}`, scan.Malicious, "keras/lambda-code"},
		{"lambda of Keras 2", `{"class_name":"Lambda","config":{"function":["4wAAAA==",null,null],"function_type":"lambda"}}`, scan.Malicious, "keras/lambda-code"},
		{"named lambda of Keras 2", `{"class_name":"Lambda","config":{"function":"system","function_type":"function","module":"os"}}`, scan.Malicious, "keras/module"},
		{"lambda as an activation", layer("keras.layers", "Dense", `{"activation":`+lambda+`}`), scan.Malicious, "keras/lambda-code"},
		{"bytecode as a value", layer("keras.layers", "Dense", `{"activation":{"value":["4wEAAAAAAAAAAAAAAAMAAAATAAAA81YAAACXAHQBAAAA",null,null]}}`), scan.Malicious, "keras/lambda-code"},
		{"function of os", layer("keras.layers", "Dense", `{"activation":`+layer("os", "function", `"system"`)+`}`), scan.Malicious, ""},
		{"builtin", layer("keras.layers", "Dense", `{"activation":`+layer("builtins", "function", `"exec"`)+`}`), scan.Malicious, "keras/function"},
		{"class of os", layer("os", "system", `"true"`), scan.Malicious, "keras/module"},
		{"class of subprocess", layer("subprocess", "Popen", `{"args":["true"]}`), scan.Malicious, "keras/module"},
		{"fetch", layer("keras.layers", "Dense", `{"activation":`+layer("keras.utils", "function", `"get_file"`)+`}`), scan.Malicious, "keras/function"},
		{"unsafe switch", layer("keras.config", "function", `"enable_unsafe_deserialization"`), scan.Malicious, "keras/function"},
		{"saved model as a layer", layer("keras.layers", "TFSMLayer", `{"filepath":"/tmp/x"}`), scan.Malicious, "keras/foreign-layer"},
		{"registered under another name", `{"module":"keras.layers","class_name":"Dense","config":{"function":` + lambda + `},"registered_name":"keras>Lambda"}`, scan.Malicious, "keras/two-names"},
		{"registered name alone", `{"module":"keras.layers","class_name":"Dense","config":{},"registered_name":"Mine>Dense"}`, scan.UnknownCode, "keras/custom-object"},
		{"operator that writes", `{"class_name":"TFOpLambda","config":{"function":"io.write_file"}}`, scan.Malicious, "keras/operator"},
		{"node of a graph", `{"class_name":"TensorFlowOpLayer","config":{"node_def":"{\"op\":\"PyFunc\"}"}}`, scan.Malicious, "keras/operator"},
		{"words in a file", layer("keras.layers", "StringLookup", `{"vocabulary":"/etc/hostname"}`), scan.Dangerous, "keras/file-vocabulary"},
		{"class of its own", layer("mymodels.layers", "Gate", `{}`), scan.UnknownCode, "keras/custom-object"},
		{"unknown class of Keras", layer("keras.layers", "Gate", `{}`), scan.UnknownCode, "keras/custom-object"},
		{"key twice", `{"class_name":"Dense","class_name":"Dense","config":{}}`, scan.Dangerous, "keras/duplicate-key"},
		{"no JSON", `{"class_name":`, scan.Incomplete, "keras/config"},
		{"too deep", `{"class_name":"Dense","config":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + "}", scan.Incomplete, "keras/config"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			alone := scantest.Scan(t, scanner(), []byte(model(test.layer)))
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			for name, text := range map[string]string{"config.json": model(test.layer), "metadata.json": `{"keras_version":"3.15.1"}`} {
				to, err := w.Create(name)
				if err != nil {
					t.Fatal(err)
				}
				to.Write([]byte(text))
			}
			w.Close()
			for name, all := range map[string][]scan.FileReport{"alone": alone, "in an archive": scantest.Scan(t, scanner(), b.Bytes())} {
				got := scantest.File(all)
				if got.Outcome != test.outcome || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) {
					t.Errorf("%s: %s with %+v, want %s by %q", name, got.Outcome, all, test.outcome, test.rule)
				}
			}
		})
	}
}

// FuzzConfig and FuzzFile: whatever the bytes, the scan ends and its report holds together.
func FuzzConfig(f *testing.F) {
	f.Add(model(layer("keras.layers", "Lambda", `{"function":["4wAAAA==",null,null]}`)))
	f.Add(model(layer("os", "function", `"system"`)))
	f.Fuzz(func(t *testing.T, text string) { scantest.Scan(t, scanner(), []byte(text)) })
}

// FuzzFile is FuzzConfig for HDF5.
func FuzzFile(f *testing.F) {
	for _, name := range []string{"ok-groups.h5", "ok-latest.h5", "ok-order.h5", "ok-chunks.h5", "bad-virtual.h5", "bad-external-link.h5", "bad-external-storage.h5"} {
		f.Add(stored(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

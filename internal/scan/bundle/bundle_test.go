package bundle_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
	"github.com/assize/assize/internal/scan/scantest"
	"github.com/assize/assize/internal/scan/suite"
)

func scanner(t testing.TB) *scan.Scanner {
	t.Helper()
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	return suite.Scanner(set, time.Now)
}

// file is a name and a content.
type file struct{ name, content string }

func zipped(files ...file) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		to, _ := w.Create(f.name)
		to.Write([]byte(f.content))
	}
	w.Close()
	return b.Bytes()
}

func tarred(packed bool, files ...file) []byte {
	var b, z bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		w.WriteHeader(&tar.Header{Name: f.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(f.content))})
		w.Write([]byte(f.content))
	}
	w.Close()
	if !packed {
		return b.Bytes()
	}
	g := gzip.NewWriter(&z)
	g.Write(b.Bytes())
	g.Close()
	return z.Bytes()
}

const (
	weights = "\x80\x04}q\x00." // an empty dict
	harm    = "cos\nsystem\n(S'true'\ntR."
)

// manifest is one as torch-model-archiver 0.12.0 writes it, with a handler.
func manifest(handler string) file {
	return file{"MAR-INF/MANIFEST.json", `{
  "createdOn": "22/11/2026 22:30:00",
  "runtime": "python",
  "model": {
    "modelName": "m",
    "serializedFile": "w.pkl",
    "handler": "` + handler + `",
    "modelVersion": "1.0"
  },
  "archiverVersion": "0.12.0"
}`}
}

func TestMAR(t *testing.T) {
	tests := []struct {
		name    string
		files   []file
		outcome scan.Outcome
		rule    string
	}{
		{"a handler of TorchServe's own", []file{manifest("image_classifier"), {"w.pkl", weights}}, scan.Clean, ""},
		{"code in the archive", []file{manifest("handler.py"), {"w.pkl", weights}, {"handler.py", "import os\n"}}, scan.UnknownCode, "mar/code"},
		{"code that no manifest names", []file{manifest("image_classifier"), {"w.pkl", weights}, {"torch.PY", "import os\n"}}, scan.UnknownCode, "mar/code"},
		{"packages to install", []file{manifest("image_classifier"), {"w.pkl", weights}, {"requirements.txt", "numpy\n"}}, scan.UnknownCode, "mar/requirements"},
		{"a handler that is not there", []file{manifest("my_package.module:handle"), {"w.pkl", weights}}, scan.UnknownCode, "mar/handler"},
		{"a handler outside", []file{manifest("../../tmp/handler.py"), {"w.pkl", weights}}, scan.Dangerous, "mar/path"},
		{"a handler at a path of its own", []file{manifest("/srv/handler.py:handle"), {"w.pkl", weights}}, scan.Dangerous, "mar/path"},
		{"weights with a call", []file{manifest("image_classifier"), {"w.pkl", harm}}, scan.Malicious, "pickle/call"},
		{"a workflow", []file{{"WAR-INF/MANIFEST.json", `{"workflow": {"workflowName": "w", "specFile": "spec.yaml", "handler": "h.py"}}`}, {"h.py", "pass\n"}}, scan.UnknownCode, "mar/code"},
		{"a manifest that is no JSON", []file{{"MAR-INF/MANIFEST.json", "{"}, {"w.pkl", weights}}, scan.Incomplete, "mar/manifest"},
		{"a handler that is no text", []file{{"MAR-INF/MANIFEST.json", `{"model": {"handler": ["h.py"]}}`}}, scan.Incomplete, "mar/manifest"},
		{"a key twice", []file{{"MAR-INF/MANIFEST.json", `{"model": {"handler": "../x.py", "handler": "image_classifier"}}`}}, scan.Dangerous, "json/duplicate-key"},
	}
	for _, test := range tests {
		for kind, b := range map[string][]byte{"zip": zipped(test.files...), "tgz": tarred(true, test.files...)} {
			check(t, test.name+" "+kind, b, test.outcome, test.rule, "mar")
		}
	}
}

func check(t *testing.T, name string, b []byte, outcome scan.Outcome, rule, format string) {
	t.Helper()
	all := scantest.Scan(t, scanner(t), b)
	got := scantest.File(all)
	if got.Outcome != outcome || rule != "" && !slices.Contains(scantest.Rules(all), rule) {
		t.Errorf("%s: got %s by %q, want %s by %q", name, got.Outcome, scantest.Rules(all), outcome, rule)
	}
	if !slices.ContainsFunc(all, func(r scan.FileReport) bool { return r.Format == format }) {
		t.Errorf("%s: nothing is called %s: %+v", name, format, all)
	}
}

// saved is a part of a configuration as OmegaConf 2.4.0 saves it.
const saved = `sample_rate: 16000
train_ds:
  manifest_filepath: ???
  sample_rate: ${sample_rate}
  labels:
  - ' '
  - a
  - ''''
  - target
  - "\xE9"
  betas:
  - 0.9
preprocessor:
  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor
  window: hann
  dither: 1.0e-05
decoder:
  _target_: nemo.collections.asr.modules.ConvASRDecoder
  vocabulary: []
  kwargs: {}
strategy:
  _target_: pytorch_lightning.strategies.DDPStrategy
optim:
  name: adamw
target: nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE
nemo_version: 2.4.0
`

func TestNeMo(t *testing.T) {
	tests := []struct {
		name, config string
		outcome      scan.Outcome
		rule         string
	}{
		{"as it is saved", saved, scan.Clean, ""},
		{"a target that is a number", "target: 3\n", scan.Clean, ""},
		{"a target that is a group", "target:\n  a: 1\n", scan.Clean, ""},
		{"comments", "# _target_: os.system\na: 1\n", scan.Clean, ""},
		{"a vetted class", "_target_: torch.nn.Linear\n", scan.Clean, ""},
		{"a function of a vetted library", "_target_: nemo.core.classes.ModelPT.restore_from\n", scan.UnknownCode, "nemo/unknown-target"},
		{"another library", "a:\n- _target_: my.module.Thing\n", scan.UnknownCode, "nemo/unknown-target"},
		{"a function that is data in a pickle", "_target_: builtins.getattr\n", scan.UnknownCode, ""},
		{"a command", "_target_: os.system\ncommand: true\n", scan.Malicious, "nemo/denied-target"},
		{"a command, quoted", "  \"_target_\" : 'subprocess.Popen' # x\n", scan.Malicious, "nemo/denied-target"},
		{"a command by the other key", "target: builtins.exec\n", scan.Malicious, "nemo/denied-target"},
		{"a command through a module", "_target_: torch.nn.modules.os.system\n", scan.Malicious, "nemo/denied-target"},
		{"a loader", "_target_: torch.hub.load\n", scan.Malicious, "nemo/denied-target"},
		{"one that is put together", "_target_: ${a}.system\n", scan.Dangerous, "nemo/computed-target"},
		{"one from the environment", "target: ${oc.env:X}\n", scan.Dangerous, "nemo/computed-target"},
		{"an alias", "a: &x os.system\nb:\n  _target_: *x\n", scan.Dangerous, "nemo/computed-target"},
		{"a tag of Python's", "a: !!python/object/apply:os.system [\"true\"]\n", scan.Dangerous, "nemo/computed-target"},
		{"in one line", "a: {_target_: os.system, command: x}\n", scan.Incomplete, "nemo/yaml"},
		{"in one line, within a list", "a: [{_target_: os.system}]\n", scan.Incomplete, "nemo/yaml"},
		{"in one line over two", "a: {b: 1,\n  _target_: os.system}\n", scan.Incomplete, "nemo/yaml"},
		{"with escapes", "\"_t\\x61rget_\": os.system\n", scan.Incomplete, "nemo/yaml"},
		{"a question", "? _target_\n: os.system\n", scan.Incomplete, "nemo/yaml"},
		{"a line further down", "_target_:\n  os.system\n", scan.Incomplete, "nemo/yaml"},
		{"an anchor before the key", "&a _target_: os.system\n", scan.Incomplete, "nemo/yaml"},
		{"a line of YAML alone", "a: b\u2028_target_: os.system\n", scan.Incomplete, "nemo/yaml"},
		{"a line of old computers", "a: b\r_target_: os.system\n", scan.Incomplete, "nemo/yaml"},
		{"a mark at the start", "\ufeff_target_: os.system\n", scan.Incomplete, "nemo/yaml"},
		{"a tab", "a:\n\t_target_: os.system\n", scan.Incomplete, "nemo/yaml"},
		{"a tag", "a: !x {}\n", scan.Incomplete, "nemo/yaml"},
		{"a long line", "a: " + strings.Repeat("x", 100_000) + "\n", scan.Incomplete, "nemo/yaml"},
	}
	for _, test := range tests {
		files := []file{{"./model_config.yaml", test.config}, {"./model_weights.ckpt", weights}}
		check(t, test.name, tarred(strings.Contains(test.name, "saved"), files...), test.outcome, test.rule, "nemo")
	}
	check(t, "weights with a call", tarred(false, file{"model_config.yaml", saved}, file{"model_weights.ckpt", harm}), scan.Malicious, "pickle/call", "nemo")
	check(t, "another configuration", tarred(false, file{"model_config.yaml", saved}, file{"inner/more.yml", "_target_: os.system\n"}), scan.Malicious, "nemo/denied-target", "nemo")
}

// FuzzConfig: whatever follows a denied target, the scan ends and finds it.
func FuzzConfig(f *testing.F) {
	f.Add(saved)
	f.Add("a: {b: [${c}]}\n- - x: |\n  y")
	f.Fuzz(func(t *testing.T, config string) {
		b := tarred(false, file{"model_config.yaml", "_target_: os.system\n" + config})
		if got := scantest.File(scantest.Scan(t, scanner(t), b)); got.Outcome != scan.Malicious {
			t.Errorf("it is %s", got.Outcome)
		}
	})
}

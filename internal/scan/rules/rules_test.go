package rules_test

import (
	"testing"

	"github.com/assize/assize/internal/scan/rules"
)

func TestNames(t *testing.T) {
	s, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		module, name string
		kind         rules.Kind
		capability   string
	}{
		{"os", "system", rules.Denied, "execute"},
		{"posix", "system", rules.Denied, "execute"},
		{"nt", "remove", rules.Denied, "write"},
		{"builtins", "eval", rules.Denied, "execute"},
		{"__builtin__", "eval", rules.Denied, "execute"},
		{"_pickle", "loads", rules.Denied, "nested-loader"},
		{"torch.serialization", "os.system", rules.Denied, "execute"},
		{"sklearn.base", "_sys.modules", rules.Denied, "execute"},
		{"somebody.lib", "os.system", rules.Denied, "execute"},
		{"numpy", "ndarray.__globals__", rules.Denied, "execute"},
		{"numpy", "testing._private.utils.runstring", rules.Deceptive, "execute"},
		{"numpy.testing._private.utils", "runstring", rules.Denied, "execute"},
		{"collections", "OrderedDict", rules.Vetted, ""},
		{"my_models", "eval", rules.Unknown, ""},
		{"my_models", "Net", rules.Unknown, ""},
		{"sklearn.future", "NewForest", rules.Unknown, ""},
		{"sklearn.future", "check_output", rules.Denied, "execute"},
		{"importlib.machinery", "SourceFileLoader", rules.Denied, "import"},
		{"ctypes.util", "find_library", rules.Denied, "native-load"},
		{"pathlib", "Path.write_text", rules.Denied, "write"},
	} {
		got := s.Name(c.module, c.name)
		if got.Kind != c.kind || got.Capability != c.capability {
			t.Errorf("%s %s: got kind %d, capability %q, want %d, %q", c.module, c.name, got.Kind, got.Capability, c.kind, c.capability)
		}
	}
}

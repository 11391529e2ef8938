package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assize/assize/internal/cli"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// The scripts run the program itself; the test binary stands in for it, and for its workers.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"assize": func() { os.Exit(cli.Main()) },
	})
}

func TestScripts(t *testing.T) {
	library := orttest.Library(t)
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := filepath.Abs("../report/html/testdata") // a dossier, for what only reads one
	if err != nil {
		t.Fatal(err)
	}
	serve, asked := serving(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("ASSIZE_ONNXRUNTIME", library)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("RECORDED", recorded)
			for _, name := range []string{"credit", "diagnosis", "digits"} {
				if err := copyExample(filepath.Join(examples, name), filepath.Join(env.WorkDir, name)); err != nil {
					return err
				}
			}
			return os.CopyFS(filepath.Join(env.WorkDir, "example"), os.DirFS("../report/html/testdata")) // a dossier to report
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"flip": flip, "edit": edit, "unpin": unpin, "fits": fits, "serve": serve, "asked": asked, "holds": holds, "weak": weak, "scorer": scorer},
	})
}

// copyExample copies a target without what runs have left in it.
func copyExample(from, to string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	for _, made := range []string{"dossier", ".assize"} {
		if err := os.RemoveAll(filepath.Join(to, made)); err != nil {
			return err
		}
	}
	return nil
}

package cli_test

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assize/assize/internal/remote/remotetest"
)

// serve MODEL [CREDENTIAL] serves an ONNX model of the credit example on loopback until
// the script ends. $URL is its address; a credential must come in the header Authorization.
func serve(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		s := remotetest.FromFile(t, "credit", ts.MkAbs(args[0]), "input", "probabilities", 20)
		if len(args) > 1 {
			s.Credential = args[1]
		}
		url, stop := s.Listen()
		ts.Defer(stop)
		ts.Setenv("URL", url)
	}
}

// holds TEXT PATH... succeeds where a file at or below one of the paths holds the text.
func holds(ts *testscript.TestScript, neg bool, args []string) {
	files, found := 0, ""
	for _, root := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			if bytes.Contains(read(ts, path), []byte(args[0])) {
				found = path
			}
			return nil
		}))
	}
	switch {
	case files == 0:
		ts.Fatalf("no file to look into")
	case neg && found != "":
		ts.Fatalf("%s holds %q", found, args[0])
	case !neg && found == "":
		ts.Fatalf("none of %d files holds %q", files, args[0])
	}
}

package cli_test

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assize/assize/internal/remote/remotetest"
)

// serving makes two commands. serve MODEL [CREDENTIAL] serves an ONNX model of the credit example on loopback until
// the script ends. $URL is its address; a credential must come in the header Authorization.
// asked MOST succeeds where rows were answered since it last looked, and no more than that.
func serving(t *testing.T) (serve, asked func(*testscript.TestScript, bool, []string)) {
	var servers sync.Map // by address; scripts run side by side
	serve = func(ts *testscript.TestScript, _ bool, args []string) {
		s := remotetest.FromFile(t, "credit", ts.MkAbs(args[0]), "input", "probabilities", 20)
		if len(args) > 1 {
			s.Credential = args[1]
		}
		url, stop := s.Listen()
		ts.Defer(stop)
		ts.Setenv("URL", url)
		servers.Store(url, s)
	}
	asked = func(ts *testscript.TestScript, _ bool, args []string) {
		most, err := strconv.ParseInt(args[0], 10, 64)
		ts.Check(err)
		s, _ := servers.Load(ts.Getenv("URL"))
		if got := s.(*remotetest.Server).Rows.Swap(0); got < 1 || got > most {
			ts.Fatalf("%d rows were answered, want at least 1 and at most %d", got, most)
		}
	}
	return serve, asked
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

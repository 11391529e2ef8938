package suite_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
	"github.com/assize/assize/internal/scan/suite"
)

// TestWeightsOrPickle: a file that a network beside it calls its weights, and that is a
// pickle, is one, however much data stands before what it calls.
func TestWeightsOrPickle(t *testing.T) {
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	const n = 1 << 20
	text := string(binary.LittleEndian.AppendUint32(nil, n)) + string(make([]byte, n))
	for name, b := range map[string]string{
		"protocol 2": "\x80\x02B" + text + "0" + system + ".",
		"protocol 1": "T" + text + "0" + system + ".",
	} {
		dir := t.TempDir()
		net := `<?xml version="1.0"?><net><layers><layer type="Const" version="opset1"><data offset="0" size="1048700"/></layer></layers></net>`
		for name, b := range map[string]string{"m.xml": net, "m.bin": b} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := suite.Scanner(set, time.Now)
		var got scan.FileReport
		if err := s.Path(t.Context(), filepath.Join(dir, "m.bin"), func(r scan.FileReport) error { got = r; return nil }); err != nil {
			t.Fatal(err)
		}
		if got.Outcome != scan.Malicious {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

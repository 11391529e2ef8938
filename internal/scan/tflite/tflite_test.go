package tflite_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/plain"
	"github.com/assize/assize/internal/scan/rules"
	"github.com/assize/assize/internal/scan/scantest"
	"github.com/assize/assize/internal/scan/suite"
	"github.com/assize/assize/internal/scan/tflite"
	"github.com/assize/assize/internal/scan/zipfile"
)

// recorded is a model that bench/scanner/tflite_cases.py wrote with TensorFlow 2.21.0.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".tflite"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func run(t testing.TB, b []byte) []scan.FileReport {
	t.Helper()
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	return scantest.Scan(t, suite.Scanner(set, time.Now), b)
}

func TestScan(t *testing.T) {
	replaced := func(name, old, by string) []byte {
		b := recorded(t, name)
		if len(old) != len(by) || !bytes.Contains(b, []byte(old)) {
			t.Fatalf("%s holds no %q of that length", name, old)
		}
		return bytes.ReplaceAll(b, []byte(old), []byte(by))
	}
	cnn, checkpoint := recorded(t, "cnn"), recorded(t, "readfile")
	for _, at := range []string{"FlexReadFile", "\x12\x08ReadFile"} { // names that are shorter, with zeros behind them
		old := []byte(at)
		i := bytes.Index(checkpoint, old)
		by := append(bytes.Replace(bytes.Replace(slices.Clone(old), []byte("ReadFile"), []byte("SaveV2"), 1), []byte{0x12, 8}, []byte{0x12, 6}, 1), 0, 0)
		copy(checkpoint[i:], by)
		if at[0] == 'F' {
			binary.LittleEndian.PutUint32(checkpoint[i-4:], 10)
		}
	}
	metadata := recorded(t, "metadata")
	tests := []struct {
		name    string
		in      []byte
		outcome scan.Outcome
		rule    string
	}{
		{"network", cnn, scan.Clean, ""},
		{"whole numbers", recorded(t, "int8"), scan.Clean, ""},
		{"operators of TensorFlow", recorded(t, "lstm"), scan.Clean, ""},
		{"metadata behind it", metadata, scan.Clean, ""},
		{"an operator of its own", recorded(t, "custom"), scan.UnknownCode, "tflite/custom-operator"},
		{"one that reads files", recorded(t, "readfile"), scan.Malicious, "tflite/operator"},
		{"one under another name", replaced("readfile", "FlexReadFile", "FlexIdentity"), scan.Malicious, "tflite/two-names"},
		{"one that only the options name", replaced("readfile", "FlexReadFile", "FlexIdentity"), scan.Malicious, "tflite/operator"},
		{"one that keeps a checkpoint", checkpoint, scan.UnknownCode, "tflite/checkpoint"},
		{"one that TensorFlow does not have", replaced("readfile", "ReadFile", "Readfile"), scan.UnknownCode, "tflite/custom-operator"},
		{"cut short", cnn[:len(cnn)/2], scan.Dangerous, "tflite/offset"},
		{"bytes behind it", append(slices.Clone(cnn), "what nobody looks at"...), scan.Dangerous, "tflite/hidden-bytes"},
		{"an archive behind it with another checksum", replaced("metadata", "a\nb\nc\n", "a\nb\nd\n"), scan.Dangerous, "zip/checksum"},
		{"an archive cut short", metadata[:len(metadata)-4], scan.Dangerous, "tflite/hidden-bytes"},
	}
	for _, test := range tests {
		all := run(t, test.in)
		got := scantest.File(all)
		if got.Outcome != test.outcome || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) || got.Format != "tflite" {
			t.Errorf("%s: got %s, %s, by %q, want %s by %q", test.name, got.Format, got.Outcome, scantest.Rules(all), test.outcome, test.rule)
		}
	}
}

// TestMetadataAreScanned: what lies in the archive behind a model is read as members.
func TestMetadataAreScanned(t *testing.T) {
	all := run(t, recorded(t, "metadata"))
	if got := scantest.Members(all)["labels.txt"]; got != "clean" {
		t.Errorf("members %v, want labels.txt clean", scantest.Members(all))
	}
}

// TestNumbersOutside: an operator of a code that the model does not have is found.
func TestNumbersOutside(t *testing.T) {
	b := recorded(t, "cnn")
	found := 0
	for at := 0; at+4 <= len(b); at += 4 { // every number of the file in turn
		if n := binary.LittleEndian.Uint32(b[at:]); n == 0 || n > 16 {
			continue
		}
		c := slices.Clone(b)
		binary.LittleEndian.PutUint32(c[at:], 0x7fff)
		if slices.Contains(scantest.Rules(run(t, c)), "tflite/index") {
			found++
		}
	}
	if found < 10 { // four operators with codes and ten tensors with buffers
		t.Errorf("%d numbers that lead outside were found", found)
	}
}

// FuzzScan: whatever the bytes, the scan ends and accounts for them.
func FuzzScan(f *testing.F) {
	for _, name := range []string{"cnn", "readfile", "custom", "metadata"} {
		f.Add(recorded(f, name))
	}
	s := &scan.Scanner{Formats: []scan.Format{zipfile.Format{}, tflite.Format{}, plain.Text{}}}
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, s, b) })
}

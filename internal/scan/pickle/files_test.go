package pickle_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/scan"
)

// The files were written by bench/scanner/benign.py and attacks.py with Python
// 3.11.7, torch 2.15.0, numpy 2.4.6, scikit-learn 1.9.1, joblib 1.6.0 and pandas 3.1.1.
func TestFilesOfLibraries(t *testing.T) {
	for _, kind := range []string{"benign", "hostile"} {
		list, err := filepath.Glob("testdata/" + kind + "/*")
		if err != nil || len(list) < 10 {
			t.Fatalf("%d files, %v", len(list), err)
		}
		for _, path := range list {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, members := scanned(t, string(b))
			if clean := got.Outcome == scan.Clean; clean != (kind == "benign") || kind == "hostile" && got.Outcome < scan.Dangerous {
				t.Errorf("%s: got %s: %+v, members %+v", path, got.Outcome, got.Findings, members)
			}
		}
	}
}

// TestScripts judges TorchScript: PyTorch's operators and classes are known, those of others are code.
func TestScripts(t *testing.T) {
	for code, want := range map[string]scan.Outcome{
		"  return torch.relu(x)\n": scan.Clean,
		"  packed : __torch__.torch.classes.quantized.LinearPackedParamsBase\n":          scan.Clean,
		"  text = \"eval(os.system)\"\n":                                                 scan.Clean,
		"  return ops.mylib.mine(x)\n":                                                   scan.UnknownCode,
		"  state : __torch__.torch.classes.mylib.Session\n":                              scan.UnknownCode,
		"  return torch.from_file(\"x\", False, 3, dtype=6, layout=None, device=None)\n": scan.Malicious,
	} {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, f := range [][2]string{{"m/data.pkl", "\x80\x02}."}, {"m/constants.pkl", "\x80\x02)."}, {"m/code/__torch__.py", "class M(Module):\n  def forward(self, x):\n" + code}, {"m/version", "3\n"}} {
			to, err := w.CreateHeader(&zip.FileHeader{Name: f[0], Method: zip.Store})
			if err != nil {
				t.Fatal(err)
			}
			to.Write([]byte(f[1]))
		}
		w.Close()
		if got, members := scanned(t, b.String()); got.Outcome != want {
			t.Errorf("%q: got %s, want %s: %+v, members %+v", code, got.Outcome, want, got.Findings, members)
		}
	}
}

// TestRandomPrograms compares with what CPython really executed.
func TestRandomPrograms(t *testing.T) {
	f, err := os.Open("testdata/random.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ran, clean := 0, 0
	for in := bufio.NewScanner(f); in.Scan(); {
		program, events, ok := strings.Cut(in.Text(), "\t")
		if !ok {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(program)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := scanned(t, string(b))
		if events != "" {
			if ran++; got.Outcome < scan.Dangerous {
				t.Errorf("%q executes %s and is called %s", b, events, got.Outcome)
			}
		} else if got.Outcome == scan.Clean {
			clean++
		}
	}
	if ran < 100 || clean < 20 {
		t.Errorf("%d programs that execute, %d clean ones: the file says too little", ran, clean)
	}
}

// TestTraps wants memory and time bounded, and what ran before still said.
func TestTraps(t *testing.T) {
	bad := "\x80\x04cos\nsystem\n(S'true'\ntR"
	length := binary.LittleEndian.AppendUint64([]byte("\x8e"), 1<<62)
	for _, c := range []struct{ name, tail string }{
		{"length of 2^62", string(length)},
		{"marks", strings.Repeat("(", 3_000_000)},
		{"values", strings.Repeat("N", 3_000_000)},
		{"dicts", strings.Repeat("}", 1_000_000)},
		{"nested tuples", "N" + strings.Repeat("\x85", 1_000_000) + "."},
		{"doubling", ")" + strings.Repeat("2\x86", 1000) + "."},
		{"memo spread out", "N" + strings.Repeat("r\xff\xff\xff\xffr\x00\x00\xff\xff", 100_000) + "."},
		{"names", strings.Repeat("cq\nq\n0", 300_000) + "."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := scanned(t, bad+c.tail); got.Outcome != scan.Malicious {
				t.Errorf("got %s, want malicious", got.Outcome)
			}
			if got, _ := scanned(t, "\x80\x04"+c.tail); got.Outcome == scan.Clean && !strings.HasSuffix(c.tail, ".") {
				t.Errorf("a program without an end is clean")
			}
		})
	}
}

// TestLongFile wants opcodes that lie across the edges of the window to be read right.
func TestLongFile(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("\x80\x04](")
	for i := range 200_000 {
		b.WriteString("\x8c" + string(rune(8+i%5)) + "0123456789abc"[:8+i%5])
		b.WriteString("M\x01\x02")
	}
	whole := b.String() + "e."
	if got, _ := scanned(t, whole); got.Outcome != scan.Clean || got.Coverage.Structured != int64(len(whole)) {
		t.Errorf("got %s, %+v: %+v", got.Outcome, got.Coverage, got.Findings)
	}
	if got, _ := scanned(t, b.String()+"ecos\nsystem\n(S'true'\ntR."); got.Outcome != scan.Malicious {
		t.Errorf("got %s, want malicious", got.Outcome)
	}
}

// BenchmarkDense measures operations: small dicts, tuples, strings and numbers.
func BenchmarkDense(b *testing.B) {
	var p bytes.Buffer
	p.WriteString("\x80\x04](")
	for i := range 100_000 {
		p.WriteString("}(\x8c\x02idJ")
		p.Write(binary.LittleEndian.AppendUint32(nil, uint32(i)))
		p.WriteString("\x8c\x04name\x8c\x05n0123\x94\x8c\x03posK\x01G\x00\x00\x00\x00\x00\x00\x00\x00\x86\x94\x8c\x02ok\x88u")
	}
	p.WriteString("e.")
	whole := p.String()
	b.SetBytes(int64(len(whole)))
	b.ReportAllocs()
	for b.Loop() {
		if got, _ := scanned(b, whole); got.Outcome != scan.Clean {
			b.Fatal(got.Outcome)
		}
	}
}

package pickle_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
	"github.com/assize/assize/internal/scan/suite"
)

var lists = sync.OnceValues(rules.Load)

// scanned is the report of one file and those of what lies in it.
func scanned(t testing.TB, content string) (file scan.FileReport, members []scan.FileReport) {
	t.Helper()
	set, err := lists()
	if err != nil {
		t.Fatal(err)
	}
	err = suite.Scanner(set, time.Now).Reader(t.Context(), "f", strings.NewReader(content), int64(len(content)), func(r scan.FileReport) error {
		if c := r.Coverage; c.Structured+c.Opaque+c.Unread != c.Bytes {
			t.Errorf("%s: coverage %+v does not add up", r.Path, c)
		}
		members = append(members, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return members[len(members)-1], members[:len(members)-1]
}

// rulesOf are the rules of the findings of an outcome.
func rulesOf(r scan.FileReport, o scan.Outcome) []string {
	var out []string
	for _, f := range r.Findings {
		if f.Outcome == o {
			out = append(out, f.Rule)
		}
	}
	return out
}

// The programs are those of Python's pickle module and of people who write
// opcodes by hand; what a loader does with each was tried with CPython 3.11.
func TestPrograms(t *testing.T) {
	system := "cos\nsystem\n(S'true'\ntR"
	for _, c := range []struct {
		name, program string
		want          scan.Outcome
		rule          string // one of those that make it so
	}{
		{"None", "\x80\x04N.", scan.Clean, ""},
		{"protocol 0 dict", "(dp0\nVa\np1\nI1\ns.", scan.Clean, ""},
		{"frame ends in a string", "\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R.", scan.Dangerous, "pickle/frame"},
		{"ordered dict, frame fits", "\x80\x04\x95\x21\x00\x00\x00\x00\x00\x00\x00\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R.", scan.Clean, ""},
		{"text that names things", "\x80\x04\x8c\x1cos.system and eval are words.", scan.Clean, ""},
		{"defaultdict of list", "ccollections\ndefaultdict\n(c__builtin__\nlist\ntR.", scan.Clean, ""},
		{"complex", "c__builtin__\ncomplex\n(F1.0\nF2.0\ntR.", scan.Clean, ""},

		{"system", system + ".", scan.Malicious, "pickle/call"},
		{"system, no STOP", system, scan.Malicious, "pickle/call"},
		{"system, then no opcode", system + "\xff.", scan.Malicious, "pickle/call"},
		{"system, then stack underflow", system + "000.", scan.Malicious, "pickle/call"},
		{"system, popped", system + "0N.", scan.Malicious, "pickle/call"},
		{"system by INST", "(S'true'\nios\nsystem\n.", scan.Malicious, "pickle/call"},
		{"system by OBJ", "(cos\nsystem\nS'true'\no.", scan.Malicious, "pickle/call"},
		{"escaped names", "\x80\x04V\\u006fs\nV\\U00000073ystem\n\x93(S'true'\ntR.", scan.Malicious, "pickle/call"},
		{"noise before the name", "\x80\x04\x8c\x02os\x8c\x01x020\x8c\x06system\x93(S'true'\ntR.", scan.Malicious, "pickle/call"},
		{"chain", "\x80\x04\x8c\x13torch.serialization\x8c\x09os.system\x93(S'true'\ntR.", scan.Malicious, "pickle/call"},
		{"chain by getattr", "cbuiltins\ngetattr\n(ctorch\nserialization\nS'os'\ntR.", scan.Dangerous, "pickle/reference"},
		{"Python 2 name", "c__builtin__\neval\n(S'1+1'\ntR.", scan.Malicious, "pickle/call"},
		{"Popen without constructor", "\x80\x02csubprocess\nPopen\n)\x81.", scan.Malicious, "pickle/call"},
		{"NEWOBJ_EX", "\x80\x04csubprocess\nPopen\n)}\x92.", scan.Malicious, "pickle/call"},
		{"named, not called", "cos\nsystem\n.", scan.Dangerous, "pickle/reference"},
		{"factory", "ccollections\ndefaultdict\n(cos\nsystem\ntR.", scan.Malicious, "pickle/call"},
		{"partial", "cfunctools\npartial\n(cos\nsystem\nS'true'\ntR.", scan.Malicious, "pickle/call"},
		{"partial called", "cfunctools\npartial\n(ccollections\nOrderedDict\ntR)R.", scan.Dangerous, "pickle/computed-call"},
		{"map", "cbuiltins\nmap\n(cos\nsystem\n(S'true'\nltR.", scan.Malicious, "pickle/call"},
		{"getattr handed on", "ccollections\ndefaultdict\n(cbuiltins\ngetattr\ntR.", scan.Dangerous, "pickle/escape"},
		{"patch of a module", "cos\nenviron\nS'A'\nS'b'\ns.", scan.Malicious, "pickle/patch"},
		{"patch of a class", "ccollections\nOrderedDict\n(N(S'x'\nNdtb.", scan.Malicious, "pickle/patch"},
		{"state of a class", "ccollections\nOrderedDict\n}b.", scan.Malicious, "pickle/patch"},
		{"computed name", "\x80\x04c_codecs\nencode\n(S'os'\nS'latin1'\ntR\x8c\x06system\x93.", scan.Dangerous, "pickle/computed-name"},
		{"other codec", "c_codecs\nencode\n(S'bf'\nS'rot13'\ntR.", scan.Dangerous, "pickle/arguments"},
		{"extension code", "\x80\x02\x82\x01.", scan.Dangerous, "pickle/extension"},
		{"persistent id", "\x80\x02U\x01xQ.", scan.Dangerous, "pickle/persistent-id"},
		{"buffer from outside", "\x80\x05\x97.", scan.Dangerous, "pickle/buffer"},
		{"arguments in a list", "ccollections\nOrderedDict\n]R.", scan.Dangerous, "pickle/arguments"},
		{"frame in a frame", "\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x95\x01\x00\x00\x00\x00\x00\x00\x00N\x30N.", scan.Dangerous, "pickle/frame"},
		{"frame of 2^60", "\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x10N.", scan.Dangerous, "pickle/frame"},
		{"memo given twice", "\x80\x02Nq\x000Kaq\x00.", scan.Dangerous, "pickle/memo"},
		{"memo never set", "\x80\x02h\x05.", scan.Dangerous, "pickle/memo"},
		{"memo numbered in two ways", "\x80\x04Nq\x000N\x94.", scan.Dangerous, "pickle/memo"},
		{"memo 2^32-1", "\x80\x02Nr\xff\xff\xff\xff.", scan.Dangerous, "pickle/memo"},
		{"two pickles", "\x80\x04N.\x80\x04N.", scan.Clean, ""},
		{"two pickles, the second bad", "\x80\x04N." + system + ".", scan.Malicious, "pickle/call"},
		{"junk between", "\x80\x04N.\xff\xff\x80\x04cos\nsystem\n(S'true'\ntR.", scan.Malicious, "pickle/junk"},
		{"zeros in front", "\x00\x00\x00\x80\x04cos\nsystem\n(S'true'\ntR.", scan.Malicious, "pickle/call"},
		{"unknown name", "cmy_models\nNet\n)\x81.", scan.UnknownCode, "pickle/unknown-name"},
		{"class named eval", "cmy_models\neval\n)\x81.", scan.UnknownCode, "pickle/unknown-name"},
		{"truncated", "\x80\x04\x8c\x10abc", scan.Dangerous, "pickle/length"},
		{"no STOP", "\x80\x04N", scan.Incomplete, "pickle/truncated"},
		{"mark at STOP", "\x80\x04N(.", scan.Incomplete, "pickle/stack"},
		{"loads of loads", "\x80\x04cpickle\nloads\n(C\x17cos\nsystem\n(S'true'\ntR.tR.", scan.Malicious, "pickle/call"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := scanned(t, c.program)
			if got.Outcome != c.want {
				t.Fatalf("got %s, want %s: %+v", got.Outcome, c.want, got.Findings)
			}
			all := rulesOf(got, scan.Incomplete)
			for o := scan.UnknownCode; o <= scan.Malicious; o++ {
				all = append(all, rulesOf(got, o)...)
			}
			if c.rule != "" && !strings.Contains(strings.Join(all, " "), c.rule) {
				t.Errorf("got the rules %q, want %s", all, c.rule)
			}
			if c.want == scan.Clean && len(all) > 0 {
				t.Errorf("clean with %q", all)
			}
		})
	}
}

// FuzzFormat looks for programs that crash the interpreter or make its coverage
// wrong. What executes is a matter of the oracle; see bench/scanner.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{"\x93NUMPY\x01\x00\x36\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n\x80\x04N.", "ZF0x3               x\x9c", "\x80\x04N.", "(dp0\nVa\np1\nI1\ns.", "cos\nsystem\n(S'true'\ntR.", "\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", "\x80\x02}q\x00(U\x01aK\x01u."} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			t.Skip("long inputs find nothing more")
		}
		checked(t, string(b))
	})
}

// FuzzNpy is FuzzFormat for what stands behind the mark of NumPy's arrays.
func FuzzNpy(f *testing.F) {
	for _, header := range []string{
		"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n",
		"{'descr': [('a', '<f8', (2, 3)), ('b', [('c', '|O')])], 'fortran_order': True, 'shape': (2L,), }\n", "{'descr': '<f8', 'shape': (-1, 9223372036854775807)}", "[[[[", "__import__('os')\n",
	} {
		f.Add(byte(1), []byte(string(rune(len(header)))+"\x00"+header+"\x80\x04cos\nsystem\n(S'true'\ntR."))
		f.Add(byte(3), []byte(string(rune(len(header)))+"\x00\x00\x00"+header+"\x80\x04N."))
	}
	f.Fuzz(func(t *testing.T, version byte, b []byte) { checked(t, "\x93NUMPY"+string(version)+"\x00"+string(b)) })
}

// FuzzSkops is FuzzFormat for the description in a file of skops.
func FuzzSkops(f *testing.F) {
	for _, schema := range []string{
		`{"__class__":"OrderedDict","__module__":"collections","__loader__":"DictNode","content":{}}`, `{"__class__":"system","__module__":"os","__loader__":"FunctionNode"}`,
		`{"__class__":"a","__class__":"b","__module__":"m"}`, `[[{"__module__":`, `{"a":1,"b":[{"__class__":"Net","__module__":"mine","__loader__":"ObjectNode"}]}`,
	} {
		f.Add(schema)
	}
	f.Fuzz(func(t *testing.T, schema string) {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		to, err := w.CreateHeader(&zip.FileHeader{Name: "schema.json", Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		to.Write([]byte(schema))
		w.Close()
		checked(t, b.String())
	})
}

// checked scans a file that is not to be called clean where bytes are unread.
func checked(t *testing.T, content string) {
	if r, _ := scanned(t, content); r.Outcome == scan.Clean && r.Coverage.Unread > 0 {
		t.Errorf("clean with %d bytes that nobody read", r.Coverage.Unread)
	}
}

package suite_test

import (
	"encoding/binary"
	"strings"

	"github.com/assize/assize/internal/scan"
)

// system calls a command that does nothing.
const system = "cos\nsystem\n(S'true'\ntR"

func bad() []scan.Outcome       { return []scan.Outcome{scan.Malicious} }
func deceitful() []scan.Outcome { return []scan.Outcome{scan.Malicious, scan.Dangerous} }
func unclean() []scan.Outcome   { return []scan.Outcome{scan.Incomplete, scan.Dangerous, scan.Malicious} }
func cut() []scan.Outcome       { return []scan.Outcome{scan.Incomplete} }
func clean() []scan.Outcome     { return []scan.Outcome{scan.Clean} }

// nested is a pickle in the bytes of a pickle, and so on, with a call in the innermost.
func nested(depth int) []byte {
	b := []byte(system + ".")
	for range depth {
		out := append([]byte("\x80\x04B"), binary.LittleEndian.AppendUint32(nil, uint32(len(b)))...)
		b = append(append(out, b...), '.')
	}
	return b
}

// joblibArray is an array that joblib wrote, with its size as the file claims it.
func joblibArray(shape, rest string) string {
	return "\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(\x8c\x08subclasscnumpy\nndarray\n\x8c\x05shape" + shape +
		"\x85\x8c\x05order\x8c\x01C\x8c\x05dtypecnumpy\ndtype\n(\x8c\x02f8\x89\x88tR(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x8c\x0aallow_mmap\x89ub" + rest
}

func pickleClasses() []class {
	const legacy = "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00."
	length := "\x8e" + string(binary.LittleEndian.AppendUint64(nil, 1<<63-1))
	return []class{
		{1, "runs, then breaks", []nasty{
			{"no STOP", text(system), bad(), false},
			{"bad opcode", text(system + "\xff."), bad(), false},
			{"underflow, a thousand times", text(strings.Repeat(system+"000", 1000)), bad(), false},
		}},
		{2, "frames", []nasty{
			{"of 2^60 bytes", text("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x10N."), deceitful(), false},
			{"a million of nothing", text("\x80\x04" + strings.Repeat("\x95\x00\x00\x00\x00\x00\x00\x00\x00", 1_000_000) + "N."), append(unclean(), scan.Clean), false},
		}},
		{3, "computed names", []nasty{{"by a codec", text("\x80\x04c_codecs\nencode\n(S'os'\nS'latin1'\ntR\x8c\x06system\x93."), deceitful(), false}}},
		{4, "memo", []nasty{
			{"given twice", text("\x80\x02Nq\x000Kaq\x00."), deceitful(), false},
			{"given a million times", text("\x80\x02" + strings.Repeat("Nq\x000", 1_000_000) + "N."), append(unclean(), scan.Clean), false},
		}},
		{5, "hidden names", []nasty{{"escapes and noise", text("\x80\x04" + strings.Repeat("N20", 300_000) + "V\\u006fs\nV\\U00000073ystem\n\x93(S'true'\ntR."), bad(), false}}},
		{6, "attribute chains", []nasty{
			{"through a permitted module", text("\x80\x04\x8c\x13torch.serialization\x8c\x09os.system\x93(S'true'\ntR."), bad(), false},
			{"of a hundred thousand", text("\x80\x04ctorch\n" + strings.Repeat("nn.", 100_000) + "x\n)R."), []scan.Outcome{scan.UnknownCode, scan.Incomplete, scan.Dangerous, scan.Malicious}, false},
		}},
		{7, "hidden calls", []nasty{
			{"popped", text(system + "0N."), bad(), false},
			{"a factory", text("ccollections\ndefaultdict\n(cos\nsystem\ntR."), bad(), false},
			{"by INST, a hundred thousand times", text(strings.Repeat("(S'true'\nios\nsystem\n0", 100_000) + "N."), bad(), false},
		}},
		{8, "codes from outside", []nasty{
			{"extension", text("\x80\x02\x82\x01."), deceitful(), false},
			{"persistent ids", text("\x80\x02" + strings.Repeat("NQ0", 300_000) + "N."), deceitful(), false},
		}},
		{9, "nested pickles", []nasty{
			{"three deep", func() []byte { return nested(3) }, bad(), false},
			{"a thousand deep", func() []byte { return nested(1000) }, deceitful(), false},
		}},
		{10, "code objects", []nasty{{"marshal", text("cmarshal\nloads\n(C\x01NtR."), bad(), false}}},
		{11, "rare primitives", []nasty{{"sqlite3", text("csqlite3\nconnect\n(S':memory:'\ntR."), bad(), false}}},
		{12, "several in one file", []nasty{
			{"junk between", text("\x80\x04N.\xff\xff\x80\x04" + system + "."), bad(), false},
			{"two hundred thousand and one", text(strings.Repeat("\x80\x04N.", 200_000) + system + "."), bad(), false},
			{"junk that looks like starts", text("\x80\x04N." + strings.Repeat("\x80\x04\xff", 300_000)), unclean(), false},
		}},
		{13, "joblib", []nasty{
			{"code behind an array", text(joblibArray("K\x01", strings.Repeat("0", 8)+system+".")), bad(), false},
			{"past the end", text(joblibArray("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x3f", "0123")), unclean(), false},
		}},
		{16, "legacy torch", []nasty{{"payload in the fourth pickle", text(legacy + system + "."), bad(), false}}},
		{19, "memory traps", []nasty{
			{"length of 2^63", text("\x80\x04" + length), unclean(), false},
			{"memo spread out", text("\x80\x02N" + strings.Repeat("r\xff\xff\xff\xffr\x00\x00\xff\xff", 100_000) + "."), append(unclean(), scan.Clean), false},
			{"ten million marks", text("\x80\x04" + strings.Repeat("(", 10_000_000)), unclean(), false},
			{"doubling", text("\x80\x04)" + strings.Repeat("2\x86", 100_000) + "."), append(unclean(), scan.Clean), false},
			{"a million nested tuples", text("\x80\x04N" + strings.Repeat("\x85", 1_000_000) + "."), append(unclean(), scan.Clean), false},
			{"a hundred million values", func() []byte { return []byte("\x80\x04" + strings.Repeat("N", 100_000_000)) }, unclean(), true},
		}},
		{29, "innocent", []nasty{
			{"words", text("\x80\x04\x8c\x1cos.system and eval are words."), clean(), false},
			{"defaultdict of list", text("ccollections\ndefaultdict\n(c__builtin__\nlist\ntR."), clean(), false},
			{"complex", text("c__builtin__\ncomplex\n(F1.0\nF2.0\ntR."), clean(), false},
			{"text", text("os.system is a word\n"), clean(), false},
		}},
	}
}

package suite_test

import (
	"encoding/binary"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/scan"
)

// npy is a header of NumPy's format, version 2, that claims the length n.
func npy(header string, n uint32) string {
	return "\x93NUMPY\x02\x00" + string(binary.LittleEndian.AppendUint32(nil, n)) + header
}

func tensors(header string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header
}

// message is a field of protocol buffers that holds others.
func message(field protowire.Number, parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), all)
}

// onnxNested is a model whose graph lies so many graphs deep in attributes of nodes.
func onnxNested(depth int) []byte {
	graph := message(1, message(2, []byte("y")), message(4, []byte("Relu")), message(1, []byte("x")))
	for range depth {
		kind := protowire.AppendVarint(protowire.AppendTag(nil, 20, protowire.VarintType), 5)
		graph = message(1, message(4, []byte("If")), message(5, message(1, []byte("then_branch")), message(6, graph), kind))
	}
	version := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 8)
	return append(version, message(7, graph, message(2, []byte("g")))...)
}

// kerasNested is a Keras configuration with a Lambda so many models deep.
func kerasNested(depth int) string {
	one := `{"module":"keras.layers","class_name":"Lambda","config":{"function":{"class_name":"__lambda__","config":{"code":"4wAAAA==","defaults":null,"closure":null}}}}`
	for range depth {
		one = `{"module":"keras","class_name":"Sequential","config":{"layers":[` + one + `]}}`
	}
	return one
}

func formatClasses() []class {
	gguf := func(parts ...uint64) []byte {
		b := []byte("GGUF\x03\x00\x00\x00")
		for _, p := range parts {
			b = binary.LittleEndian.AppendUint64(b, p)
		}
		return b
	}
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, `"t%d":{"dtype":"F32","shape":[1],"data_offsets":[%d,%d]},`, i, i%7, i%7+4)
	}
	const one = `"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`
	savedModel := func(parts ...[]byte) []byte {
		version := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
		tags := message(1, message(4, []byte("serve")))
		return append(version, message(2, append([][]byte{tags}, parts...)...)...)
	}
	op := func(name string) []byte { return message(1, message(1, []byte("n")), message(2, []byte(name))) }
	var unknown []byte
	for range 100_000 {
		unknown = append(unknown, message(900, []byte("x"))...)
	}
	entities := `<!DOCTYPE p [<!ENTITY a0 "x">`
	for i := range 40 {
		entities += fmt.Sprintf(`<!ENTITY a%d "&a%d;&a%d;">`, i+1, i, i)
	}
	return []class{
		{20, "npy", []nasty{
			{"header of 4 GB", text(npy("{'descr'", 1<<32-1)), unclean(), false},
			{"header that is no literal", text(npy("__import__('os')\n", 17)), deceitful(), false},
			{"objects in a field", text(npy("{'descr': [('a', '<f8'), ('b', '|O')], 'fortran_order': False, 'shape': (1,)}\n", 78) + system + "."), bad(), false},
			{"brackets, 300 thousand", text(npy(strings.Repeat("[", 300_000), 300_000)), deceitful(), false},
		}},
		{21, "safetensors", []nasty{
			{"a name twice", text(tensors("{"+one+","+one+"}") + "x"), deceitful(), false},
			{"a product that overflows", text(tensors(`{"a":{"dtype":"F64","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,1]}}`) + "x"), deceitful(), false},
			{"header of 2^63", text("\x00\x00\x00\x00\x00\x00\x00\x80{\"__metadata__\":{}}"), deceitful(), false},
			{"a hundred thousand overlaps", text(tensors("{"+strings.TrimSuffix(many.String(), ",")+"}") + "0123456789"), deceitful(), false},
		}},
		{22, "GGUF", []nasty{
			{"2^60 tensors", func() []byte { return gguf(1<<60, 0) }, deceitful(), false},
			{"2^60 keys", func() []byte { return gguf(0, 1<<60) }, deceitful(), false},
			{"a name of 2^62", func() []byte { return gguf(0, 1, 1<<62) }, unclean(), false},
		}},
		{23, "ONNX", []nasty{
			{"a thousand graphs deep", func() []byte { return onnxNested(1000) }, deceitful(), false},
			{"a length of 2 GB", func() []byte { return append(onnxNested(1), "\x3a\xff\xff\xff\xff\x07"...) }, unclean(), false},
			{"one that is plain", func() []byte { return onnxNested(0) }, clean(), false},
		}},
		{24, "Keras", []nasty{
			{"lambda three deep", text(kerasNested(3)), bad(), false},
			{"lambda two thousand deep", text(kerasNested(2000)), unclean(), false},
		}},
		{25, "SavedModel", []nasty{
			{"PyFunc in the library alone", func() []byte {
				library := message(2, message(1, message(1, message(1, []byte("f"))), message(3, message(1, []byte("n")), message(2, []byte("PyFunc")))))
				return savedModel(message(2, op("Relu"), library))
			}, bad(), false},
			{"100,000 unknown fields", func() []byte { return savedModel(message(2, op("Relu"), unknown)) }, unclean(), false},
		}},
		{26, "PMML and trees", []nasty{
			{"entity bomb", text("<?xml version='1.0'?>" + entities + "]><PMML>&a40;</PMML>"), unclean(), false},
			{"a huge section of LightGBM", text("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nTree=0\nnum_leaves=2000000000\nnum_cat=0\nleaf_value=1\n\nend of trees\n"), unclean(), false},
			{"CatBoost, longer than the file", text("CBM1\xff\xff\xff\xffabcd"), []scan.Outcome{scan.Dangerous}, false},
		}},
	}
}

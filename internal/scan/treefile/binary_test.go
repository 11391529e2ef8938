package treefile_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/scantest"
)

// words appends numbers of four bytes.
func words(b []byte, n ...uint32) []byte {
	for _, v := range n {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// named appends a text behind its length.
func named(b []byte, text string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(text))), text...)
}

// node is one of XGBoost's: its children and its question.
type node struct{ left, right, question uint32 }

// stump is a tree of one question and two leaves.
func stump() []node { return []node{{1, 2, 1}, {1<<32 - 1, 1<<32 - 1, 0}, {1<<32 - 1, 1<<32 - 1, 0}} }

// xgboost is a model of one tree, for three features, as version 1 wrote it.
func xgboost(tree []node, group uint32) []byte {
	b := words(nil, 0, 3, 0, 1, 0, 1, 7, 1)
	b = append(b, make([]byte, 136-len(b))...)
	b = named(named(b, "binary:logistic"), "gbtree")
	b = append(words(b, 1), make([]byte, 156)...)
	b = append(words(b, 1, uint32(len(tree)), 0, 0, 3, 0), make([]byte, 124)...)
	for _, n := range tree {
		b = words(b, 0, n.left, n.right, n.question, 0)
	}
	b = append(b, make([]byte, 16*len(tree))...)
	b = words(b, group)
	b = binary.LittleEndian.AppendUint64(b, 1)
	return named(named(b, "note"), "os.system, and other words")
}

func TestXGBoost(t *testing.T) {
	change := func(at int, v uint32) []byte {
		b := xgboost(stump(), 0)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	with := func(i int, n node) []byte {
		tree := stump()
		tree[i] = n
		return xgboost(tree, 0)
	}
	const booster = 136 + 8 + 15 + 8 + 6
	plain := xgboost(stump(), 0)
	pickle := "\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94."
	for _, test := range []struct {
		name string
		b    []byte
		want scan.Outcome
		rule string
	}{
		{"a model", plain, scan.Clean, ""},
		{"with its mark", append([]byte("binf"), plain...), scan.Clean, ""},
		{"a node that was deleted", with(2, node{7, 7, 1<<32 - 1}), scan.Clean, ""},
		{"default direction", with(0, node{1, 2, 1<<31 | 2}), scan.Clean, ""},
		{"a child outside", with(0, node{1, 3, 1}), scan.Dangerous, "xgboost/node"},
		{"a child far outside", with(0, node{1 << 31, 2, 1}), scan.Dangerous, "xgboost/node"},
		{"a node below itself", with(1, node{0, 2, 1}), scan.Dangerous, "xgboost/node"},
		{"a circle", xgboost([]node{{1, 2, 0}, {3, 4, 0}, {1<<32 - 1, 0, 0}, {1, 2, 0}, {1<<32 - 1, 0, 0}}, 0), scan.Dangerous, "xgboost/node"},
		{"a feature outside", with(0, node{1, 2, 3}), scan.Dangerous, "xgboost/node"},
		{"an output outside", xgboost(stump(), 1), scan.Dangerous, "xgboost/group"},
		{"an output before the first", xgboost(stump(), 1<<32-1), scan.Dangerous, "xgboost/group"},
		{"outputs without an end", change(8, 1<<32-1), scan.Dangerous, "xgboost/count"},
		{"features without an end", change(4, 1<<32-1), scan.Dangerous, "xgboost/count"},
		{"two billion trees", change(booster, 1<<31-1), scan.Incomplete, "xgboost/count"},
		{"four billion trees", change(booster, 1<<32-1), scan.Incomplete, "xgboost/count"},
		{"two billion nodes", change(booster+160+4, 1<<31-1), scan.Incomplete, "xgboost/count"},
		{"no nodes", change(booster+160+4, 0), scan.Incomplete, "xgboost/count"},
		{"an objective of 2^32 bytes", change(136+4, 1), scan.Incomplete, ""},
		{"predictions of the first versions", change(booster+16, 1), scan.Incomplete, "xgboost/predictions"},
		{"a pickle behind", append(xgboost(stump(), 0), pickle...), scan.Dangerous, "xgboost/trailing-bytes"},
		{"a zip behind", append(xgboost(stump(), 0), "PK\x05\x06"+strings.Repeat("\x00", 18)...), scan.Dangerous, "xgboost/trailing-bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			scantest.Bounded(t, func() {
				all := scantest.Scan(t, scanner(), test.b)
				got := scantest.File(all)
				if got.Outcome != test.want || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) {
					t.Errorf("%+v, want %s by %q", got, test.want, test.rule)
				}
			})
		})
	}
	for n := 136 + 8 + 15 + 8 + 6; n < len(plain); n++ {
		if got := scantest.File(scantest.Scan(t, scanner(), plain[:n])); got.Outcome == scan.Clean {
			t.Errorf("the first %d bytes of %d are clean", n, len(plain))
		}
	}
}

// TestRecorded reads the binary files of XGBoost 1.7.6 that internal/tree is tested with.
func TestRecorded(t *testing.T) {
	f, err := os.Open("../../tree/testdata/old-1.7.6.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewReader(z)
	n := 0
	for {
		h, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(h.Name, ".model") {
			continue
		}
		b, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if got := scantest.File(scantest.Scan(t, scanner(), b)); got.Format != "xgboost-binary" || got.Outcome != scan.Clean || got.Coverage.Unread > 0 || got.Coverage.Opaque == 0 {
			t.Errorf("%s: %+v", h.Name, got)
		}
	}
	if n != 30 {
		t.Errorf("%d files, want 30", n)
	}
}

// model is one that bench/scanner/catboost_cases.py wrote with CatBoost 1.2.10, or with the version in its name.
func model(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".cbm.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCatBoost: each kind of model is clean and read to the last byte; cut anywhere, or with
// something behind, it is not.
func TestCatBoost(t *testing.T) {
	for _, name := range []string{"even", "depthwise", "lossguide", "categories", "means", "texts", "texts-1.2", "embeddings"} {
		b := model(t, name)
		if got := scantest.File(scantest.Scan(t, scanner(), b)); got.Outcome != scan.Clean || got.Coverage.Unread > 0 || got.Coverage.Opaque == 0 || got.Format != "catboost" {
			t.Errorf("%s: %+v", name, got)
		}
		for n := 4; n < len(b); n += 41 {
			if got := scantest.File(scantest.Scan(t, scanner(), b[:n])); got.Outcome == scan.Clean {
				t.Errorf("the first %d bytes of %d of %s are clean", n, len(b), name)
			}
		}
		all := scantest.Scan(t, scanner(), append(slices.Clip(b), "PK\x05\x06"+strings.Repeat("\x00", 18)...))
		if got := scantest.File(all); got.Outcome < scan.Incomplete || name != "embeddings" && got.Outcome != scan.Dangerous {
			t.Errorf("%s with something behind: %+v", name, got)
		}
		for at := 4; at+4 <= len(b); at += 76 {
			for _, v := range []uint32{1<<32 - 1, 1 << 31, 1 << 24} {
				changed := slices.Clone(b)
				binary.LittleEndian.PutUint32(changed[at:], v)
				scantest.Scan(t, scanner(), changed)
			}
		}
	}
}

// replace finds where a run of numbers stands in a model, and replaces one of them.
func replace(t *testing.T, b []byte, run []uint32, at int, v uint32) []byte {
	t.Helper()
	place := bytes.Index(b, words(nil, run...))
	if place < 0 {
		t.Fatalf("the numbers %v are not in the model", run)
	}
	b = slices.Clone(b)
	binary.LittleEndian.PutUint32(b[place+4*at:], v)
	return b
}

// TestCatBoostTrees: what a tree refers to has to be there.
func TestCatBoostTrees(t *testing.T) {
	even, depthwise := model(t, "even"), model(t, "depthwise")
	for _, test := range []struct {
		name string
		b    []byte
		rule string
	}{
		{"trees of another size", replace(t, even, []uint32{3, 3, 3, 3}, 1, 2), "catboost/count"},
		{"a tree of 2^31 levels", replace(t, even, []uint32{3, 3, 3, 3}, 3, 1<<31), "catboost/count"},
		{"trees that begin elsewhere", replace(t, even, []uint32{3, 0, 3, 6}, 2, 1<<30), "catboost/count"},
		{"a step of 65,535", replace(t, depthwise, []uint32{0x0002_0001}, 0, 0xffff_0001), "catboost/node"},
	} {
		all := scantest.Scan(t, scanner(), test.b)
		if got := scantest.File(all); got.Outcome != scan.Dangerous || !slices.Contains(scantest.Rules(all), test.rule) {
			t.Errorf("%s: %+v, want %s", test.name, got, test.rule)
		}
	}
}

package exact_test

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/assize/assize/internal/tree"
)

// data is the folder of outside test data, or skips.
func data(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "data", "trees")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("outside test data is absent: ", dir)
	}
	return dir
}

func open(t testing.TB, path string) io.Reader {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if !strings.HasSuffix(path, ".gz") {
		return bufio.NewReader(f)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

type dumpNode struct {
	Node      int             `json:"nodeid"`
	Split     json.RawMessage `json:"split"`
	Condition float64         `json:"split_condition"`
	Yes       int             `json:"yes"`
	Missing   int             `json:"missing"`
	Leaf      *float64        `json:"leaf"`
	Children  []dumpNode      `json:"children"`
}

// dump reads XGBoost's text dump in JSON.
func dump(t testing.TB, path string, features int) *tree.Ensemble {
	t.Helper()
	var roots []dumpNode
	if err := json.NewDecoder(open(t, path)).Decode(&roots); err != nil {
		t.Fatal(err)
	}
	e := &tree.Ensemble{Features: features, Outputs: 1, Single: true}
	for i := range roots {
		tr := tree.Tree{Weight: 1}
		var add func(n *dumpNode) int32
		add = func(n *dumpNode) int32 {
			at := int32(len(tr.Nodes))
			tr.Nodes = append(tr.Nodes, tree.Node{Feature: -1})
			if n.Leaf != nil {
				tr.Nodes[at].Left = int32(len(tr.Values))
				tr.Values = append(tr.Values, float64(float32(*n.Leaf)))
				return at
			}
			name := strings.TrimPrefix(strings.Trim(string(n.Split), `"`), "f")
			f, err := strconv.Atoi(name)
			if err != nil {
				t.Fatal(err)
			}
			yes, no := &n.Children[0], &n.Children[1]
			if yes.Node != n.Yes {
				yes, no = no, yes
			}
			l := add(yes)
			r := add(no)
			tr.Nodes[at] = tree.Node{Feature: int32(f), Left: l, Right: r, Threshold: n.Condition, Missing: tree.MissingNaN, MissingLeft: n.Missing == n.Yes}
			return at
		}
		add(&roots[i])
		e.Trees = append(e.Trees, tr)
	}
	return e
}

// rows reads LIBSVM rows; absent features are 0.
func rows(t testing.TB, path string, features int) [][]float32 {
	t.Helper()
	var out [][]float32
	sc := bufio.NewScanner(open(t, path))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		fields := strings.Fields(sc.Text())
		if len(fields) == 0 {
			continue
		}
		x := make([]float32, features)
		for _, p := range fields[1:] {
			k, v, _ := strings.Cut(p, ":")
			i, err := strconv.Atoi(k)
			if err != nil {
				t.Fatal(err)
			}
			w, err := strconv.ParseFloat(v, 32)
			if err != nil {
				t.Fatal(err)
			}
			x[i] = float32(w)
		}
		out = append(out, x)
	}
	return out
}

type answer struct {
	row, label, pred int
	margin, linf, ms float64
}

func answers(t testing.TB, path string) []answer {
	t.Helper()
	recs, err := csv.NewReader(open(t, path)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []answer
	for _, r := range recs[1:] {
		var a answer
		a.row, _ = strconv.Atoi(r[0])
		a.label, _ = strconv.Atoi(r[1])
		a.pred, _ = strconv.Atoi(r[2])
		a.margin, _ = strconv.ParseFloat(r[3], 64)
		a.linf, _ = strconv.ParseFloat(r[4], 64)
		a.ms, _ = strconv.ParseFloat(r[6], 64)
		out = append(out, a)
	}
	return out
}

package attack_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/attack"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// shared reads a file of the shared test data, unpacked.
func shared(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", name))
	if os.IsNotExist(err) {
		tb.Skipf("needs %s of the shared test data", name)
	}
	if err != nil {
		tb.Fatal(err)
	}
	if !strings.HasSuffix(name, ".gz") {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		tb.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		tb.Fatal(err)
	}
	return b
}

// images reads n images of MNIST's test set, 0 to 1, with their labels.
func images(tb testing.TB, n int) (x []float32, y []int) {
	tb.Helper()
	pixels := shared(tb, "mnist/t10k-images-idx3-ubyte.gz")
	labels := shared(tb, "mnist/t10k-labels-idx1-ubyte.gz")
	if binary.BigEndian.Uint32(pixels) != 0x803 {
		tb.Fatal("the images are of another format")
	}
	for _, v := range pixels[16 : 16+n*784] {
		x = append(x, float32(v)/255)
	}
	for _, v := range labels[8 : 8+n] {
		y = append(y, int(v))
	}
	return x, y
}

// network is a model under attack with rows that it decides rightly.
type network struct {
	model *model.Model
	grad  *model.Gradient
	rows  []attack.Row
	n     int // rows in all
}

// open opens a network that gives logits and picks the rows that it has right.
func open(tb testing.TB, name string, x []float32, y []int) *network {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "model.onnx")
	if err := os.WriteFile(path, shared(tb, name), 0o600); err != nil {
		tb.Fatal(err)
	}
	return openFile(tb, path, x, y)
}

// openFile is open for a model file.
func openFile(tb testing.TB, path string, x []float32, y []int) *network {
	tb.Helper()
	orttest.Load(tb)
	spec := &model.Spec{Path: path, Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax}}
	m, _, err := model.Open(tb.Context(), spec)
	if err != nil {
		tb.Fatal(err)
	}
	g, err := m.Gradient(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	net := &network{model: m, grad: g, n: len(y)}
	decided := make([]model.Decision, len(y))
	if err := m.Decide(tb.Context(), x, len(y), decided); err != nil {
		tb.Fatal(err)
	}
	w := m.Width()
	for i, label := range y {
		if int(decided[i]) == label {
			net.rows = append(net.rows, attack.Row{X: x[i*w : (i+1)*w], From: decided[i], Rand: measure.Seed{1}.Row(i)})
		}
	}
	if err := attack.Aim(tb.Context(), g, net.rows); err != nil {
		tb.Fatal(err)
	}
	return net
}

// box is the threat of a norm to images.
func box(width int, norm attack.Norm, epsilon float64) *attack.Threat {
	t := &attack.Threat{Norm: norm, Epsilon: epsilon, Lo: make([]float32, width), Hi: make([]float32, width)}
	for i := range t.Hi {
		t.Hi[i] = 1
	}
	return t
}

// attack runs plans one after another, each on the rows that still stand, and returns how many do.
func (n *network) attack(tb testing.TB, t *attack.Threat, plans ...attack.Plan) int {
	tb.Helper()
	rows := n.rows
	for _, p := range plans {
		found, err := attack.Run(tb.Context(), n.grad, t, p, rows, n.grad.Batch(), nil)
		if err != nil {
			tb.Fatal(err)
		}
		var standing []attack.Row
		for i, f := range found {
			if !f.Won || !f.Within(t.Epsilon) {
				standing = append(standing, rows[i])
				continue
			}
			var again [1]model.Decision
			if err := n.model.Decide(tb.Context(), f.X, 1, again[:]); err != nil {
				tb.Fatal(err)
			}
			if !n.model.Gains(rows[i].From, again[0]) || t.Distance(f.X, rows[i].X) > t.Epsilon*(1+1e-6) {
				tb.Errorf("a row that is said to gain is decided %v at distance %g", again[0], t.Distance(f.X, rows[i].X))
			}
			for j, v := range f.X {
				if v < t.Lo[j] || v > t.Hi[j] {
					tb.Fatalf("feature %d is %g, outside the box", j, v)
				}
			}
		}
		rows = standing
	}
	return len(rows)
}

// TestStrength counts the images of a dense network that stand after the
// white-box part of AutoAttack. The whole comparison with recorded figures
// takes minutes and is TestStrengthWhole.
func TestStrength(t *testing.T) {
	x, y := images(t, 40)
	n := open(t, "mnistfc/mnist-net_256x2.onnx.gz", x, y)
	for _, tt := range []struct {
		norm    attack.Norm
		epsilon float64
		most    int
	}{{attack.Linf, 0.05, 6}, {attack.L2, 0.7, 15}, {attack.L1, 5, 16}} {
		standing := n.attack(t, box(784, tt.norm, tt.epsilon), attack.Auto(tt.norm, 30, 3)...)
		t.Logf("%s %g: %d of %d stand", tt.norm, tt.epsilon, standing, n.n)
		if standing > tt.most {
			t.Errorf("%s %g: %d of %d images stand, want at most %d", tt.norm, tt.epsilon, standing, n.n, tt.most)
		}
	}
}

// TestStrengthWhole compares with the figures that the README files of the
// shared data give; see docs/performance.md.
func TestStrengthWhole(t *testing.T) {
	if os.Getenv("ASSIZE_STRENGTH") == "" {
		t.Skip("takes minutes: set ASSIZE_STRENGTH=1")
	}
	x, y := images(t, 200)
	check := func(name string, n *network, epsilon float64, most int) {
		start := time.Now()
		standing := n.attack(t, box(len(n.rows[0].X), attack.Linf, epsilon), attack.Auto(attack.Linf, 100, 9)...)
		t.Logf("%s at %.4g: %d of %d stand, %.1f s", name, epsilon, standing, n.n, time.Since(start).Seconds())
		if standing > most {
			t.Errorf("%s at %.4g: %d of %d stand, want at most %d", name, epsilon, standing, n.n, most)
		}
	}
	var bracket []struct {
		Net    string  `json:"net"`
		Eps    float64 `json:"eps"`
		Robust int     `json:"pgd100x6_robust"`
	}
	if err := json.Unmarshal(shared(t, "mnistfc/bracket_first200.json"), &bracket); err != nil {
		t.Fatal(err)
	}
	nets := map[string]*network{}
	for _, b := range bracket {
		if nets[b.Net] == nil {
			nets[b.Net] = open(t, "mnistfc/mnist-net_"+b.Net+".onnx.gz", x, y)
		}
		check(b.Net, nets[b.Net], b.Eps, b.Robust)
	}
	for _, c := range []struct {
		folder, net string
		channels    int
		epsilon     float64
		most        int
	}{{"mnist-nets", "mnist_cnn_a_adv", 1, 0.3, 154}, {"cifar-nets", "cifar_cnn_a_adv", 3, 2.0 / 255, 101}} {
		x, y := planes(t, c.folder, c.channels)
		check(c.net, open(t, c.folder+"/"+c.net+".onnx.gz", x, y), c.epsilon, c.most)
	}
}

// planes reads the 200 images of a folder and turns them from NHWC to NCHW.
func planes(tb testing.TB, folder string, channels int) (x []float32, y []int) {
	tb.Helper()
	body := func(b []byte) []byte { return b[10+int(binary.LittleEndian.Uint16(b[8:])):] }
	raw, labels := shared(tb, folder+"/X_sdp.npy.gz"), shared(tb, folder+"/y_sdp.npy")
	if !bytes.Contains(raw[:128], []byte("'<f4', 'fortran_order': False")) {
		tb.Fatalf("the images are of another type: %q", raw[:128])
	}
	raw = body(raw)
	size := len(raw) / 4 / 200 / channels
	for i := range 200 {
		for c := range channels {
			for p := range size {
				at := 4 * ((i*size+p)*channels + c)
				x = append(x, math.Float32frombits(binary.LittleEndian.Uint32(raw[at:])))
			}
		}
	}
	labels = body(labels)
	for i := range 200 {
		y = append(y, int(labels[i*len(labels)/200]))
	}
	return x, y
}

// Command whitebox runs a white-box attack on one network, in one process and
// without a sandbox, and prints a JSON line with what it reached. It is one side of
// the comparison that README.md describes.
package main

import (
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/assize/assize/internal/attack"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/probes/evasion"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "whitebox:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	task := flag.String("task", "auto", "auto: the white-box part of AutoAttack; ensemble: the probes evasion/autoattack and evasion/square, row by row the worse; pgd: projected gradient descent on cross-entropy")
	network := flag.String("network", "", "digits, or the path of an MNIST network in ONNX, also gzipped")
	mnist := flag.String("mnist", "", "folder of the MNIST test images")
	epsilon := flag.Float64("epsilon", 0.05, "size of the ball in L-inf")
	n := flag.Int("rows", 200, "images")
	steps := flag.Int("steps", 100, "steps of an attack")
	workers := flag.Int("workers", 1, "models that work side by side, one thread each")
	early := flag.Bool("early", true, "a row is done when it is broken, not when its steps are over")
	flag.Parse()
	source, err := ort.DefaultSource(os.Stderr)
	if err != nil {
		return err
	}
	library, err := ort.Locate(ctx, source)
	if err != nil {
		return err
	}
	if _, err := model.LoadRuntime(library); err != nil {
		return err
	}
	x, y, err := images(ctx, *network, *mnist, *n)
	if err != nil {
		return err
	}
	file := *network
	if file == "digits" {
		file = filepath.Join("examples", "digits", "model.onnx")
	}
	if strings.HasSuffix(file, ".gz") {
		if file, err = unpacked(file); err != nil {
			return err
		}
		defer os.Remove(file)
	}
	if *task == "ensemble" {
		return ensemble(ctx, file, x, y, *epsilon, *steps)
	}
	plans := attack.Auto(attack.Linf, *steps, 9)
	if *task == "pgd" {
		plans = []attack.Plan{{Method: attack.PGD{Steps: *steps}, Loss: model.CrossEntropy}}
	}
	sides := make([]*side, *workers)
	for k := range sides {
		if sides[k], err = open(ctx, file, x, y, k, *workers, plans, *epsilon, !*early); err != nil {
			return err
		}
	}
	start, before := time.Now(), spent()
	var wait sync.WaitGroup
	for _, s := range sides {
		wait.Go(func() { s.err = s.attack(ctx, plans, *epsilon) })
	}
	wait.Wait()
	seconds := time.Since(start).Seconds()
	total := side{}
	for _, s := range sides {
		if s.err != nil {
			return s.err
		}
		total.clean, total.standing, total.steps = total.clean+s.clean, total.standing+s.standing, total.steps+s.steps
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"rows": *n, "clean": total.clean, "standing": total.standing, "seconds": seconds, "rows_per_second": float64(*n) / seconds,
		"steps": total.steps, "processor": (spent() - before).Seconds(),
	})
}

// side is one model with its part of the rows.
type side struct {
	grad                   oracle
	batch                  int
	rows                   []attack.Row
	clean, standing, steps int
	err                    error
}

// oracle hides which rows have won where steps are not to end early.
type oracle struct {
	*model.Gradient
	full bool
}

func (o oracle) Evaluate(ctx context.Context, loss model.Loss, x []float32, aims []model.Aim, into *model.Slopes) error {
	return o.hide(o.Gradient.Evaluate(ctx, loss, x, aims, into), into)
}

func (o oracle) Advance(ctx context.Context, loss model.Loss, x []float32, aims []model.Aim, step *model.Step, into *model.Slopes) error {
	return o.hide(o.Gradient.Advance(ctx, loss, x, aims, step, into), into)
}

func (o oracle) hide(err error, into *model.Slopes) error {
	if o.full {
		clear(into.Won)
	}
	return err
}

func open(ctx context.Context, file string, x []float32, y []int, k, of int, plans []attack.Plan, epsilon float64, full bool) (*side, error) {
	m, _, err := model.Open(ctx, &model.Spec{Path: file, Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax}})
	if err != nil {
		return nil, err
	}
	g, err := m.Gradient(ctx)
	if err != nil {
		return nil, err
	}
	w := m.Width()
	s := &side{grad: oracle{g, full}, batch: g.Batch()}
	decided := make([]model.Decision, len(y))
	if err := m.Decide(ctx, x, len(y), decided); err != nil {
		return nil, err
	}
	for i := k; i < len(y); i += of {
		if full || int(decided[i]) == y[i] { // the peer attacks rows that are wrong too
			s.rows = append(s.rows, attack.Row{X: x[i*w : (i+1)*w], From: model.Decision(y[i]), Rand: measure.Seed{1}.Row(i)})
		}
		if int(decided[i]) == y[i] {
			s.clean++
		}
	}
	if err := attack.Aim(ctx, g, s.rows); err != nil {
		return nil, err
	}
	t := threat(w, epsilon)
	for _, p := range plans { // starting up is not counted
		row := []attack.Row{s.rows[0]}
		row[0].Rand = measure.Seed{1}.Row(len(y))
		if _, err := attack.Run(ctx, s.grad, t, p, row, 1, nil); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *side) attack(ctx context.Context, plans []attack.Plan, epsilon float64) error {
	t := threat(len(s.rows[0].X), epsilon)
	rows := s.rows
	for _, p := range plans {
		found, err := attack.Run(ctx, s.grad, t, p, rows, s.batch, nil)
		if err != nil {
			return err
		}
		var standing []attack.Row
		for i := range found {
			s.steps += found[i].Steps
			if !found[i].Within(epsilon) {
				standing = append(standing, rows[i])
			}
		}
		rows = standing
	}
	s.standing = len(rows)
	return nil
}

// threat is the ball in L-inf inside the box from 0 to 1.
func threat(width int, epsilon float64) *attack.Threat {
	t := &attack.Threat{Norm: attack.Linf, Epsilon: epsilon, Lo: make([]float32, width), Hi: make([]float32, width)}
	for i := range t.Hi {
		t.Hi[i] = 1
	}
	return t
}

// ensemble runs the two probes that together are AutoAttack, on the rows that
// the network has right, and counts what stands both.
func ensemble(ctx context.Context, file string, x []float32, y []int, epsilon float64, steps int) error {
	width := len(x) / len(y)
	d := &model.Domain{Confirmed: true}
	for i := range width {
		d.Features = append(d.Features, domain.Feature{Name: fmt.Sprint("pixel", i), Type: domain.Real, Max: 1, Mutable: domain.Yes})
	}
	m, _, err := model.Open(ctx, &model.Spec{
		Path: file, Input: model.Input{Layout: "nchw"}, Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax}, Domain: d,
	})
	if err != nil {
		return err
	}
	data := &dataset.Table{Width: width, X: x, Y: y}
	for i := range y {
		data.Index = append(data.Index, i)
	}
	ours := measure.Params{"norm": "linf", "epsilon": epsilon, "unit": "raw", "steps": float64(steps), "targets": 9.0, "tested": 0.0, "queries": 5000.0, "window": 0.8}
	standing, out := len(y), map[string]any{"rows": len(y)}
	broken := make([]bool, len(y))
	for _, p := range evasion.Probes() {
		if p.ID != "evasion/autoattack" && p.ID != "evasion/square" {
			continue
		}
		params := measure.Params{}
		for _, q := range p.Params {
			if params[q.Name] = q.Default("thorough"); ours[q.Name] != nil {
				params[q.Name] = ours[q.Name]
			}
		}
		start := time.Now()
		r, err := p.Run(ctx, &measure.Case{Params: params, Model: m, Domain: m.Domain(), Data: data, Index: data.Index, Seed: measure.Seed{1}})
		if err != nil {
			return err
		}
		stands := 0
		for i, v := range r.Rows.Column("stands") {
			stands += int(v)
			if v == 0 && !broken[i] {
				broken[i] = true
				standing--
			}
		}
		out[p.ID], out[p.ID+" seconds"] = stands, time.Since(start).Seconds()
	}
	out["standing"] = standing
	return json.NewEncoder(os.Stdout).Encode(out)
}

// images reads the rows and their labels.
func images(ctx context.Context, network, mnist string, n int) (x []float32, y []int, err error) {
	if network == "digits" {
		index := make([]int, n)
		for i := range index {
			index[i] = i
		}
		t, err := dataset.Select(ctx, dataset.Spec{Path: filepath.Join("examples", "digits", "test.npz"), Input: "x", Label: "y"}, index)
		if err != nil {
			return nil, nil, err
		}
		return t.X, t.Y, nil
	}
	pixels, err := unzip(filepath.Join(mnist, "t10k-images-idx3-ubyte.gz"))
	if err != nil {
		return nil, nil, err
	}
	labels, err := unzip(filepath.Join(mnist, "t10k-labels-idx1-ubyte.gz"))
	if err != nil {
		return nil, nil, err
	}
	if len(pixels) < 16+784*n || len(labels) < 8+n || binary.BigEndian.Uint32(pixels) != 0x803 {
		return nil, nil, fmt.Errorf("read images: %s holds no %d images of MNIST", mnist, n)
	}
	for _, v := range pixels[16 : 16+784*n] {
		x = append(x, float32(v)/255)
	}
	for _, v := range labels[8 : 8+n] {
		y = append(y, int(v))
	}
	return x, y, nil
}

func unzip(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	return io.ReadAll(z)
}

// unpacked writes a gzipped file out and returns where.
func unpacked(path string) (string, error) {
	b, err := unzip(path)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "*.onnx")
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return f.Name(), err
}

// spent is the processor time of the process so far.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

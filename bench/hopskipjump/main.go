// Command hopskipjump runs evasion/hopskipjump, or another probe that attacks row
// by row, on one target, in one process and without a sandbox, and prints a JSON line with what it reached. It is one
// side of the comparisons that README.md and ../square/README.md describe.
package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/probes/evasion"
)

func main() {
	target := flag.String("target", "digits", "credit, digits, or the path of an MNIST network in ONNX")
	root := flag.String("root", ".", "the repository")
	id := flag.String("probe", "evasion/hopskipjump", "the probe")
	epsilon := flag.Float64("epsilon", 0.05, "the largest change that counts")
	norm := flag.String("norm", "l2", "l2 or linf")
	rows := flag.Int("rows", 20, "rows to attack: the first of the test set")
	queries := flag.Int("queries", 1000, "budget of each row")
	profile := flag.String("cpuprofile", "", "file for a CPU profile")
	flag.Parse()
	if err := run(context.Background(), *target, *root, *id, measure.Params{"norm": *norm, "epsilon": *epsilon, "unit": "range", "queries": float64(*queries)}, *rows, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "hopskipjump:", err)
		os.Exit(1)
	}
}

// outcome is the line that is printed.
type outcome struct {
	Queries          float64    `json:"queries"`
	QueriesPerRow    float64    `json:"queries_per_row"`
	Seconds          float64    `json:"seconds"`
	CPUSeconds       float64    `json:"cpu_seconds"`
	QueriesPerSecond float64    `json:"queries_per_second"` // of CPU
	Distances        []*float64 `json:"distances"`          // by row; null where nothing gained
	Broken           int        `json:"broken"`             // rows broken within epsilon
}

func run(ctx context.Context, target, root, id string, over measure.Params, rows int, profile string) error {
	spec, data, err := load(ctx, target, root, rows)
	if err != nil {
		return err
	}
	source, err := ort.DefaultSource(os.Stderr)
	if err != nil {
		return err
	}
	library, err := ort.Locate(ctx, source)
	if err != nil {
		return err
	}
	if err := ort.Load(library); err != nil {
		return err
	}
	m, _, err := model.Open(ctx, spec)
	if err != nil {
		return err
	}
	probes := evasion.Probes()
	probe := probes[slices.IndexFunc(probes, func(p measure.Probe) bool { return p.ID == id })]
	params := measure.Params{}
	for _, p := range probe.Params {
		params[p.Name] = p.Standard
	}
	maps.Copy(params, over)
	c := &measure.Case{Params: params, Model: m, Domain: m.Domain(), Data: data, Index: data.Index, Seed: measure.Seed{1}}

	// The labels are what the model says, so that every row is attackable: ART attacks all of them too.
	var a model.Answers
	if err := m.Predict(ctx, data.X, data.Len(), &a); err != nil {
		return err
	}
	data.Y = make([]int, data.Len())
	for i := range data.Y {
		data.Y[i] = m.ClassOf(m.Decision(&a, i), &a, i)
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	before, start, used := m.Queries(), time.Now(), cpu()
	r, err := probe.Run(ctx, c)
	if err != nil {
		return err
	}
	o := outcome{Seconds: time.Since(start).Seconds(), CPUSeconds: (cpu() - used).Seconds(), Queries: float64(m.Queries() - before)}
	o.QueriesPerRow = o.Queries / float64(data.Len())
	o.QueriesPerSecond = o.Queries / o.CPUSeconds
	o.Distances = make([]*float64, data.Len())
	for i, d := range r.Rows.Column("distance") {
		if r.Rows.Column("gained")[i] == 1 && r.Rows.Column("rechecked")[i] == 1 {
			o.Distances[i] = &d
		}
	}
	for _, b := range r.Rows.Column("broken") {
		o.Broken += int(b)
	}
	return json.NewEncoder(os.Stdout).Encode(o)
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// load reads a target as a box: every feature real, free and without relations, as the peer takes it.
func load(ctx context.Context, target, root string, rows int) (*model.Spec, *dataset.Table, error) {
	index := make([]int, rows)
	for i := range index {
		index[i] = i
	}
	if target != "credit" && target != "digits" {
		return mnist(target, index)
	}
	m, err := manifest.Load(ctx, filepath.Join(root, "examples", target, "assize.yaml"))
	if err != nil {
		return nil, nil, err
	}
	test, _ := m.Artefact("test")
	file, _ := m.Artefact("model")
	declared, err := m.BuildDomain()
	if err != nil {
		return nil, nil, err
	}
	data, err := dataset.Select(ctx, dataset.Spec{
		Path: filepath.Join(m.Dir, test.Path), Features: declared.Features(), Input: test.Input,
		Label: test.Label, Classes: m.Interface.Output.Classes,
	}, index)
	if err != nil {
		return nil, nil, err
	}
	var features []domain.Feature
	for _, f := range declared.Features() {
		features = append(features, domain.Feature{Name: f.Name, Type: domain.Real, Min: f.Min, Max: f.Max, Mutable: domain.Yes})
	}
	kind := model.Logits
	if target == "credit" {
		kind = model.Probabilities
	}
	return spec(filepath.Join(m.Dir, file.Path), m.Interface.Output.Tensor, kind, features, data.Shape), data, nil
}

func spec(path, output string, kind model.Kind, features []domain.Feature, shape []int) *model.Spec {
	layout := "columns"
	if len(shape) == 3 {
		layout = "nchw"
	}
	return &model.Spec{
		Path: path, Input: model.Input{Layout: layout, Shape: shape}, Output: model.Output{Tensor: output, Kind: kind},
		Rule: model.Rule{Kind: model.Argmax}, Domain: &model.Domain{Features: features},
	}
}

// mnist reads the first images of the MNIST test set, which lies beside the folder of the network.
func mnist(path string, index []int) (*model.Spec, *dataset.Table, error) {
	const width = 28 * 28
	f, err := os.Open(filepath.Join(filepath.Dir(path), "../mnist/t10k-images-idx3-ubyte.gz"))
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, err
	}
	raw := make([]byte, 16+len(index)*width)
	if _, err := io.ReadFull(z, raw); err != nil {
		return nil, nil, err
	}
	data := &dataset.Table{Width: width, Shape: []int{1, 28, 28}, Index: index}
	for _, b := range raw[16:] {
		data.X = append(data.X, float32(b)/255)
	}
	var features []domain.Feature
	for i := range width {
		features = append(features, domain.Feature{Name: fmt.Sprintf("p%d", i), Type: domain.Real, Max: 1, Mutable: domain.Yes})
	}
	return spec(path, "", model.Logits, features, data.Shape), data, nil
}

package worker_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort/orttest"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/worker"
	"github.com/assize/assize/internal/worker/sandbox"
)

// The test binary is its own worker.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == worker.Argument {
		os.Exit(worker.Main(probes()))
	}
	os.Exit(m.Run())
}

var self = worker.Command{Path: os.Args[0], Args: []string{worker.Argument}}

// escapes are what a model that took over the process would try. Each returns nil where it gets out.
func escapes() map[string]func(measure.Params) error {
	return map[string]func(measure.Params) error{
		"read another file": func(measure.Params) error { _, err := os.ReadFile("/etc/passwd"); return err },
		"list a folder":     func(measure.Params) error { _, err := os.ReadDir("/"); return err },
		"write a file":      func(p measure.Params) error { return os.WriteFile(p.Text("folder")+"/out", []byte("x"), 0o600) },
		"change the model":  func(p measure.Params) error { return os.WriteFile(p.Text("model"), []byte("x"), 0o600) },
		"connect by TCP":    func(p measure.Params) error { return dial("tcp", p.Text("address")) },
		"send by UDP":       func(p measure.Params) error { return dial("udp", p.Text("address")) },
		"start a program":   func(measure.Params) error { return exec.Command("/bin/true").Run() },
		"fork":              func(measure.Params) error { _, _, e := syscall.RawSyscall(syscall.SYS_FORK, 0, 0, 0); return number(e) },
		"signal the parent": func(measure.Params) error { return syscall.Kill(os.Getppid(), 0) },
		"trace the parent":  func(measure.Params) error { return syscall.PtraceAttach(os.Getppid()) },
		"use a unix socket": func(measure.Params) error { return dial("unix", "@assize-test") },
		"read the parent's memory": func(measure.Params) error {
			_, err := os.Open("/proc/" + "self" + "/../1/mem")
			return err
		},
	}
}

func number(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

func dial(network, address string) error {
	c, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte("x"))
	return err
}

func probes() []measure.Probe {
	once := func(id string, needs measure.Needs, run func(context.Context, *measure.Case) (*result.Result, error)) measure.Probe {
		return measure.Probe{ID: id, Version: 1, Doc: "Test.", Needs: needs, Run: run}
	}
	return []measure.Probe{
		once("test/escape", measure.Needs{Model: true}, func(_ context.Context, c *measure.Case) (*result.Result, error) {
			r := &result.Result{State: result.Measured}
			for name, try := range escapes() {
				if err := try(c.Params); err == nil {
					r.Notes = append(r.Notes, name)
				}
			}
			return r, nil
		}),
		once("test/allocate", measure.Needs{Model: true}, func(context.Context, *measure.Case) (*result.Result, error) {
			b := make([]byte, 3<<30)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			return &result.Result{State: result.Measured}, nil
		}),
		once("test/predict", measure.Needs{Model: true, Data: true}, predict),
	}
}

// predict asks for the same batch again and again and reports the seconds of the fastest call, with the first score.
func predict(ctx context.Context, c *measure.Case) (*result.Result, error) {
	x, n := c.Data.X, c.Data.Len()
	var a model.Answers
	fastest := math.Inf(1)
	for range c.Params.Int("calls") {
		start := time.Now()
		if err := c.Model.Predict(ctx, x, n, &a); err != nil {
			return nil, err
		}
		fastest = min(fastest, time.Since(start).Seconds())
	}
	return &result.Result{State: result.Measured, Metrics: map[string]result.Metric{
		"seconds": result.Exactly(fastest, n, "seconds"),
		"score":   result.Exactly(float64(a.Scores[0]), n, "score"),
	}}, nil
}

func digits(t testing.TB) worker.Setup {
	t.Helper()
	folder, err := filepath.Abs("../../examples/digits")
	if err != nil {
		t.Fatal(err)
	}
	return worker.Setup{
		Library: orttest.Library(t), MemoryBytes: 1 << 30, CPUSeconds: 600,
		Model: &model.Spec{
			Path: filepath.Join(folder, "model.onnx"), Input: model.Input{Layout: "nchw"},
			Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax, Positive: 1},
		},
		Data: &dataset.Spec{Path: filepath.Join(folder, "test.npz"), Input: "x", Label: "y"},
	}
}

func start(t testing.TB, setup worker.Setup) *worker.Process {
	t.Helper()
	p, err := worker.Start(t.Context(), self, setup)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	if p.Ready.Error != "" {
		t.Fatal(p.Ready.Error)
	}
	return p
}

func job(id string, params measure.Params) (*measure.Probe, *worker.Job) {
	for _, p := range probes() {
		if p.ID == id {
			return &p, &worker.Job{Probe: id, Params: params, Seed: make([]byte, 32), Index: []int{0, 1, 2}}
		}
	}
	panic(id)
}

func TestNothingGetsOut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	setup := digits(t)
	copied := filepath.Join(t.TempDir(), "model.onnx")
	b, err := os.ReadFile(setup.Model.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, b, 0o600); err != nil {
		t.Fatal(err)
	}
	setup.Model.Path = copied
	p := start(t, setup)
	if len(p.Ready.Sandbox.Missing) > 0 {
		t.Skipf("this kernel lacks parts of the sandbox: %q", p.Ready.Sandbox.Missing)
	}
	params := measure.Params{"folder": t.TempDir(), "model": copied, "address": listener.Addr().String()}
	probe, j := job("test/escape", params)
	done, err := p.Run(t.Context(), probe, j, nil)
	if err != nil || done.Error != "" {
		t.Fatal(err, done)
	}
	if len(done.Result.Notes) > 0 {
		t.Errorf("got out by: %q", done.Result.Notes)
	}
	// The same attempts work where nothing confines them, so the test above can fail.
	for _, name := range []string{"read another file", "list a folder", "write a file", "connect by TCP", "send by UDP", "start a program", "signal the parent"} {
		if err := escapes()[name](params); err != nil {
			t.Errorf("%s fails without a sandbox too: %v", name, err)
		}
	}
}

func TestAllocatingTooMuchIsSaidSo(t *testing.T) {
	probe, j := job("test/allocate", nil)
	_, err := start(t, digits(t)).Run(t.Context(), probe, j, nil)
	var death *worker.Death
	if !errors.As(err, &death) || death.Cause.Kind != sandbox.OutOfMemory {
		t.Errorf("got %v, want a death by memory", err)
	}
}

func TestModelsThatDoNotOpenLeaveTheWorkerAlive(t *testing.T) {
	setup := digits(t)
	setup.Model.Path = filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(setup.Model.Path, []byte("\x80\x04\x95"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := worker.Start(t.Context(), self, setup)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if !strings.Contains(p.Ready.Error, "never unpickles") {
		t.Errorf("got %q", p.Ready.Error)
	}
	probe, j := job("test/predict", nil)
	done, err := p.Run(t.Context(), probe, j, nil)
	if err != nil || !strings.Contains(done.Error, "not open") {
		t.Errorf("got %+v, %v", done, err)
	}
}

func TestKindsThatCannotBe(t *testing.T) {
	setup := digits(t)
	setup.Model.Output.Kind = model.Probabilities
	p, err := worker.Start(t.Context(), self, setup)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if !strings.Contains(p.Ready.Error, "interface.output.kind") {
		t.Errorf("logits declared as probabilities: got %q", p.Ready.Error)
	}
}

// TestNoOrphans: a child that is in the middle of a job ends when its parent is gone.
func TestNoOrphans(t *testing.T) {
	r, w := io.Pipe()
	ended := make(chan struct{})
	seen := worker.Watched(r, func() { close(ended) })
	go func() {
		if _, err := io.WriteString(w, "a job\n"); err != nil {
			t.Error(err)
		}
		w.Close()
	}()
	if line, err := bufio.NewReader(io.LimitReader(seen, 6)).ReadString('\n'); err != nil || line != "a job\n" {
		t.Fatalf("%q, %v", line, err)
	}
	select { // nobody reads on: the child is at work
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the end of the pipe is not noticed")
	}
}

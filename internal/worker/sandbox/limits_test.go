//go:build linux

package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/assize/assize/internal/worker/sandbox"
)

func TestWhatMustStillWork(t *testing.T) {
	for _, name := range []string{"nothing", "read handed file", "list handed folder", "threads", "write to output"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := field(t)
			got := start(t, order{Action: name, Enter: true, Policy: usual(args["folder"]), Args: args})
			if len(got.reply.Errors) != 1 || got.reply.Errors[0] != "" {
				t.Errorf("got %q (%v), want success\n%s", got.reply.Errors, got.state, got.stderr)
			}
			if s := got.reply.Status; !s.Limits || (s.Landlock > 0 && s.Seccomp) != (len(s.Missing) == 0) {
				t.Errorf("status: got %+v, want what is missing to be said", s)
			}
		})
	}
	args := field(t)
	got := start(t, order{Action: "read handed file", Enter: true, Policy: usual(args["file"]), Args: args})
	if len(got.reply.Errors) != 1 || got.reply.Errors[0] != "" {
		t.Errorf("one file handed over: got %q, want success", got.reply.Errors)
	}
}

func TestEndings(t *testing.T) {
	tests := []struct {
		action       string
		cpu          time.Duration
		kind         sandbox.Kind
		signal, says string
	}{
		{"allocate in Go", 20 * time.Second, sandbox.OutOfMemory, "", "memory"},
		{"burn", time.Second, sandbox.CPULimit, "SIGXCPU", "processor time"},
		{"exit 7", 20 * time.Second, sandbox.Exited, "", "status 7"},
		{"nothing", 20 * time.Second, sandbox.Exited, "", "status 0"},
		{"panic", 20 * time.Second, sandbox.Crashed, "", "broken"},
		{"stack", 20 * time.Second, sandbox.OutOfMemory, "", "memory"},
		{"fault", 20 * time.Second, sandbox.Crashed, "SIGSEGV", "SIGSEGV"},
		{"abort", 20 * time.Second, sandbox.Crashed, "SIGABRT", "SIGABRT"},
		{"die", 20 * time.Second, sandbox.Killed, "SIGKILL", "killed"},
	}
	for _, tt := range tests {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			o := order{Action: tt.action, Enter: true, Policy: usual()}
			o.Policy.CPU = tt.cpu
			end := start(t, o)
			got := sandbox.Classify(end.state, []byte(end.stderr), false)
			if got.Kind != tt.kind || got.Signal != tt.signal || !strings.Contains(got.Sentence, tt.says) {
				t.Errorf("got %+v, want %s %q %q\n%s", got, tt.kind, tt.signal, tt.says, end.stderr)
			}
			if got := sandbox.Classify(end.state, nil, true).Kind; got != sandbox.TimeLimit {
				t.Errorf("timed out: got %s, want %s", got, sandbox.TimeLimit)
			}
		})
	}
}

func TestMemoryIsRefusedNotFatal(t *testing.T) {
	o := order{Action: "map memory", Enter: true, Policy: usual()}
	if got := start(t, o).reply.Errors; len(got) != 1 || !strings.Contains(got[0], "cannot allocate memory") {
		t.Errorf("inside: got %q, want a refusal", got)
	}
	o.Enter = false
	if got := start(t, o).reply.Errors; len(got) != 1 || got[0] != "" {
		t.Errorf("outside: got %q, want success", got)
	}
}

func TestStrayDescriptors(t *testing.T) {
	for _, name := range []string{"socket before", "writable file before"} {
		args := field(t)
		o := order{Action: name, Enter: true, Policy: usual(), Args: args}
		if got := start(t, o); got.state.ExitCode() != 3 || !strings.Contains(got.stderr, "reaches outside") {
			t.Errorf("%s: got %v %q, want a refusal to enter", name, got.state, got.stderr)
		}
		o.Enter = false
		if got := start(t, o).reply.Errors; len(got) != 1 || got[0] != "" {
			t.Errorf("%s, outside: got %q, want success", name, got)
		}
	}
}

func TestPrepareKeepsDescriptorsBack(t *testing.T) {
	fd, err := unix.Dup(2) // without close-on-exec, as another program may leave one
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	o := order{Action: "descriptors"}
	if got := start(t, o).reply.Errors; len(got) != 1 || got[0] != "" {
		t.Errorf("prepared: got %q, want none", got)
	}
	cmd := command(t, o)
	if err := unix.Dup3(2, fd, 0); err != nil { // open for the child again
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "inherited") {
		t.Errorf("control: got %s, %v, want an inherited descriptor", out, err)
	}
}

func TestPrepareKeepsEnvironmentBack(t *testing.T) {
	t.Setenv("ASSIZE_TEST_SECRET", "x")
	cmd := command(t, order{Action: "nothing"})
	for _, v := range cmd.Env {
		if strings.Contains(v, "SECRET=") || strings.HasPrefix(v, "HOME=") {
			t.Errorf("got %q in the child's environment", v)
		}
	}
}

func TestEnterRefusesUnboundedPolicies(t *testing.T) {
	for name, p := range map[string]sandbox.Policy{
		"no memory":    {CPU: time.Second},
		"no time":      {MemoryBytes: 1 << 30},
		"descriptors":  {MemoryBytes: 1 << 30, CPU: time.Second, OpenFiles: -1},
		"missing file": usual("/no/such/file"),
	} {
		if got := start(t, order{Action: "nothing", Enter: true, Policy: p}); got.state.ExitCode() != 3 ||
			!strings.Contains(got.stderr, "enter sandbox") {
			t.Errorf("%s: got %v %q, want an error", name, got.state, got.stderr)
		}
	}
}

// TestThreadsOfC builds a program whose C threads exist before Enter; cgo
// cannot be used in test files themselves.
func TestThreadsOfC(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler")
	}
	program := filepath.Join(t.TempDir(), "cthreads")
	build := exec.Command("go", "build", "-o", program, "./testdata/cthreads")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, tt := range []struct{ mode, want string }{
		{"outside", "open 0, socket 0, thread 0\n"},
		{"inside", "open 13, socket 1, thread 0\n"}, // EACCES of landlock, EPERM of the filter
	} {
		cmd := exec.Command(program, tt.mode)
		if err := sandbox.Prepare(cmd); err != nil {
			t.Fatal(err)
		}
		out, err := cmd.CombinedOutput()
		if got, want := string(out), strings.Repeat(tt.want, 4); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", tt.mode, got, err, want)
		}
	}
}

//go:build linux

package sandbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assize/assize/internal/worker/sandbox"
)

// order tells a re-executed test binary what to do as the child.
type order struct {
	Action string
	Enter  bool
	// Threads is how many threads are made before Enter to try the action
	// from each of them; 0 tries it from the main goroutine.
	Threads int
	Policy  sandbox.Policy
	// Args go to the action: addresses, paths, a process id.
	Args map[string]string
}

// reply is what the child answers on standard output.
type reply struct {
	Status sandbox.Status
	Errors []string // one for each try; "" where it succeeded
}

const orderVar = "ASSIZE_SANDBOX_TEST"

func TestMain(m *testing.M) {
	if text := os.Getenv(orderVar); text != "" {
		os.Exit(child(text))
	}
	os.Exit(m.Run())
}

func child(text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	run := actions()[o.Action](o.Args)
	var r reply
	begin := make(chan struct{})
	var ready, done sync.WaitGroup
	errs := make([]error, max(o.Threads, 1))
	for i := range o.Threads {
		ready.Add(1)
		done.Go(func() {
			runtime.LockOSThread()
			ready.Done()
			<-begin
			errs[i] = run()
		})
	}
	ready.Wait()
	if o.Enter {
		var err error
		if r.Status, err = sandbox.Enter(o.Policy); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 3
		}
	}
	close(begin)
	if o.Threads == 0 {
		errs[0] = run()
	}
	done.Wait()
	for _, err := range errs {
		s := ""
		if err != nil {
			s = err.Error()
		}
		r.Errors = append(r.Errors, s)
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// outcome is how a child ended.
type outcome struct {
	reply  reply
	state  *os.ProcessState
	stderr string
}

// start runs a child to its end, at most ten seconds.
func start(t *testing.T, o order) outcome {
	t.Helper()
	cmd := command(t, o)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	res := outcome{state: cmd.ProcessState, stderr: errs.String()}
	if cmd.ProcessState.Success() {
		if err := json.Unmarshal([]byte(out.String()), &res.reply); err != nil {
			t.Fatalf("reply %q: %v\n%s", out.String(), err, errs.String())
		}
	}
	return res
}

func command(t *testing.T, o order) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	if err := sandbox.Prepare(cmd); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, orderVar+"="+string(text))
	return cmd
}

// usual is the policy of most tests.
func usual(readOnly ...string) sandbox.Policy {
	return sandbox.Policy{ReadOnly: readOnly, MemoryBytes: 512 << 20, CPU: 20 * time.Second}
}

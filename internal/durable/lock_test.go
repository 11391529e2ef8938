package durable_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/durable"
)

const holdVariable = "DURABLE_TEST_HOLD"

// TestMain turns the test binary into a process that holds a lock until it is
// killed, for TestLockOfDeadProcess.
func TestMain(m *testing.M) {
	dir := os.Getenv(holdVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	held, err := durable.Lock(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("locked")
	for {
		time.Sleep(time.Hour)
		runtime.KeepAlive(held) // else the collector closes its file, and the lock is gone
	}
}

func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	first, err := durable.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = durable.Lock(dir)
	if !errors.Is(err, durable.ErrLocked) {
		t.Fatalf("second Lock = %v, want ErrLocked", err)
	}
	for _, want := range []string{fmt.Sprintf("process %d on ", os.Getpid()), "\nhint: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	for range 2 {
		if err := first.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
	again, err := durable.Lock(dir)
	if err != nil {
		t.Fatalf("Lock after Unlock: %v", err)
	}
	if err := again.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockOfDeadProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), holdVariable+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "locked\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
	_, err = durable.Lock(dir)
	if want := fmt.Sprintf("process %d on ", child.Process.Pid); !errors.Is(err, durable.ErrLocked) || !strings.Contains(err.Error(), want) {
		t.Errorf("Lock while the child lives = %v, want ErrLocked with %q", err, want)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	l, err := durable.Lock(dir)
	if err != nil {
		t.Fatalf("Lock after the child died: %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
}

//go:build unix

package verify_test

import (
	"os"
	"syscall"
	"testing"
)

// TestFifos puts a named pipe in the place of every file: whoever opens it
// waits for ever.
func TestFifos(t *testing.T) {
	run := honest(t)
	for _, name := range everyFile(t, run.dir) {
		b := run.get(name)
		if err := os.Remove(run.path(name)); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(run.path(name), 0o644); err != nil {
			t.Skipf("no named pipes here: %v", err)
		}
		wantNamed(t, run.dir, "is a named pipe", name)
		if err := os.Remove(run.path(name)); err != nil {
			t.Fatal(err)
		}
		run.put(name, b)
	}
}

package qualify_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/qualify"
	"github.com/assize/assize/internal/worker"
)

// TestABrokenProgramIsSeen: where the workers cannot start, the cases that need them are wrong, and the record says why.
func TestABrokenProgramIsSeen(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	record, err := qualify.Run(context.Background(), qualify.Options{
		Tool: "test", Program: self, Command: worker.Command{Path: "/bin/false"}, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if record.Of < 12 || record.Passed >= record.Of || len(record.Cases) != record.Of {
		t.Fatalf("%d of %d cases right", record.Passed, record.Of)
	}
	if !strings.HasPrefix(string(record.Program), "sha256:") {
		t.Errorf("digest %q", record.Program)
	}
	for _, c := range record.Cases {
		switch c.ID {
		case "intervals", "pickles":
			if !c.Passed {
				t.Errorf("%s needs no worker and is wrong: %+v", c.ID, c)
			}
		case "evasion", "parity", "hand-over":
			if c.Passed {
				t.Errorf("%s passed without a worker", c.ID)
			}
		}
		if c.Asks == "" || c.Known == "" {
			t.Errorf("%s does not say what it asks, or how the answer is known", c.ID)
		}
	}
}

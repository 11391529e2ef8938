// Package scantest runs readers of formats on bytes, for their tests.
package scantest

import (
	"bytes"
	"context"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/scan"
)

// Path is what reports call the file that is scanned.
const Path = "file"

// Scan scans bytes and returns the reports of members and, last, of the file. It
// checks what holds for every report: coverage adds up, findings say where and what,
// and a container is no better than its members.
func Scan(t testing.TB, s *scan.Scanner, b []byte) []scan.FileReport {
	t.Helper()
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Budget == (scan.Budget{}) {
		s.Budget = scan.DefaultBudget()
	}
	var all []scan.FileReport
	err := s.Reader(context.Background(), Path, bytes.NewReader(b), int64(len(b)), func(r scan.FileReport) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatalf("scan: %v", err)
	}
	if len(all) == 0 || all[len(all)-1].Path != Path {
		t.Fatalf("reports %+v, want one of the file at the end", all)
	}
	for _, r := range all {
		if c := r.Coverage; c.Structured+c.Opaque+c.Unread != c.Bytes || min(c.Structured, c.Opaque, c.Unread) < 0 || c.Unread > 0 && r.Outcome == scan.Clean {
			t.Errorf("%s is %s with coverage %+v", r.Path, r.Outcome, c)
		}
		if r.Outcome > all[len(all)-1].Outcome {
			t.Errorf("%s is %s and its container %s", r.Path, r.Outcome, all[len(all)-1].Outcome)
		}
		for _, f := range r.Findings {
			if f.Rule == "" || f.Evidence == "" || f.Fix == "" || f.Outcome == scan.Clean || f.Offset < 0 || f.Outcome == scan.Malicious && f.Capability == "" {
				t.Errorf("%s: finding without what it needs: %+v", r.Path, f)
			}
		}
	}
	return all
}

// File is the report of the file itself.
func File(all []scan.FileReport) scan.FileReport { return all[len(all)-1] }

// Rules lists the rules of all findings, sorted, each once.
func Rules(all []scan.FileReport) []string {
	var rules []string
	for _, r := range all {
		for _, f := range r.Findings {
			rules = append(rules, f.Rule)
		}
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

// Members maps the path of each member, without the file's, to its outcome.
func Members(all []scan.FileReport) map[string]string {
	m := map[string]string{}
	for _, r := range all[:len(all)-1] {
		m[strings.TrimPrefix(r.Path, Path+"!")] = r.Outcome.String()
	}
	return m
}

// Bounded runs a scan that must end within 10 seconds of processor time and may take no
// more than 512 MiB at once. By the clock it has a minute, on a machine that does other things too.
func Bounded(t testing.TB, run func()) {
	t.Helper()
	runtime.GC()
	before := inUse()
	most := make(chan uint64)
	stop := make(chan struct{})
	go func() {
		peak := uint64(0)
		for {
			select {
			case <-stop:
				most <- max(peak, inUse())
				return
			case <-time.After(5 * time.Millisecond):
				peak = max(peak, inUse())
			}
		}
	}()
	start, used := time.Now(), processor()
	run()
	took, used := time.Since(start), processor()-used
	close(stop)
	if peak := <-most; peak > before+512<<20 {
		t.Errorf("took %d MiB of memory", (peak-before)>>20)
	}
	if used > 10*time.Second || took > time.Minute {
		t.Errorf("took %v, %v of the processor", took, used)
	}
}

// inUse is the memory of the heap that holds something, in bytes.
func inUse() uint64 {
	all := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(all)
	return all[0].Value.Uint64() + all[1].Value.Uint64()
}

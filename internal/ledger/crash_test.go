package ledger_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/ledger"
)

const (
	appendVariable = "LEDGER_TEST_APPEND"
	keyVariable    = "LEDGER_TEST_KEY"
)

// TestMain turns the test binary into a process that appends until it is killed
// and prints the size of the log after each append, for TestKill.
func TestMain(m *testing.M) {
	dir := os.Getenv(appendVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := appendForever(dir, os.Getenv(keyVariable)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func appendForever(dir, keyDir string) error {
	key, err := ledger.LoadOrCreateKey(keyDir)
	if err != nil {
		return err
	}
	l, err := ledger.Open(dir, key)
	if err != nil {
		return err
	}
	for size := int(l.Size()); ; {
		next := size + 1 + size%37
		if _, err := l.AppendAll(context.Background(), entries(size, next)); err != nil {
			return err
		}
		size = next
		fmt.Println(size)
	}
}

// TestKill kills a process in the midst of its appends, again and again.
func TestKill(t *testing.T) {
	dir, keyDir := filepath.Join(t.TempDir(), "log"), t.TempDir()
	key, err := ledger.LoadOrCreateKey(keyDir)
	if err != nil {
		t.Fatal(err)
	}
	returned := 0
	for round := range 12 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), appendVariable+"="+dir, keyVariable+"="+keyDir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(15+7*round)*time.Millisecond, func() { child.Process.Kill() })
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if returned, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatalf("child said %q", lines.Text())
			}
		}
		timer.Stop()
		_ = child.Wait()
		l, err := ledger.Open(dir, key)
		if err != nil {
			t.Fatal(err)
		}
		size := int(l.Size())
		if size < returned || size > returned+1+returned%37 {
			t.Errorf("log has %d entries after appends to %d returned", size, returned)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := fsck(t, dir, key).Err(); err != nil {
			t.Fatal(err)
		}
		wantEntries(t, dir, key, size)
	}
	if returned == 0 {
		t.Error("no append returned in any round: the test shows nothing")
	}
}

// TestCrashStates builds every state that an append cut off by a crash can
// leave: any of the files that it writes before the checkpoint, in any
// combination, with or without half a temporary file. Each must open as the log
// before the append, and take the same append again.
func TestCrashStates(t *testing.T) {
	for _, sizes := range [][2]int{{0, 1}, {5, 7}, {250, 256}, {254, 258}, {256, 300}, {511, 513}} {
		key := newKey(t)
		dir := t.TempDir()
		l := open(t, dir, key)
		if sizes[0] > 0 {
			appendAll(t, l, entries(0, sizes[0]))
		}
		before := readTree(t, dir)
		appendAll(t, l, entries(sizes[0], sizes[1]))
		after := readTree(t, dir)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		var written []string
		for path := range after {
			if before[path] != after[path] && path != "checkpoint" {
				written = append(written, path)
			}
		}
		slices.Sort(written)
		if len(written) < 2 {
			t.Fatalf("append of %v wrote %v", sizes, written)
		}
		for subset := range 1 << len(written) {
			crashed := t.TempDir()
			writeTree(t, crashed, before)
			for i, path := range written {
				if subset&(1<<i) != 0 {
					writeTree(t, crashed, map[string]string{path: after[path]})
				}
			}
			if subset%2 == 1 {
				writeTree(t, crashed, map[string]string{
					".checkpoint.ABC.tmp~":                    "half",
					filepath.Dir(written[0]) + "/.x.ABC.tmp~": "half",
				})
			}
			l := open(t, crashed, key)
			if diff := cmp.Diff(readTree(t, crashed), before); diff != "" {
				t.Fatalf("%v, crash state %b: after Open (-got +want):\n%s", sizes, subset, diff)
			}
			appendAll(t, l, entries(sizes[0], sizes[1]))
			if diff := cmp.Diff(readTree(t, crashed), after); diff != "" {
				t.Fatalf("%v, crash state %b: after the append (-got +want):\n%s", sizes, subset, diff)
			}
			if err := fsck(t, crashed, key).Err(); err != nil {
				t.Error(err)
			}
		}
		// The crash after the checkpoint: old partial tiles are still there.
		crashed := t.TempDir()
		writeTree(t, crashed, before)
		writeTree(t, crashed, after)
		if err := fsck(t, crashed, key).Err(); err != nil {
			t.Error(err)
		}
		open(t, crashed, key)
		if diff := cmp.Diff(readTree(t, crashed), after); diff != "" {
			t.Errorf("%v, crash after the checkpoint (-got +want):\n%s", sizes, diff)
		}
	}
}

// TestFailedWrite lets each file that an append writes fail in turn, by a file
// or folder that stands in its way.
func TestFailedWrite(t *testing.T) {
	for _, blocked := range []string{"tile/entries/000", "tile/entries/001.p", "tile/0/000", "tile/0/001.p", "tile/1", "checkpoint"} {
		dir, key := t.TempDir(), newKey(t)
		l := open(t, dir, key)
		appendAll(t, l, entries(0, 250))
		before := readTree(t, dir)
		path := filepath.Join(dir, blocked)
		aside := filepath.Join(t.TempDir(), "aside")
		block := func() error { return os.MkdirAll(filepath.Join(path, "x"), 0o755) }
		switch {
		case blocked == "checkpoint":
			if err := os.Rename(path, aside); err != nil {
				t.Fatal(err)
			}
		case strings.HasSuffix(blocked, ".p") || blocked == "tile/1":
			block = func() error { return os.WriteFile(path, nil, 0o644) }
		}
		if err := block(); err != nil {
			t.Fatal(err)
		}
		_, err := l.AppendAll(t.Context(), entries(250, 260))
		if err == nil {
			t.Fatalf("%s blocked: append returned nil", blocked)
		}
		if got := l.Size(); got != 250 {
			t.Errorf("%s blocked: size = %d, want 250", blocked, got)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if blocked == "checkpoint" {
			if err := os.Rename(aside, path); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(readTree(t, dir), before); diff != "" {
			t.Errorf("%s blocked: log on disk (-got +want):\n%s", blocked, diff)
		}
		if _, again := l.Append(t.Context(), entry(250)); again == nil || again.Error() != err.Error() {
			t.Errorf("%s blocked: next append = %v, want %v", blocked, again, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = open(t, dir, key)
		appendAll(t, l, entries(250, 260))
		if err := fsck(t, dir, key).Err(); err != nil {
			t.Errorf("%s blocked: %v", blocked, err)
		}
		wantEntries(t, dir, key, 260)
	}
}

func TestOpenRefuses(t *testing.T) {
	key := newKey(t)
	files := sample(t, key)
	older := t.TempDir()
	l := open(t, older, key)
	appendAll(t, l, entries(0, 10))
	first := string(l.Checkpoint())
	appendAll(t, l, entries(10, 20))
	appendAll(t, l, entries(20, 30))
	rolledBack := readTree(t, older)
	rolledBack["checkpoint"] = first

	tests := []struct {
		name   string
		files  map[string]string
		key    *ledger.Key
		change func(map[string]string)
	}{
		{"another key", files, newKey(t), func(map[string]string) {}},
		{"no checkpoint", files, key, func(f map[string]string) { delete(f, "checkpoint") }},
		{"cut checkpoint", files, key, func(f map[string]string) { f["checkpoint"] = f["checkpoint"][:30] }},
		{"no partial tile", files, key, func(f map[string]string) { delete(f, "tile/0/002.p/88") }},
		{"changed tile", files, key, func(f map[string]string) { f["tile/1/000.p/2"] = strings.Repeat("x", 64) }},
		{"changed bundle", files, key, func(f map[string]string) { f["tile/entries/002.p/88"] += "x" }},
		{"old checkpoint", rolledBack, key, func(map[string]string) {}},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		writeTree(t, dir, tt.files)
		changed := readTree(t, dir)
		tt.change(changed)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		writeTree(t, dir, changed)
		_, err := ledger.Open(dir, tt.key)
		if err == nil || !strings.Contains(err.Error(), "\nhint: ") {
			t.Errorf("%s: Open = %v, want an error with a hint", tt.name, err)
		}
		if diff := cmp.Diff(readTree(t, dir), changed); diff != "" {
			t.Errorf("%s: Open changed the log (-got +want):\n%s", tt.name, diff)
		}
	}
}

//go:build linux

package sandbox_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// field lays out what the escapes aim at and returns the arguments for the
// child: files, listeners and a victim process.
func field(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	args := map[string]string{
		"secret": filepath.Join(dir, "outside", "secret"),
		"folder": filepath.Join(dir, "handed"),
		"file":   filepath.Join(dir, "handed", "model"),
		"link":   filepath.Join(dir, "handed", "link"),
		"unix":   filepath.Join(dir, "s"),
	}
	for _, f := range []string{args["secret"], args["file"]} {
		if err := os.MkdirAll(filepath.Dir(f), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, []byte("content"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(args["secret"], args["link"]); err != nil {
		t.Fatal(err)
	}
	args["abstract"] = fmt.Sprintf("@assize-sandbox-%d-%d", os.Getpid(), time.Now().UnixNano())
	tcp := listen(t, "tcp", "127.0.0.1:0")
	args["tcp"] = tcp.Addr().String()
	listen(t, "unix", args["unix"])
	listen(t, "unix", args["abstract"])
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	args["udp"] = udp.LocalAddr().String()
	args["victim"] = strconv.Itoa(startVictim(t))
	return args
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// startVictim runs a process that only waits.
func startVictim(t *testing.T) int {
	t.Helper()
	cmd := command(t, order{Action: "wait"})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

// escapes are the attempts that must succeed without the sandbox, which shows
// that they are real, and fail in it.
func escapes() []string {
	return []string{
		"read", "read passwd", "read by proc root", "read by link", "read by dots", "read by folder descriptor",
		"read memory of self", "list root",
		"overwrite", "append", "truncate on open", "truncate", "create", "create unnamed", "make folder", "make link",
		"make hard link", "rename", "remove", "change mode", "change times", "change folder", "write to memory file",
		"tcp", "udp", "unix socket", "abstract socket", "netlink", "socket pair", "listen",
		"fork", "run", "signal parent", "signal victim", "terminate victim", "signal thread", "signal own group", "signal everybody",
		"open process handle", "trace victim", "limit victim", "owner of a pipe's signals", "leave group",
		"executable memory", "shared memory", "raise own limit",
	}
}

func TestEscapesAreRefused(t *testing.T) {
	for _, name := range escapes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := field(t)
			o := order{Action: name, Enter: true, Policy: usual(args["folder"]), Args: args}
			got := start(t, o)
			if len(got.reply.Errors) != 1 || !refused(got.reply.Errors[0]) {
				t.Errorf("inside: got %q (%v), want a refusal\n%s", got.reply.Errors, got.state, got.stderr)
			}
			o.Policy.ReadOnly = nil
			got = start(t, o)
			if len(got.reply.Errors) != 1 || !refused(got.reply.Errors[0]) {
				t.Errorf("inside, no file handed over: got %q (%v), want a refusal\n%s", got.reply.Errors, got.state, got.stderr)
			}
			o.Policy.ReadOnly, o.Threads = []string{args["folder"]}, 6
			got = start(t, o)
			if len(got.reply.Errors) != 6 {
				t.Errorf("from older threads: got %d answers (%v), want 6\n%s", len(got.reply.Errors), got.state, got.stderr)
			}
			for i, e := range got.reply.Errors {
				if !refused(e) {
					t.Errorf("from older thread %d: got %q, want a refusal", i, e)
				}
			}
			// The control comes last: it may change what the field holds.
			o.Enter, o.Threads = false, 0
			got = start(t, o)
			if len(got.reply.Errors) != 1 || got.reply.Errors[0] != "" {
				t.Errorf("outside: got %q (%v), want success\n%s", got.reply.Errors, got.state, got.stderr)
			}
		})
	}
}

func TestExecIsRefused(t *testing.T) {
	got := start(t, order{Action: "exec", Enter: true, Policy: usual()})
	if len(got.reply.Errors) != 1 || !refused(got.reply.Errors[0]) {
		t.Errorf("inside: got %q (%v), want a refusal", got.reply.Errors, got.state)
	}
}

// refused tells a refusal from a failure for another reason.
func refused(message string) bool {
	return strings.Contains(message, "operation not permitted") || strings.Contains(message, "permission denied") ||
		strings.Contains(message, "function not implemented")
}

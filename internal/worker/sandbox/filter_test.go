//go:build linux

package sandbox_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// dangerous are calls that the filter must refuse whatever their arguments
// are. With the senseless arguments of sweep none of them does anything even
// where a filter lets it through.
func dangerous() []string {
	return []string{
		"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg",
		"recvfrom", "recvmsg", "execve", "execveat", "clone3", "ptrace", "process_vm_readv", "process_vm_writev",
		"process_madvise", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo",
		"mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount", "setns", "unshare",
		"bpf", "perf_event_open", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "fanotify_init",
		"keyctl", "add_key", "request_key", "memfd_create", "memfd_secret", "shmget", "shmat", "msgget", "semget", "mq_open",
		"setuid", "setgid", "setresuid", "setresgid", "setgroups", "capset", "personality", "seccomp", "ioctl",
		"init_module", "finit_module", "delete_module", "kexec_load", "swapon", "acct", "quotactl", "syslog",
		"settimeofday", "clock_settime", "adjtimex", "sethostname", "iopl", "ioperm", "modify_ldt",
		"creat", "openat2", "truncate", "ftruncate", "fallocate", "unlink", "unlinkat", "rename", "renameat2", "mkdir", "mkdirat",
		"rmdir", "link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "chown", "fchown",
		"fchownat", "setxattr", "fsetxattr", "removexattr", "utimensat", "inotify_init1", "name_to_handle_at",
		"open_by_handle_at", "pwrite64", "pwritev", "splice", "tee", "vmsplice", "sendfile", "setrlimit", "setpriority",
		"sched_setscheduler", "sched_setaffinity", "migrate_pages", "move_pages", "pkey_mprotect", "remap_file_pages",
		"timer_create", "setitimer", "alarm", "setpgid", "setsid", "arch_prctl", "landlock_restrict_self",
	}
}

// sweep makes each dangerous call with arguments that are all ones and lists
// those that are not refused.
func sweep() error {
	table, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	ones := ^uintptr(0)
	var passed []string
	for _, name := range dangerous() {
		number, ok := table.SyscallNames[name]
		if !ok {
			continue // not on this processor
		}
		if _, _, errno := syscall.Syscall6(uintptr(number), ones, ones, ones, ones, ones, ones); errno != unix.EPERM && errno != unix.ENOSYS {
			passed = append(passed, fmt.Sprintf("%s: %v", name, errno))
		}
	}
	if len(passed) > 0 {
		return fmt.Errorf("passed: %s", strings.Join(passed, ", "))
	}
	return nil
}

func TestDangerousCallsAreRefused(t *testing.T) {
	for _, files := range [][]string{nil, {t.TempDir()}} {
		got := start(t, order{Action: "sweep", Enter: true, Policy: usual(files...)})
		if len(got.reply.Errors) != 1 || got.reply.Errors[0] != "" {
			t.Errorf("inside: got %q (%v)\n%s", got.reply.Errors, got.state, got.stderr)
		}
	}
	// Outside nearly all of them get past, to fail on their arguments.
	got := start(t, order{Action: "sweep"})
	if len(got.reply.Errors) != 1 || strings.Count(got.reply.Errors[0], ":") < 50 {
		t.Errorf("outside: got %q, want most calls to pass", got.reply.Errors)
	}
	known := map[string]int{}
	maps.Copy(known, arch.X86_64.SyscallNames)
	maps.Copy(known, arch.AARCH64.SyscallNames)
	names := slices.Collect(maps.Keys(known))
	for _, name := range dangerous() {
		if !slices.Contains(names, name) {
			t.Errorf("%q is no system call of amd64 or arm64", name)
		}
	}
}

package sandbox

import (
	"fmt"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// The system calls that a computing process of Go, glibc and ONNX Runtime
// makes once its libraries are loaded. Names that the processor's table lacks
// (arm64 has no open, poll …) are dropped when the filter is built.
func plainCalls() []string {
	return []string{
		// memory
		"brk", "munmap", "mremap",
		// threads and signals of the process itself
		"futex", "set_robust_list", "rseq", "membarrier", "gettid", "sched_yield", "sched_getaffinity", "getcpu",
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "exit", "exit_group",
		// descriptors that are open
		"read", "readv", "pread64", "write", "writev", "lseek", "close", "fstat", "fadvise64",
		"dup", "dup2", "dup3", "pipe2", "eventfd2",
		"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
		"poll", "ppoll", "select", "pselect6",
		// clocks and facts
		"clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
		"getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getrlimit", "getrusage", "times",
		"uname", "sysinfo", "getrandom",
	}
}

// fileCalls look at paths; they are let through only where files were handed
// over. Landlock decides on opening; looking whether a path exists passes.
func fileCalls() []string {
	return []string{
		"stat", "lstat", "newfstatat", "statx", "fstatfs", "access", "faccessat", "faccessat2",
		"readlink", "readlinkat", "getdents64", "getcwd",
	}
}

// absentCalls answer ENOSYS: the callers then fall back to something that the
// filter understands or that is refused plainly. The flags of clone3 lie in
// memory, where a filter cannot look.
func absentCalls() []string {
	return []string{"clone3", "openat2", "fchmodat2", "copy_file_range", "close_range", "futex_waitv"}
}

// Bits and values that x/sys/unix does not name.
const (
	// glibcThread and muslThread are the flags with which the C libraries
	// start a thread, goThread and goThreadTLS (amd64) those of Go's runtime
	// without cgo.
	glibcThread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD |
		unix.CLONE_SYSVSEM | unix.CLONE_SETTLS | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID
	muslThread = glibcThread | unix.CLONE_DETACHED
	goThread   = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD |
		unix.CLONE_SYSVSEM
	goThreadTLS = goThread | unix.CLONE_SETTLS

	// adviceOfOwnMemory bounds the harmless advice to madvise; from 100 on it
	// can take physical pages out of service.
	adviceOfOwnMemory = 100

	// changing are the flags of open that do more than read, and O_PATH,
	// which landlock does not see.
	changing = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC | unix.O_PATH
)

// when lets a call through if one argument compares so.
func when(name string, argument uint32, op seccomp.Operation, value uint64) seccomp.NameWithConditions {
	return seccomp.NameWithConditions{
		Name:       name,
		Conditions: seccomp.ArgumentConditions{{Argument: argument, Operation: op, Value: value}},
	}
}

// conditionalCalls pass with harmless arguments only. Several entries of one
// name are alternatives.
func conditionalCalls(pid int, files bool) []seccomp.NameWithConditions {
	calls := []seccomp.NameWithConditions{
		// New memory is never executable: no code arrives after the libraries.
		when("mmap", 2, seccomp.BitsNotSet, unix.PROT_EXEC),
		when("mprotect", 2, seccomp.BitsNotSet, unix.PROT_EXEC),
		when("madvise", 2, seccomp.LessThan, adviceOfOwnMemory),
		// Threads, not processes.
		when("clone", 0, seccomp.Equal, glibcThread),
		when("clone", 0, seccomp.Equal, muslThread),
		when("clone", 0, seccomp.Equal, goThread),
		when("clone", 0, seccomp.Equal, goThreadTLS),
		// Signals to this process only: preemption, abort.
		when("kill", 0, seccomp.Equal, uint64(pid)),
		when("tgkill", 0, seccomp.Equal, uint64(pid)),
		// Names of threads and mappings.
		when("prctl", 0, seccomp.Equal, unix.PR_SET_NAME),
		when("prctl", 0, seccomp.Equal, unix.PR_GET_NAME),
		when("prctl", 0, seccomp.Equal, unix.PR_SET_VMA),
	}
	// Not F_SETOWN and F_SETSIG: they send signals to others.
	for _, command := range []uint64{unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_DUPFD, unix.F_DUPFD_CLOEXEC} {
		calls = append(calls, when("fcntl", 1, seccomp.Equal, command))
	}
	// Reading one's own limits, not setting any.
	calls = append(calls, seccomp.NameWithConditions{Name: "prlimit64", Conditions: seccomp.ArgumentConditions{
		{Argument: 0, Operation: seccomp.Equal, Value: 0},
		{Argument: 2, Operation: seccomp.Equal, Value: 0},
	}})
	if files {
		calls = append(calls,
			when("open", 1, seccomp.BitsNotSet, changing),
			when("openat", 2, seccomp.BitsNotSet, changing))
	}
	return calls
}

// callPolicy is the filter for this process and processor.
func callPolicy(pid int, files bool) (seccomp.Policy, error) {
	table, err := arch.GetInfo("")
	if err != nil {
		return seccomp.Policy{}, fmt.Errorf("look up system calls: %w", err)
	}
	known := func(names []string) []string {
		var kept []string
		for _, name := range names {
			if _, ok := table.SyscallNames[name]; ok {
				kept = append(kept, name)
			}
		}
		return kept
	}
	plain := plainCalls()
	if files {
		plain = append(plain, fileCalls()...)
	}
	var conditional []seccomp.NameWithConditions
	for _, c := range conditionalCalls(pid, files) {
		if _, ok := table.SyscallNames[c.Name]; ok {
			conditional = append(conditional, c)
		}
	}
	return seccomp.Policy{
		DefaultAction: seccomp.ActionErrno, // EPERM
		Syscalls: []seccomp.SyscallGroup{
			{Names: known(plain), Action: seccomp.ActionAllow},
			{NamesWithCondtions: conditional, Action: seccomp.ActionAllow},
			{Names: known(absentCalls()), Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)},
		},
	}, nil
}

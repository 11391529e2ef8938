// Package sandbox takes power away from a process before it touches a
// hostile model.
//
// The child starts, loads ONNX Runtime, reads its job, and then calls
// [Enter]. From there on no thread of the process, whether Go's or C's, can
// open a file that was not handed over, write or change any file, reach a
// network or another process, start a program or a process, or use more
// memory and processor time than it was given. There is no way back.
//
// Three mechanisms stack up, because each alone lets something pass:
//
//   - resource limits: data memory, processor time, core files, file size,
//     open files;
//   - landlock: the only one that can tell one path from another. It is put
//     on every thread, by the kernel where it can (ABI 8), else by running
//     the system call in a signal handler of each thread;
//   - a seccomp filter that lists the system calls that Go, glibc and ONNX
//     Runtime need to compute. Every other call fails with EPERM, and a few
//     with ENOSYS so that the C library takes its older path. A refused
//     call is thus an error that the program can report, not a death
//     without a reason. The kernel puts the filter on all threads at once.
//
// The filter also refuses what the two others cannot see: UDP, raw, netlink
// and unix sockets, fork, exec, signals to others, ptrace, mounts, io_uring,
// keys, shared memory, executable mappings, device control.
//
// What stays possible: using the processor and the memory within the limits,
// reading and writing the standard streams and open pipes (so make the
// streams pipes; [Enter] refuses to begin while a socket or a writable file is
// open beside them), and, where files were handed over, asking whether a path
// exists (stat is not covered by landlock). A kernel before landlock's ABI 8
// also leaves the list of the process's own threads readable.
package sandbox

import (
	"errors"
	"time"
)

// DefaultOpenFiles bounds the open descriptors where a Policy names no bound.
const DefaultOpenFiles = 64

// Policy says what a confined process keeps.
type Policy struct {
	// ReadOnly are the files and folders that may still be opened for
	// reading. A folder includes everything below it. They must exist. With
	// none, no file can be opened at all, which also holds on a kernel
	// without landlock.
	ReadOnly []string
	// MemoryBytes bounds the private writable memory (RLIMIT_DATA): heaps,
	// thread stacks, data of libraries. Address space alone is not counted.
	MemoryBytes int64
	// CPU bounds the processor time of all threads together since the
	// process started (RLIMIT_CPU). It is rounded up to whole seconds.
	CPU time.Duration
	// OpenFiles bounds the open descriptors; 0 means DefaultOpenFiles.
	OpenFiles int
}

// Status says which parts of the sandbox hold.
type Status struct {
	// Landlock is the ABI version that the kernel offers, 0 for none.
	Landlock int `json:"landlock"`
	// Seccomp is true where the system call filter is on all threads.
	Seccomp bool `json:"seccomp"`
	// Limits is true where the resource limits are set.
	Limits bool `json:"limits"`
	// Missing are sentences that say what this system cannot keep out, for
	// the report. It is empty where everything that the package promises
	// holds.
	Missing []string `json:"missing,omitempty"`
}

// check refuses a policy that would leave something unbounded by accident.
func (p Policy) check() error {
	if p.MemoryBytes <= 0 {
		return errors.New("enter sandbox: no memory limit\nhint: set Policy.MemoryBytes")
	}
	if p.CPU <= 0 {
		return errors.New("enter sandbox: no limit on processor time\nhint: set Policy.CPU")
	}
	if p.OpenFiles < 0 {
		return errors.New("enter sandbox: negative number of open files")
	}
	return nil
}

// seconds is the limit on processor time in whole seconds, rounded up.
func (p Policy) seconds() uint64 {
	return uint64((p.CPU + time.Second - 1) / time.Second)
}

// openFiles is the bound on descriptors with its default.
func (p Policy) openFiles() uint64 {
	if p.OpenFiles == 0 {
		return DefaultOpenFiles
	}
	return uint64(p.OpenFiles)
}

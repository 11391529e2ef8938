package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Enter confines every thread of the calling process, for good. What the
// kernel lacks is not an error: it is said in Status.Missing, and the caller
// decides. After an error the process is confined in part at best and must
// not go on to the model.
//
// Load libraries and read the job before; create and use threads, Go's or
// C's, before or after as you like.
func Enter(p Policy) (Status, error) {
	var s Status
	if err := p.check(); err != nil {
		return s, err
	}
	if err := refuseStrays(); err != nil {
		return s, fmt.Errorf("enter sandbox: %w", err)
	}
	signal.Ignore(unix.SIGXFSZ) // writing to a file beyond its limit of 0 becomes an error, not a death
	if err := limit(p); err != nil {
		return s, fmt.Errorf("enter sandbox: %w", err)
	}
	s.Limits = true
	reportTimeUsedUp()
	if err := s.restrictFiles(p.ReadOnly); err != nil {
		return s, fmt.Errorf("enter sandbox: %w", err)
	}
	if err := s.filterCalls(len(p.ReadOnly) > 0); err != nil {
		return s, fmt.Errorf("enter sandbox: %w", err)
	}
	return s, nil
}

// reportTimeUsedUp ends the process with a word on standard error when its
// processor time is used up: Go's runtime by itself ignores SIGXCPU. The
// goroutine lives as long as the process.
func reportTimeUsedUp() {
	usedUp := make(chan os.Signal, 1)
	signal.Notify(usedUp, unix.SIGXCPU)
	go func() {
		<-usedUp
		fmt.Fprintln(os.Stderr, "fatal error: SIGXCPU: processor time used up")
		os.Exit(2)
	}()
}

// limit sets the resource limits of the process. The hard limit on processor
// time lies above the soft one, so that SIGXCPU, which leaves a word, comes
// before SIGKILL, which leaves none.
func limit(p Policy) error {
	mem, cpu, files := uint64(p.MemoryBytes), p.seconds(), p.openFiles()
	for _, l := range []struct {
		name       string
		resource   int
		soft, hard uint64
	}{
		{"data memory", unix.RLIMIT_DATA, mem, mem},
		{"processor time", unix.RLIMIT_CPU, cpu, cpu + 2},
		{"core file", unix.RLIMIT_CORE, 0, 0},
		{"file size", unix.RLIMIT_FSIZE, 0, 0},
		{"open files", unix.RLIMIT_NOFILE, files, files},
	} {
		if err := unix.Prlimit(0, l.resource, &unix.Rlimit{Cur: l.soft, Max: l.hard}, nil); err != nil {
			return fmt.Errorf("limit %s to %d: %w", l.name, l.hard, err)
		}
	}
	return nil
}

// restrictFiles applies landlock: everything that this kernel's version can
// refuse is refused, but reading what was handed over.
func (s *Status) restrictFiles(readOnly []string) error {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil || abi < 1 {
		if len(readOnly) > 0 {
			s.Missing = append(s.Missing, fmt.Sprintf(
				"the kernel offers no landlock (%v): the model's process can read every file that its user can read", err))
		}
		return nil
	}
	s.Landlock = abi
	var rules []landlock.Rule
	for _, path := range readOnly {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("hand over file: %w", err)
		}
		access := landlock.AccessFSSet(ll.AccessFSReadFile)
		if info.IsDir() {
			access |= ll.AccessFSReadDir
		}
		rules = append(rules, landlock.PathAccess(access, path))
	}
	if err := landlock.V11.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("restrict files with landlock ABI %d: %w", abi, err)
	}
	return nil
}

// filterCalls installs the seccomp filter on all threads and then tries it:
// the kernel reports a thread that could not be brought in line by a positive
// return value, which the library does not look at.
func (s *Status) filterCalls(files bool) error {
	if !seccomp.Supported() {
		s.Missing = append(s.Missing, "the kernel offers no seccomp filter: "+
			"the model's process can open sockets, start processes and signal other processes of its user")
		if s.Landlock == 0 && !files {
			s.Missing = append(s.Missing, "the kernel offers neither landlock nor seccomp: "+
				"the model's process can open every file that its user can open")
		}
		return nil
	}
	policy, err := callPolicy(os.Getpid(), files)
	if err != nil {
		return err
	}
	runtime.LockOSThread() // no_new_privs and the filter must meet on one thread
	defer runtime.UnlockOSThread()
	if err := seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy:     policy,
	}); err != nil {
		return fmt.Errorf("install filter of system calls: %w", err)
	}
	if _, err := unix.Getsid(0); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("install filter of system calls: it does not hold (a refused call returned %v); "+
			"a thread already has a filter of its own", err)
	}
	s.Seccomp = true
	return nil
}

//go:build linux

package sandbox_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// action readies an attempt before Enter and returns the attempt.
type action func(args map[string]string) func() error

// try is an action that needs nothing before Enter.
func try(f func(args map[string]string) error) action {
	return func(args map[string]string) func() error { return func() error { return f(args) } }
}

// actions are what a child can be told to attempt.
func actions() map[string]action {
	all := map[string]action{}
	for _, group := range []map[string]action{fileActions(), netActions(), processActions(), resourceActions()} {
		for name, a := range group {
			all[name] = a
		}
	}
	return all
}

func read(path string) error {
	b, err := os.ReadFile(path)
	if err == nil && len(b) == 0 {
		return errors.New("nothing read")
	}
	return err
}

// args: secret (a file not handed over), folder and file (handed over),
// link (in folder, to secret).
func fileActions() map[string]action {
	return map[string]action{
		"read handed file":   try(func(a map[string]string) error { return read(a["file"]) }),
		"list handed folder": try(func(a map[string]string) error { _, err := os.ReadDir(a["folder"]); return err }),
		"read":               try(func(a map[string]string) error { return read(a["secret"]) }),
		"read passwd":        try(func(map[string]string) error { return read("/etc/passwd") }),
		"read by proc root":  try(func(a map[string]string) error { return read("/proc/self/root" + a["secret"]) }),
		"read by link":       try(func(a map[string]string) error { return read(a["link"]) }),
		"read by dots": try(func(a map[string]string) error {
			return read(a["folder"] + "/../" + filepath.Base(filepath.Dir(a["secret"])) + "/" + filepath.Base(a["secret"]))
		}),
		"read by folder descriptor": func(a map[string]string) func() error {
			dir, err := unix.Open(filepath.Dir(a["secret"]), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			return func() error {
				if err != nil {
					return nil // would show as an escape
				}
				fd, err := unix.Openat(dir, filepath.Base(a["secret"]), unix.O_RDONLY, 0)
				if err == nil {
					_ = unix.Close(fd)
				}
				return err
			}
		},
		"read memory of self":  try(func(map[string]string) error { return read("/proc/self/cmdline") }),
		"list root":            try(func(map[string]string) error { _, err := os.ReadDir("/"); return err }),
		"overwrite":            try(func(a map[string]string) error { return openFor(a["file"], os.O_WRONLY) }),
		"append":               try(func(a map[string]string) error { return openFor(a["file"], os.O_WRONLY|os.O_APPEND) }),
		"truncate on open":     try(func(a map[string]string) error { return openFor(a["file"], os.O_RDONLY|os.O_TRUNC) }),
		"truncate":             try(func(a map[string]string) error { return os.Truncate(a["file"], 1) }),
		"create":               try(func(a map[string]string) error { return openFor(a["folder"]+"/new", os.O_CREATE|os.O_RDWR) }),
		"create unnamed":       try(func(a map[string]string) error { return openFor(a["folder"], unix.O_TMPFILE|os.O_RDWR) }),
		"make folder":          try(func(a map[string]string) error { return os.Mkdir(a["folder"]+"/sub", 0o700) }),
		"make link":            try(func(a map[string]string) error { return os.Symlink("x", a["folder"]+"/sym") }),
		"make hard link":       try(func(a map[string]string) error { return os.Link(a["file"], a["folder"]+"/hard") }),
		"rename":               try(func(a map[string]string) error { return os.Rename(a["file"], a["file"]+"2") }),
		"remove":               try(func(a map[string]string) error { return os.Remove(a["file"]) }),
		"change mode":          try(func(a map[string]string) error { return os.Chmod(a["file"], 0o777) }),
		"change times":         try(func(a map[string]string) error { return os.Chtimes(a["file"], time.Now(), time.Now()) }),
		"change folder":        try(func(map[string]string) error { return os.Chdir("/") }),
		"write to memory file": try(func(map[string]string) error { return memoryFile() }),
	}
}

func openFor(path string, flag int) error {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func memoryFile() error {
	fd, err := unix.MemfdCreate("x", 0)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

func dial(network, address string) error {
	c, err := net.DialTimeout(network, address, 2*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte("escaped"))
	return err
}

func socket(domain, kind, proto int) error {
	fd, err := unix.Socket(domain, kind, proto)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

// args: tcp, udp, unix, abstract: addresses of listeners.
func netActions() map[string]action {
	return map[string]action{
		"tcp":             try(func(a map[string]string) error { return dial("tcp", a["tcp"]) }),
		"udp":             try(func(a map[string]string) error { return dial("udp", a["udp"]) }),
		"unix socket":     try(func(a map[string]string) error { return dial("unix", a["unix"]) }),
		"abstract socket": try(func(a map[string]string) error { return dial("unix", a["abstract"]) }),
		"netlink":         try(func(map[string]string) error { return socket(unix.AF_NETLINK, unix.SOCK_RAW, 0) }),
		"socket pair": try(func(map[string]string) error {
			_, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			return err
		}),
		"listen": try(func(map[string]string) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err == nil {
				_ = l.Close()
			}
			return err
		}),
	}
}

func victim(a map[string]string) int {
	pid, err := strconv.Atoi(a["victim"])
	if err != nil {
		panic(err)
	}
	return pid
}

// args: victim, the process id of a process of the same user.
func processActions() map[string]action {
	return map[string]action{
		"fork":                try(func(map[string]string) error { return fork() }),
		"run":                 try(func(map[string]string) error { return exec.Command("/bin/true").Run() }),
		"exec":                try(func(map[string]string) error { return syscall.Exec("/bin/true", []string{"true"}, nil) }),
		"signal parent":       try(func(map[string]string) error { return unix.Kill(os.Getppid(), 0) }),
		"signal victim":       try(func(a map[string]string) error { return unix.Kill(victim(a), 0) }),
		"terminate victim":    try(func(a map[string]string) error { return unix.Kill(victim(a), unix.SIGTERM) }),
		"signal thread":       try(func(a map[string]string) error { return unix.Tgkill(victim(a), victim(a), 0) }),
		"signal own group":    try(func(map[string]string) error { return unix.Kill(0, 0) }),
		"signal everybody":    try(func(map[string]string) error { return unix.Kill(-1, 0) }),
		"open process handle": try(func(a map[string]string) error { _, err := unix.PidfdOpen(victim(a), 0); return err }),
		"trace victim": func(a map[string]string) func() error {
			return func() error {
				runtime.LockOSThread()
				if err := unix.PtraceAttach(victim(a)); err != nil {
					return err
				}
				_, _ = unix.Wait4(victim(a), nil, unix.WALL, nil)
				return unix.PtraceDetach(victim(a))
			}
		},
		"limit victim": try(func(a map[string]string) error {
			return unix.Prlimit(victim(a), unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
		}),
		"owner of a pipe's signals": func(a map[string]string) func() error {
			var p [2]int
			err := unix.Pipe2(p[:], unix.O_CLOEXEC)
			return func() error {
				if err != nil {
					return nil
				}
				_, err := unix.FcntlInt(uintptr(p[0]), unix.F_SETOWN, victim(a))
				return err
			}
		},
		"leave group": try(func(map[string]string) error { _, err := unix.Getpgid(0); return err }),
		"executable memory": try(func(map[string]string) error {
			m, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err == nil {
				_ = unix.Munmap(m)
			}
			return err
		}),
		"shared memory": try(func(map[string]string) error {
			id, err := unix.SysvShmGet(unix.IPC_PRIVATE, 4096, unix.IPC_CREAT|0o600)
			if err == nil {
				_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
			}
			return err
		}),
		"raise own limit": try(func(map[string]string) error {
			return unix.Prlimit(0, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
		}),
	}
}

// fork makes a process by the bare call; the copy ends at once.
func fork() error {
	pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
	}
	_, err := unix.Wait4(int(pid), nil, 0, nil)
	return err
}

// What stays possible, what the limits stop, and ways to die.
func resourceActions() map[string]action {
	return map[string]action{
		"sweep":   try(func(map[string]string) error { return sweep() }),
		"nothing": try(func(map[string]string) error { return nil }),
		"threads": try(func(map[string]string) error { return threads(20) }),
		"socket before": func(map[string]string) func() error {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			return func() error { return errors.Join(err, unix.Close(fd)) }
		},
		"writable file before": func(a map[string]string) func() error {
			fd, err := unix.Open(a["file"], unix.O_WRONLY|unix.O_CLOEXEC, 0)
			return func() error { return errors.Join(err, unix.Close(fd)) }
		},
		"descriptors": try(func(map[string]string) error {
			if open := openDescriptors(); len(open) > 0 {
				return fmt.Errorf("inherited %v", open)
			}
			return nil
		}),
		"allocate in Go": try(func(map[string]string) error {
			b := make([]byte, 2<<30)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			runtime.KeepAlive(b)
			return nil
		}),
		"map memory": try(func(map[string]string) error {
			m, err := unix.Mmap(-1, 0, 2<<30, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err == nil {
				_ = unix.Munmap(m)
			}
			return err
		}),
		"stack": try(func(map[string]string) error { return fmt.Errorf("%d", deep(1)) }),
		"write to output": try(func(map[string]string) error {
			_, err := os.Stderr.Write([]byte("x"))
			return err
		}),
		"burn": try(func(map[string]string) error {
			for begin := time.Now(); time.Since(begin) < 8*time.Second; {
			}
			return nil
		}),
		"wait":   try(func(map[string]string) error { time.Sleep(30 * time.Second); return nil }),
		"exit 7": try(func(map[string]string) error { os.Exit(7); return nil }),
		"panic":  try(func(map[string]string) error { panic("broken") }),
		"fault": try(func(map[string]string) error {
			_ = unix.Kill(os.Getpid(), unix.SIGSEGV)
			time.Sleep(time.Second)
			return nil
		}),
		"abort": try(func(map[string]string) error {
			_ = unix.Kill(os.Getpid(), unix.SIGABRT)
			time.Sleep(time.Second)
			return nil
		}),
		"die": try(func(map[string]string) error {
			_ = unix.Kill(os.Getpid(), unix.SIGKILL)
			time.Sleep(time.Second)
			return nil
		}),
	}
}

// deep never returns.
func deep(n int) int {
	var pad [512]int
	pad[n%512] = n
	return deep(n+1) + pad[(n+1)%512]
}

// threads starts n threads at once and lets each do something.
func threads(n int) error {
	var all, done sync.WaitGroup
	all.Add(n)
	tids := make([]int, n)
	for i := range n {
		done.Go(func() {
			runtime.LockOSThread()
			tids[i] = unix.Gettid()
			all.Done()
			all.Wait()
		})
	}
	done.Wait()
	seen := map[int]bool{}
	for _, tid := range tids {
		seen[tid] = true
	}
	if len(seen) != n {
		return fmt.Errorf("%d threads for %d goroutines", len(seen), n)
	}
	return nil
}

// openDescriptors lists those from 3 to 200 that came from the parent: what
// Go opens by itself is close-on-exec.
func openDescriptors() []int {
	var open []int
	for fd := 3; fd < 200; fd++ {
		flags, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), unix.F_GETFD, 0)
		if errno == 0 && flags&unix.FD_CLOEXEC == 0 {
			open = append(open, fd)
		}
	}
	return open
}

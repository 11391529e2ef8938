package sandbox

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// refuseStrays looks at the descriptors above the standard streams. Those
// through which a confined process could still act on the world are an error:
// sockets, and files and devices that are open for writing. Somebody forgot
// to close them, or a library opened them.
func refuseStrays() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list descriptors: %w", err)
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= 2 {
			continue
		}
		var st unix.Stat_t
		if unix.Fstat(fd, &st) != nil {
			continue // closed since, such as the one that listed them
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil {
			continue
		}
		writable := flags&unix.O_ACCMODE != unix.O_RDONLY && flags&unix.O_PATH == 0
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFSOCK:
		case unix.S_IFREG, unix.S_IFBLK, unix.S_IFCHR:
			if !writable {
				continue
			}
		default:
			continue
		}
		name, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil {
			name = "unknown"
		}
		return fmt.Errorf("descriptor %d (%s) is still open and reaches outside\n"+
			"hint: close it before Enter; start the process with Prepare, which also keeps ONNX Runtime's telemetry from opening files", fd, name)
	}
	return nil
}

//go:build unix

package scantest

import (
	"syscall"
	"time"
)

// processor is the time that this process used, by itself and in the system for it.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

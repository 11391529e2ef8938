//go:build !unix

package scantest

import "time"

// processor is the time of the clock, where the system does not tell the processor's.
func processor() time.Duration { return time.Duration(time.Now().UnixNano()) }

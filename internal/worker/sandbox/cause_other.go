//go:build !unix

package sandbox

import "os"

// deathSignal is empty: this system ends no process by a signal.
func deathSignal(*os.ProcessState) string { return "" }

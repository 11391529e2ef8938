//go:build !linux

package sandbox

import "runtime"

// Enter confines nothing on this system and says so in Status.Missing.
func Enter(p Policy) (Status, error) {
	if err := p.check(); err != nil {
		return Status{}, err
	}
	return Status{Missing: []string{
		"there is no sandbox on " + runtime.GOOS + ": the model's process has every power of its user " +
			"and no limit on memory and processor time; run on Linux, or in a container or virtual machine",
	}}, nil
}

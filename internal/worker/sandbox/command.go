package sandbox

import (
	"os"
	"os/exec"
	"time"
)

// waitDelay is how long Wait lingers for the pipes of a child that is dead.
const waitDelay = 2 * time.Second

// Prepare sets up a child process that has not been started, so that it holds
// nothing which [Enter] could not take away again: an environment of its own
// and no inherited descriptors but the standard streams and cmd.ExtraFiles.
// The child leads its own process group, so that an interrupt from the
// keyboard reaches the parent alone; the end of cmd's context kills it.
//
// On Linux the kernel kills the child when the thread that started it ends:
// do not start it from a goroutine that is locked to its thread and ends
// early. Prepare marks every descriptor of the calling process above the
// standard streams as close-on-exec, which affects no child that os/exec
// starts with explicit ExtraFiles.
//
// The caller adds variables to cmd.Env afterwards and sets the streams.
func Prepare(cmd *exec.Cmd) error {
	cmd.Env = environment(os.LookupEnv)
	cmd.WaitDelay = waitDelay
	return isolate(cmd)
}

// environment is what a child needs from its parent's: where the dynamic
// linker looks, and messages in one language. Without ORT_DISABLE_TELEMETRY,
// Microsoft's build of ONNX Runtime 1.30 opens a database of usage events in
// the user's cache folder when it is loaded, and retries for minutes at its
// end when the sandbox keeps it from writing there.
func environment(lookup func(string) (string, bool)) []string {
	env := []string{"LC_ALL=C", "ORT_DISABLE_TELEMETRY=1"}
	if v, ok := lookup("LD_LIBRARY_PATH"); ok {
		env = append(env, "LD_LIBRARY_PATH="+v)
	}
	return env
}

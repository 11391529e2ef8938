package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
)

// Kind sorts the ends that a child process can come to.
type Kind string

// The ends of a child process.
const (
	// Exited means that the process ended by itself with Cause.Code.
	Exited Kind = "exited"
	// Crashed means a fault: Cause.Signal names it where there was one.
	Crashed Kind = "crashed"
	// OutOfMemory means that the memory limit stopped the process.
	OutOfMemory Kind = "out-of-memory"
	// TimeLimit means that the parent ended it after its wall-clock time.
	TimeLimit Kind = "time-limit"
	// CPULimit means that its processor time was used up.
	CPULimit Kind = "cpu-limit"
	// Killed means that somebody else ended it: the kernel when the machine
	// ran short of memory, or a person.
	Killed Kind = "killed"
)

// Cause says why a child process ended.
type Cause struct {
	Kind Kind `json:"kind"`
	// Signal is the name, such as "SIGSEGV", where one is known.
	Signal string `json:"signal,omitempty"`
	// Code is the exit status, -1 where a signal ended the process.
	Code int `json:"code"`
	// Sentence is the same for people.
	Sentence string `json:"sentence"`
}

var (
	// Go's runtime turns a fatal signal into exit status 2 and a line such as
	// "SIGSEGV: segmentation violation" or "[signal SIGBUS: bus error …".
	signalLine = regexp.MustCompile(`(?m)^(?:fatal error: |\[signal |panic: )?(SIG[A-Z0-9]+): `)
	// memoryLine matches what Go, glibc and C++ print when memory is refused.
	memoryLine = regexp.MustCompile(`(?m)^(?:fatal error: )?(?:runtime: (?:out of memory|cannot allocate memory)|` +
		`runtime: cannot allocate heap metadata|out of memory|cannot allocate memory)|` +
		`std::bad_alloc|runtime/cgo: (?:pthread_create failed|out of memory)|runtime/cgo: could not obtain`)
	goFault = regexp.MustCompile(`(?m)^(?:panic|fatal error): (.{1,200})`)
)

// Classify says why a child ended. stderr is what it printed, start and end
// if not all: the reason stands before the stack traces. timedOut is true
// where the parent ended it.
//
// The child writes stderr itself, so a hostile one can pretend to another
// cause; that it did not do its job is certain all the same.
func Classify(state *os.ProcessState, stderr []byte, timedOut bool) Cause {
	if timedOut {
		return Cause{Kind: TimeLimit, Code: -1, Sentence: "it did not finish within its time and was ended"}
	}
	if state == nil {
		return Cause{Kind: Killed, Code: -1, Sentence: "it could not be waited for"}
	}
	code := state.ExitCode()
	signal := deathSignal(state)
	if signal == "" && code == 2 {
		if m := signalLine.FindSubmatch(stderr); m != nil {
			signal = string(m[1])
		}
	}
	c := Cause{Signal: signal, Code: code}
	switch {
	case signal == "SIGXCPU":
		c.Kind, c.Sentence = CPULimit, "it used up its processor time"
	case signal == "SIGKILL":
		c.Kind, c.Sentence = Killed, "it was killed from outside: by the kernel, short of memory or past the limit of processor time, or by a person"
	case (signal != "" || code == 2) && memoryLine.Match(stderr):
		c.Kind, c.Sentence = OutOfMemory, "it asked for more memory than its limit"
	case signal == "SIGTERM" || signal == "SIGINT" || signal == "SIGHUP":
		c.Kind, c.Sentence = Killed, fmt.Sprintf("it was ended from outside (%s)", signal)
	case signal != "":
		c.Kind, c.Sentence = Crashed, fmt.Sprintf("it crashed (%s)", signal)
	case code == 2 && goFault.Match(stderr):
		m := goFault.FindSubmatch(stderr)
		c.Kind, c.Sentence = Crashed, fmt.Sprintf("it crashed: %s", bytes.TrimSpace(m[1]))
	default:
		c.Kind, c.Sentence = Exited, fmt.Sprintf("it ended with exit status %d", code)
	}
	return c
}

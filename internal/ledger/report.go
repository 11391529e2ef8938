package ledger

import (
	"fmt"
	"strings"
)

// maxProblems is how many files a report names before Fsck stops looking.
const maxProblems = 100

// A Problem is a file of a log that is not what it must be.
type Problem struct {
	// Path is slash-separated and relative to the log's folder.
	Path string
	// Reason says what is wrong with it.
	Reason string
}

// A Report is what Fsck found.
type Report struct {
	// Checkpoint is the verified checkpoint; zero if it did not verify, and then
	// nothing else was checked.
	Checkpoint Checkpoint
	// Files is the number of regular files in the folder.
	Files int
	// Problems names each wrong, missing or unexpected file once. Where it
	// cannot be told which of two files is wrong, both are named.
	Problems []Problem
	// Truncated means that Fsck stopped after as many problems as it names.
	Truncated bool
}

// OK reports whether no problem was found.
func (r *Report) OK() bool { return len(r.Problems) == 0 }

// Err returns nil if no problem was found, else an error with a line for each.
func (r *Report) Err() error {
	if r.OK() {
		return nil
	}
	var b strings.Builder
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "\n%s: %s", p.Path, p.Reason)
	}
	if r.Truncated {
		b.WriteString("\nand more")
	}
	return fmt.Errorf("check log: %d files are wrong:%s", len(r.Problems), b.String())
}

// add records a problem, the first for each path.
func (r *Report) add(path, format string, args ...any) {
	if r.Truncated || r.has(path) {
		return
	}
	if len(r.Problems) == maxProblems {
		r.Truncated = true
		return
	}
	r.Problems = append(r.Problems, Problem{Path: path, Reason: fmt.Sprintf(format, args...)})
}

func (r *Report) has(path string) bool {
	for _, p := range r.Problems {
		if p.Path == path {
			return true
		}
	}
	return false
}

package engine

import (
	"bufio"
	"context"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/worker"
)

// environment says where a run happens, as far as results can depend on it.
func environment(ready worker.Ready, library, tool string) evidence.Environment {
	s := ready.Sandbox
	e := evidence.Environment{
		ID: "e-1", OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Threads: 1,
		Runtime: "none", Tool: tool + ", " + runtime.Version(), Missing: s.Missing,
		Sandbox: map[string]string{
			"landlock": "absent", "seccomp": onOff(s.Seccomp), "limits": onOff(s.Limits),
		},
	}
	if s.Landlock > 0 {
		e.Sandbox["landlock"] = "ABI " + strconv.Itoa(s.Landlock)
	}
	if library != "" {
		e.Runtime = "ONNX Runtime " + ready.Runtime
		if d, _, err := artefact.DigestOf(context.Background(), library); err == nil {
			e.Runtime += " (" + string(d) + ")"
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		e.Kernel = strings.TrimSpace(string(b))
	}
	e.Processor, e.Features = processor()
	return e
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "absent"
}

// processor reads the model and the instruction sets that change how floating-point sums are ordered.
func processor() (name string, features []string) {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown", nil
	}
	defer f.Close()
	name = "unknown"
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "model name":
			name = value
		case "flags", "Features":
			for _, flag := range strings.Fields(value) {
				if slices.Contains([]string{"sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "amx_tile", "asimd", "sve", "sve2"}, flag) {
					features = append(features, flag)
				}
			}
			return name, features
		}
	}
	return name, features
}

package ort

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// PinnedVersion is the version of ONNX Runtime that Locate fetches.
const PinnedVersion = "1.30.0"

// minMinor is the oldest 1.x release whose API the Go binding asks for.
const minMinor = 24

// EnvVar is the environment variable that names the library to use.
const EnvVar = "ASSIZE_ONNXRUNTIME"

// build is one platform's library inside the npm package onnxruntime-node.
type build struct {
	path   string // in the package
	file   string // in the cache
	sha256 string
	bytes  int64
}

// pinned lists the libraries of onnxruntime-node 1.30.0 by platform, with
// the digests of the files in the published package.
func pinned(goos, goarch string) (build, bool) {
	const napi = "package/bin/napi-v6/"
	b, ok := map[string]build{
		"linux/amd64": {napi + "linux/x64/libonnxruntime.so.1", "libonnxruntime.so.1",
			"ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23", 45828512},
		"linux/arm64": {napi + "linux/arm64/libonnxruntime.so.1", "libonnxruntime.so.1",
			"1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76", 25135496},
		"darwin/arm64": {napi + "darwin/arm64/libonnxruntime." + PinnedVersion + ".dylib", "libonnxruntime.dylib",
			"685d2be5dba1309c89d3a5324b7fd06a5c42f1a61bfea32d14c4cc28d072121d", 44589928},
	}[goos+"/"+goarch]
	return b, ok
}

// Source says where Locate looks and what it may do.
type Source struct {
	Path    string   // the library to use, before anything else; empty: none named
	Cache   string   // folder of fetched libraries, one subfolder a version
	System  []string // folders of the system's libraries
	Offline bool     // do not fetch
	Log     io.Writer
}

// DefaultSource takes the path from the environment variable
// ASSIZE_ONNXRUNTIME, the cache from the user's cache directory and the
// folders in which Linux keeps libraries. Log receives a line where
// something is fetched or passed over; it may be nil.
func DefaultSource(log io.Writer) (Source, error) {
	s := Source{Path: os.Getenv(EnvVar), Log: log}
	if runtime.GOOS == "linux" {
		s.System = []string{"/usr/local/lib", "/usr/lib64", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"}
	}
	cache, err := os.UserCacheDir()
	if err != nil && s.Path == "" && len(embedded()) == 0 {
		return s, fmt.Errorf("find the cache folder: %w\nhint: set HOME, or set %s to the library", err, EnvVar)
	}
	if err == nil {
		s.Cache = filepath.Join(cache, "assize", "onnxruntime")
	}
	return s, nil
}

// Locate returns the path of an ONNX Runtime library: the one that is named,
// else the one in the cache whose digest is the pinned one, else the one that the
// build carries (-tags ortembed), unpacked into the cache once, else a system
// library that is new enough, else one that it fetches into the cache with
// npm, once (113 MB).
func Locate(ctx context.Context, s Source) (string, error) {
	if s.Path != "" {
		if info, err := os.Stat(s.Path); err != nil || !info.Mode().IsRegular() {
			return "", fmt.Errorf("locate ONNX Runtime: %s names %q, which is no file\nhint: set it to libonnxruntime.so, or unset it",
				EnvVar, s.Path)
		}
		return filepath.Abs(s.Path)
	}
	b, ok := pinned(runtime.GOOS, runtime.GOARCH)
	if ok && s.Cache != "" {
		path := filepath.Join(s.Cache, PinnedVersion, b.file)
		switch err := b.check(path); {
		case err == nil:
			return path, nil
		case !errors.Is(err, os.ErrNotExist):
			s.logf("passing over %s: %v", path, err)
		}
	}
	if packed := embedded(); ok && len(packed) > 0 {
		path, err := s.unpack(b, packed)
		if err != nil {
			return "", fmt.Errorf("unpack ONNX Runtime %s: %w", PinnedVersion, err)
		}
		return path, nil
	}
	if path := s.system(); path != "" {
		return path, nil
	}
	const remedy = "\nhint: set " + EnvVar + " to libonnxruntime.so of version 1.24 or newer (from the releases of microsoft/onnxruntime)"
	switch {
	case !ok:
		return "", fmt.Errorf("locate ONNX Runtime: no build is pinned for %s/%s%s", runtime.GOOS, runtime.GOARCH, remedy)
	case s.Offline:
		return "", fmt.Errorf("locate ONNX Runtime: it is not on this machine and fetching is off%s", remedy)
	}
	path, err := s.fetch(ctx, b)
	if err != nil {
		return "", fmt.Errorf("fetch ONNX Runtime %s: %w%s, or install npm and try again online", PinnedVersion, err, remedy)
	}
	return path, nil
}

func (s Source) logf(format string, a ...any) {
	if s.Log != nil {
		fmt.Fprintf(s.Log, format+"\n", a...)
	}
}

// check compares size and digest of the file with the pinned ones.
func (b build) check(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, b.bytes+1))
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); n != b.bytes || got != b.sha256 {
		return fmt.Errorf("its digest is sha256:%s, not the pinned sha256:%s", got, b.sha256)
	}
	return nil
}

var soVersion = regexp.MustCompile(`\.so\.1\.(\d+)`)

// system returns a system library whose file name tells a version that is
// new enough, or nothing.
func (s Source) system() string {
	for _, dir := range s.System {
		for _, name := range []string{"libonnxruntime.so.1", "libonnxruntime.so"} {
			path, err := filepath.EvalSymlinks(filepath.Join(dir, name))
			if err != nil {
				continue
			}
			m := soVersion.FindStringSubmatch(filepath.Base(path))
			if m == nil {
				s.logf("passing over %s: its name does not tell its version", path)
				continue
			}
			if minor, err := strconv.Atoi(m[1]); err != nil || minor < minMinor {
				s.logf("passing over %s: version %s is older than 1.%d", path, strings.TrimPrefix(m[0], ".so."), minMinor)
				continue
			}
			return path
		}
	}
	return ""
}

package ort_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/assize/assize/internal/onnx/ort"
)

func TestLocate(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("the table below is that of Linux")
	}
	file := func(path string) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("no library"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dir := t.TempDir()
	named := file(filepath.Join(dir, "named.so"))
	damaged := filepath.Join(dir, "damaged")
	file(filepath.Join(damaged, ort.PinnedVersion, "libonnxruntime.so.1"))
	system := func(name string) string {
		t.Helper()
		folder := filepath.Join(dir, "system-"+name)
		file(filepath.Join(folder, name))
		if err := os.Symlink(name, filepath.Join(folder, "libonnxruntime.so")); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	oldSystem, newSystem, oddSystem := system("libonnxruntime.so.1.21.0"), system("libonnxruntime.so.1.24.1"), system("libort.so")
	for _, test := range []struct {
		name string
		src  ort.Source
		want string // path, or part of the error
		log  string
	}{
		{"named", ort.Source{Path: named, System: []string{newSystem}}, named, ""},
		{"named but absent", ort.Source{Path: filepath.Join(dir, "absent.so")}, "which is no file\nhint: set it to", ""},
		{"a folder", ort.Source{Path: dir}, "which is no file", ""},
		{"system", ort.Source{Cache: filepath.Join(dir, "none"), System: []string{dir, newSystem}}, filepath.Join(newSystem, "libonnxruntime.so.1.24.1"), ""},
		{"old system", ort.Source{System: []string{oldSystem}, Offline: true}, "fetching is off\nhint: set ASSIZE_ONNXRUNTIME", "version 1.21 is older than 1.24"},
		{"odd system", ort.Source{System: []string{oddSystem}, Offline: true}, "fetching is off", "does not tell its version"},
		{"damaged cache", ort.Source{Cache: damaged, Offline: true}, "fetching is off", "not the pinned sha256:"},
	} {
		var log bytes.Buffer
		test.src.Log = &log
		got, err := ort.Locate(context.Background(), test.src)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, test.want) || err == nil && got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if (test.log == "") != (log.Len() == 0) || !strings.Contains(log.String(), test.log) {
			t.Errorf("%s: logged %q, want %q", test.name, log.String(), test.log)
		}
	}
}

// TestFetchRefuses stands a script in for npm: nothing that it leaves may
// reach the cache unless its digest is the pinned one.
func TestFetchRefuses(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("the stand-in is a shell script, and the platform needs a pinned build")
	}
	const pack = `for a in linux/x64 linux/arm64; do d=package/bin/napi-v6/$a; mkdir -p $d; echo evil > $d/libonnxruntime.so.1; done; `
	for _, test := range []struct{ name, script, want string }{
		{"no npm", "", "npm is not installed"},
		{"offline", "echo 'npm error code ENOTFOUND' >&2; exit 1", "npm pack: code ENOTFOUND"},
		{"nothing packed", "true", "left no package"},
		{"no archive", "echo hello > x.tgz", "unpack"},
		{"library missing", "mkdir package; tar czf x.tgz package", "no package/bin/napi-v6/linux/"},
		{"another library", pack + "tar czf x.tgz package", "is refused: its digest is sha256:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bin, cache := t.TempDir(), t.TempDir()
			if test.script != "" {
				script := "#!/bin/sh\nPATH=/usr/bin:/bin\n" + test.script + "\n"
				if err := os.WriteFile(filepath.Join(bin, "npm"), []byte(script), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", bin)
			_, err := ort.Locate(context.Background(), ort.Source{Cache: cache})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Count(err.Error(), "\n") != 1 ||
				!strings.Contains(err.Error(), "\nhint: set ASSIZE_ONNXRUNTIME") {
				t.Errorf("got %v, want one line with %q and a hint", err, test.want)
			}
			left, err := filepath.Glob(filepath.Join(cache, "*", "*"))
			if err != nil || len(left) != 0 {
				t.Errorf("got %v left in the cache (%v), want nothing", left, err)
			}
			if hidden, _ := filepath.Glob(filepath.Join(cache, ".fetch-*")); len(hidden) != 0 {
				t.Errorf("got %v left in the cache", hidden)
			}
		})
	}
}

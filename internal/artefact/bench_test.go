package artefact_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/artefact"
)

const gibibyte = 1 << 30

// bigFile writes 1 GiB that is not all zeros and reads it once, so that
// neither side of a comparison waits for the disk.
func bigFile(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "big")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = byte(i * i >> 7)
	}
	for i := range gibibyte / len(block) {
		block[0] = byte(i)
		if _, err := f.Write(block); err != nil {
			b.Fatal(err)
		}
	}
	return path
}

// BenchmarkDigest digests a file of 1 GiB and, where OpenSSL is installed, has
// "openssl dgst -sha256" digest the same file in turn with it. It reports the
// ratio of the least times of both and checks that both say the same.
//
//	go test -run '^$' -bench Digest -benchtime 5x ./internal/artefact
func BenchmarkDigest(b *testing.B) {
	path := bigFile(b)
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		b.Log("no ratio: openssl is not installed")
	}
	b.SetBytes(gibibyte)
	b.ReportAllocs()
	ours, theirs := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		got, _, err := artefact.DigestOf(context.Background(), path)
		if err != nil {
			b.Fatal(err)
		}
		ours = min(ours, time.Since(start))
		if openssl == "" {
			continue
		}
		b.StopTimer()
		start = time.Now()
		out, err := exec.Command(openssl, "dgst", "-sha256", "-r", path).Output()
		if err != nil {
			b.Fatal(err)
		}
		theirs = min(theirs, time.Since(start))
		if want, _, _ := strings.Cut(string(out), " "); got.Hex() != want {
			b.Fatalf("got %s, want %s", got.Hex(), want)
		}
		b.StartTimer()
	}
	if openssl != "" {
		b.ReportMetric(float64(ours)/float64(theirs), "times-openssl")
	}
}

package verify_test

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/verify"
)

// verifyThis names the dossier that the test binary verifies in place of tests.
const verifyThis = "ASSIZE_TEST_VERIFY"

// mostBytes is what verification may take, whatever the dossier.
const mostBytes = 512 << 20

// TestChildVerifies is no test: it is what TestBombs measures.
func TestChildVerifies(t *testing.T) {
	dir := os.Getenv(verifyThis)
	if dir == "" {
		t.Skip("only as a child of TestBombs")
	}
	r := must(verify.Dossier(context.Background(), dir, nil))(t)
	t.Logf("failures: %q", failed(r))
	status := must(os.ReadFile("/proc/self/status"))(t)
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	t.Logf("peak: %s", strings.Fields(peak)[0])
}

// TestBombs verifies dossiers that are small on disk and large in memory, or as
// large as any that is read, in a child process whose peak the kernel tells.
func TestBombs(t *testing.T) {
	base := honest(t)
	main := func(key, element string, bytes int) func(*run) {
		return func(r *run) {
			r.put(dossier.MainName, []byte(`{"`+key+`":[`+strings.Repeat(element+",", bytes/(len(element)+1))+element+`]}`))
			r.sign()
		}
	}
	rows := func(number string, columns, each int) func(*run) {
		return func(r *run) {
			column := `{"name":"a","values":[` + strings.Repeat(number+",", each-1) + number + `]}`
			file := []byte(`{"rows":{"columns":[` + strings.Repeat(column+",", columns-1) + column + `],"index":[` + strings.Repeat("0,", each-1) + `0]},"salt":"` + strings.Repeat("c3Nz", 10) + `c3M="}`)
			o := &r.d.Observations[1]
			digest := artefact.DigestBytes(file).Hex()
			o.RowsFile, o.RowsCount = evidence.Salted+digest, each
			r.put(dossier.EvidencePath(digest), file)
			sealed := must(o.Seal())(t)
			r.put(dossier.EvidencePath(o.Digest.Hex()), sealed)
			r.put(dossier.MainName, must(r.d.Encode())(t))
			r.sign()
		}
	}
	for _, tt := range []struct {
		name, want string
		change     func(*run)
	}{
		{"empty observations", "more than 200000 values", main("observations", "{}", 31<<20)},
		{"numbers for observations", "more than 200000 values", main("observations", "0", 31<<20)},
		{"empty observations, few enough", "canonical", main("observations", "{}", 295_000)},
		{"long numbers", "stands twice", rows("0.1234567890123456", 12, 410_000)},
		{"many rows", "stands twice", rows("0", 1, 2_000_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := base.copy(t)
			r.write()
			tt.change(r)
			c := exec.Command(must(os.Executable())(t), "-test.run=^TestChildVerifies$", "-test.v")
			c.Env = append(os.Environ(), verifyThis+"="+r.dir)
			out, err := c.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %.500s", err, out)
			}
			if !strings.Contains(string(out), tt.want) {
				t.Errorf("got %.800s\nwant %q", out, tt.want)
			}
			_, text, _ := strings.Cut(string(out), "peak: ")
			peak := must(strconv.Atoi(strings.Fields(text)[0]))(t) << 10
			t.Logf("%d MiB", peak>>20)
			if peak > mostBytes {
				t.Errorf("verification took %d MiB, more than %d", peak>>20, mostBytes>>20)
			}
		})
	}
}

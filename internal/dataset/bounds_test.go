package dataset_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/dataset"
)

// writeNumbers writes a CSV file of about so many bytes with this many
// columns; digits is the precision of its numbers, 0 for small whole ones.
func writeNumbers(t testing.TB, sizeBytes, columns, digits int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "numbers.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	for c := range columns {
		fmt.Fprintf(w, "c%d,", c)
	}
	w.WriteString("y\n")
	// The same thousand lines over and over: making numbers is slow.
	random := rand.New(rand.NewPCG(1, 2))
	var lines []byte
	for i := range 1000 {
		for range columns {
			if digits == 0 {
				lines = strconv.AppendInt(lines, random.Int64N(1000), 10)
			} else {
				lines = strconv.AppendFloat(lines, random.NormFloat64(), 'g', digits, 64)
			}
			lines = append(lines, ',')
		}
		lines = strconv.AppendInt(lines, int64(i%2), 10)
		lines = append(lines, '\n')
	}
	for n := 0; n < sizeBytes; n += len(lines) {
		if _, err := w.Write(lines); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return path
}

// peak is the most by which the heap grew while f ran, seen by sampling.
func peak(f func()) uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	before, most := stats.HeapAlloc, stats.HeapAlloc
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var stats runtime.MemStats
		for {
			select {
			case <-done:
				return
			default:
				runtime.ReadMemStats(&stats)
				most = max(most, stats.HeapAlloc)
				time.Sleep(time.Millisecond)
			}
		}
	}()
	f()
	close(done)
	<-ended
	return most - before
}

func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a file of 200 MB")
	}
	path := writeNumbers(t, 200<<20, 20, 9)
	spec := dataset.Spec{Path: path, Label: "y"}
	rows := make([]int, 100)
	for i := range rows {
		rows[i] = 850_000 - 8_000*i
	}
	grown := peak(func() {
		table, err := dataset.Select(context.Background(), spec, rows)
		if err != nil {
			t.Error(err)
		} else if table.Len() != 100 {
			t.Errorf("%d rows, want 100", table.Len())
		}
	})
	if grown > 20<<20 {
		t.Errorf("heap grew by %d bytes, want under 20 MiB", grown)
	}
}

func TestRecordIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quote.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("a,b\n" + strings.Repeat("1,2\n", 300) + "1,\"no end"); err != nil {
		t.Fatal(err)
	}
	// A hole in the file reads as 2 GB of zeros.
	if err := f.Truncate(2 << 30); err != nil {
		t.Fatal(err)
	}
	for _, read := range []func(){
		func() {
			_, err = dataset.Inspect(context.Background(), dataset.Spec{Path: path})
		},
		func() {
			_, err = dataset.ReadAll(context.Background(), dataset.Spec{Path: path})
		},
	} {
		grown := peak(read)
		onlyError(t, err, "from line 302: a record is longer than 4194304 bytes\nhint: is a quote left open?")
		if grown > 20<<20 {
			t.Errorf("heap grew by %d bytes, want under 20 MiB", grown)
		}
	}
}

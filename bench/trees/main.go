// Command trees searches the distance of rows to another class of a tree
// ensemble and prints one line a row: row, margin, distance, microseconds.
package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

func main() {
	path := flag.String("model", "", "the model, in any format that the tree readers take, gzipped or not")
	rows := flag.String("rows", "", "the rows, in LIBSVM's text format, gzipped or not")
	count := flag.Int("count", 100, "how many rows")
	flag.Parse()
	if err := run(*path, *rows, *count); err != nil {
		fmt.Fprintln(os.Stderr, "trees:", err)
		os.Exit(1)
	}
}

func open(path string) (io.Reader, error) {
	f, err := os.Open(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return f, err
	}
	return gzip.NewReader(f)
}

func run(path, rows string, count int) error {
	f, err := open(path)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	e, err := tree.Read(b, tree.DefaultLimits())
	if err != nil {
		return err
	}
	g, err := exact.New(e, exact.Unbounded(e.Features))
	if err != nil {
		return err
	}
	in, err := open(rows)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for i := 0; i < count && lines.Scan(); i++ {
		x := make([]float32, e.Features)
		for _, p := range strings.Fields(lines.Text())[1:] {
			k, v, _ := strings.Cut(p, ":")
			f, err := strconv.Atoi(k)
			if err != nil {
				return err
			}
			w, err := strconv.ParseFloat(v, 32)
			if err != nil {
				return err
			}
			if f < len(x) {
				x[f] = float32(w)
			}
		}
		aim := exact.Over(0, false)
		if now, err := g.Search(context.Background(), x, aim, exact.Options{}); err != nil {
			return err
		} else if now.Upper == 0 {
			aim = exact.Under(0, true)
		}
		got, err := g.Search(context.Background(), x, aim, exact.Options{})
		if err != nil {
			return err
		}
		fmt.Printf("%d,%.10g,%.10g,%v,%.1f\n", i, got.Lower, got.Upper, got.Exact, got.Time.Seconds()*1e6)
	}
	return lines.Err()
}

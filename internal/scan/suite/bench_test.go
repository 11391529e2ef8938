package suite_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
	"github.com/assize/assize/internal/scan/suite"
)

// BenchmarkOpaque compares scanning a large file of arrays with reading it and with
// reading and digesting it, which every scan does.
func BenchmarkOpaque(b *testing.B) {
	const size = 256 << 20
	header := fmt.Sprintf(`{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}`, size, size)
	path := filepath.Join(b.TempDir(), "a.safetensors")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	f.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...))
	chunk := make([]byte, 1<<20)
	for i := range chunk {
		chunk[i] = byte(i * i)
	}
	for range size >> 20 {
		f.Write(chunk)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	read := func(to io.Writer) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		for {
			n, err := f.Read(chunk)
			to.Write(chunk[:n])
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	set, err := rules.Load()
	if err != nil {
		b.Fatal(err)
	}
	s := suite.Scanner(set, time.Now)
	for _, test := range []struct {
		name string
		run  func() error
	}{
		{"read", func() error { return read(io.Discard) }},
		{"read and digest", func() error { return read(sha256.New()) }},
		{"scan", func() error {
			return s.Path(b.Context(), path, func(r scan.FileReport) error {
				if r.Outcome != scan.Clean {
					return fmt.Errorf("%+v", r)
				}
				return nil
			})
		}},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if err := test.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

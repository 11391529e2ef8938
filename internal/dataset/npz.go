package dataset

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// maxDirectory bounds what is read of a zip's directory.
	maxDirectory = 4 << 20
	// maxDeflate is the most that deflate can shrink (RFC 1951: 258 bytes in 2 bits).
	maxDeflate = 1032
	arrayRead  = 256 << 10
)

// archive is an open NPZ file.
type archive struct {
	members map[string]*zip.File // by name without ".npy"
	names   []string             // in the order of the file
	size    int64                // of the whole file
}

// budget is a reader that stops after so many bytes; 0 or less is spent.
type budget struct {
	r    io.ReaderAt
	left int64
	on   bool
}

func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	if b.on {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, fmt.Errorf("the directory of the zip is longer than %d bytes", maxDirectory)
		}
	}
	return b.r.ReadAt(p, off)
}

func openArchive(f io.ReaderAt, size int64) (*archive, error) {
	limited := &budget{r: f, left: maxDirectory, on: true}
	z, err := zip.NewReader(limited, size)
	// Names are only compared here, never used as paths.
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		if errors.Is(err, zip.ErrFormat) {
			err = errors.New("the zip cannot be read: it is cut short or damaged")
		}
		return nil, err
	}
	limited.on = false
	a := &archive{members: make(map[string]*zip.File, len(z.File)), size: size}
	for _, m := range z.File {
		name, isArray := strings.CutSuffix(m.Name, ".npy")
		if !isArray {
			continue
		}
		if _, twice := a.members[name]; twice {
			return nil, fmt.Errorf("two arrays are named %q", clip(name))
		}
		a.members[name] = m
		a.names = append(a.names, name)
	}
	if len(a.names) == 0 {
		return nil, errors.New("the zip holds no arrays (*.npy)")
	}
	return a, nil
}

// open opens the named array for reading from its first element.
func (a *archive) open(name string) (*array, error) {
	m, ok := a.members[name]
	if !ok {
		return nil, fmt.Errorf("there is no array %q%s", clip(name), didYouMean(name, a.names))
	}
	in := func(err error) error { return fmt.Errorf("array %q: %w", clip(name), err) }
	switch {
	case m.Flags&1 != 0:
		return nil, in(errors.New("it is encrypted"))
	case m.Method != zip.Store && m.Method != zip.Deflate:
		return nil, in(fmt.Errorf("compression method %d is not read\nhint: use numpy.savez or numpy.savez_compressed", m.Method))
	case m.CompressedSize64 > uint64(a.size):
		return nil, in(fmt.Errorf("it claims %d compressed bytes, more than the file has", m.CompressedSize64))
	case m.UncompressedSize64/maxDeflate > m.CompressedSize64, m.UncompressedSize64 > 1<<62:
		return nil, in(fmt.Errorf("it claims %d bytes, more than its %d compressed bytes can hold", m.UncompressedSize64, m.CompressedSize64))
	}
	r, err := m.Open()
	if err != nil {
		return nil, in(err)
	}
	arr, err := openArray(bufio.NewReaderSize(r, arrayRead), int64(m.UncompressedSize64))
	if err != nil {
		return nil, in(err)
	}
	return arr, nil
}

// input chooses the array that holds the rows: the one asked for, else the
// only one apart from those that are spoken for.
func (a *archive) input(asked, label string) (string, error) {
	if asked != "" {
		return asked, nil
	}
	var free []string
	for _, n := range a.names {
		if n != label {
			free = append(free, n)
		}
	}
	if len(free) != 1 {
		return "", fmt.Errorf("it is not said which array holds the rows\nhint: name one of %s", list(a.names))
	}
	return free[0], nil
}

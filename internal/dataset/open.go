package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// openFile opens a regular file that is not empty and says how long it is.
func openFile(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	switch {
	case info.IsDir():
		return nil, 0, errors.New("it is a folder\nhint: name the file in it")
	case !info.Mode().IsRegular():
		return nil, 0, fmt.Errorf("it is no regular file but %s", info.Mode().Type())
	case info.Size() == 0:
		return nil, 0, errors.New("the file is empty")
	}
	f, err := os.Open(path)
	return f, info.Size(), err
}

// sniff tells the format from the first bytes. The name counts only to catch
// a file that is not what it is called.
func sniff(f io.ReaderAt, path string) (Format, error) {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	head = head[:n]
	starts := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case starts(magic):
		return NPY, nil
	case starts("PK\x03\x04"), starts("PK\x05\x06"):
		return NPZ, nil
	case starts("\x1f\x8b"):
		return "", errors.New("the file is compressed with gzip\nhint: unpack it first")
	case starts("PAR1"):
		return "", errors.New("Parquet is not read\nhint: write it as CSV or NPZ")
	case starts("\x89HDF"):
		return "", errors.New("HDF5 is not read\nhint: write it as CSV or NPZ")
	case starts("\xff\xfe"), starts("\xfe\xff"):
		return "", errors.New("the text is UTF-16\nhint: write it as UTF-8")
	case len(head) > 1 && head[0] == 0x80 && head[1] <= 5:
		return "", errors.New("it looks like a Python pickle, which is never opened\nhint: write the data as CSV or with numpy.savez")
	}
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".npy" || ext == ".npz" {
		return "", fmt.Errorf("the file is called %s but does not begin like one", ext)
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return "", errors.New("neither CSV, NPY nor NPZ: the file holds zero bytes")
	}
	return CSV, nil
}

// open opens the data set of spec. The file stays the caller's to close.
func open(spec Spec) (source, io.Closer, error) {
	f, size, err := openFile(spec.Path)
	if err != nil {
		return nil, nil, err
	}
	src, err := openSource(f, size, spec)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return src, f, nil
}

func openSource(f *os.File, size int64, spec Spec) (source, error) {
	format, err := sniff(f, spec.Path)
	if err != nil {
		return nil, err
	}
	if format == CSV {
		c, err := openCSV(f, spec)
		if err != nil {
			return nil, err
		}
		return c, c.bind(spec)
	}
	return openArrays(f, size, format, spec)
}

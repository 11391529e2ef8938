package dataset

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

const (
	magic = "\x93NUMPY"
	// maxHeader is the longest header that NumPy reads unless told otherwise.
	maxHeader = 10_000
	// blockBytes is the most that is decoded at a time.
	blockBytes = 64 << 10
)

// array is one NumPy array whose elements are still to be read from r.
type array struct {
	r       io.Reader
	dtype   dtype
	fortran bool
	shape   []int // of the whole array
	rows    int
	width   int // elements a row
}

// openArray reads an array's header. size is the number of bytes that r holds,
// header and all; a shape that does not fill them exactly is refused.
func openArray(r io.Reader, size int64) (*array, error) {
	start := make([]byte, len(magic)+2)
	if _, err := io.ReadFull(r, start); err != nil || string(start[:len(magic)]) != magic {
		return nil, errors.New("it is no NumPy array: it does not begin with \\x93NUMPY")
	}
	lengthBytes := 2
	switch major, minor := start[len(magic)], start[len(magic)+1]; {
	case minor != 0 || major < 1 || major > 3:
		return nil, fmt.Errorf("NumPy format version %d.%d is not known", major, minor)
	case major > 1:
		lengthBytes = 4
	}
	field := make([]byte, 4)
	if _, err := io.ReadFull(r, field[:lengthBytes]); err != nil {
		return nil, errors.New("the array ends within its header")
	}
	length := int64(binary.LittleEndian.Uint32(field))
	if length > maxHeader {
		return nil, fmt.Errorf("array header of %d bytes: the limit is %d", length, maxHeader)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, errors.New("the array ends within its header")
	}
	h, err := parseHeader(string(text))
	if err != nil {
		return nil, err
	}
	a := &array{r: r, fortran: h.fortran, shape: h.shape}
	if a.dtype, err = parseDtype(h.descr); err != nil {
		return nil, err
	}
	return a, a.measure(size - int64(len(start)+lengthBytes) - length)
}

// measure works out rows and width and compares the shape with the bytes
// that are left for the elements.
func (a *array) measure(left int64) error {
	if len(a.shape) == 0 {
		return errors.New("the array is a single number, not rows")
	}
	total, over := uint64(a.dtype.size), uint64(0)
	for _, n := range a.shape {
		if n == 0 {
			return fmt.Errorf("the array of shape %v is empty", a.shape)
		}
		var high uint64
		high, total = bits.Mul64(total, uint64(n))
		over |= high
	}
	if over != 0 || total > 1<<62 {
		return fmt.Errorf("shape %v is more than can exist", a.shape)
	}
	switch need := int64(total); {
	case need > left:
		return fmt.Errorf("shape %v needs %d bytes, but %d are there: the array is cut short", a.shape, need, left)
	case need < left:
		return fmt.Errorf("%d bytes are left over after the array of shape %v", left-need, a.shape)
	}
	a.rows, a.width = a.shape[0], 1
	for _, n := range a.shape[1:] {
		a.width *= n
	}
	return nil
}

// walk hands over blocks in the order of the file, until done says that no
// row from the given one on is wanted.
func (a *array) walk(ctx context.Context, wanted func(row int) bool, put func(block) error) error {
	// One value a row lies the same way in both orders.
	if a.width == 1 || a.fortran {
		return a.walkColumns(ctx, put)
	}
	buffer := newBlockBuffer(a, a.width)
	for row := 0; row < a.rows && wanted(row); row++ {
		for col := 0; col < a.width; {
			v, err := buffer.read(ctx, a.width-col)
			if err == nil {
				err = put(block{row: row, col: col, v: v})
			}
			if err != nil {
				return err
			}
			col += len(v)
		}
		if row == a.rows-1 {
			return atEnd(a.r)
		}
	}
	return nil
}

// walkColumns reads an array of Fortran order: the first index varies fastest.
func (a *array) walkColumns(ctx context.Context, put func(block) error) error {
	buffer := newBlockBuffer(a, a.rows)
	index := make([]int, len(a.shape)) // of the column, first place unused
	for range a.width {
		col := 0
		for d := 1; d < len(a.shape); d++ {
			col = col*a.shape[d] + index[d]
		}
		for row := 0; row < a.rows; {
			v, err := buffer.read(ctx, a.rows-row)
			if err == nil {
				err = put(block{row: row, col: col, down: true, v: v})
			}
			if err != nil {
				return err
			}
			row += len(v)
		}
		for d := 1; d < len(a.shape); d++ {
			if index[d]++; index[d] < a.shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return atEnd(a.r)
}

// atEnd reads on to the end, which is where a zip compares its checksum.
func atEnd(r io.Reader) error {
	n, err := r.Read(make([]byte, 1))
	if n > 0 {
		return errors.New("bytes are left over after the array")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// blockBuffer decodes elements a block at a time.
type blockBuffer struct {
	a      *array
	bytes  []byte
	values []float64
}

func newBlockBuffer(a *array, run int) *blockBuffer {
	n := min(run, blockBytes/a.dtype.size)
	return &blockBuffer{a: a, bytes: make([]byte, n*a.dtype.size), values: make([]float64, n)}
}

// read decodes the next elements, at most so many.
func (b *blockBuffer) read(ctx context.Context, most int) ([]float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n := min(most, len(b.values))
	raw := b.bytes[:n*b.a.dtype.size]
	if _, err := io.ReadFull(b.a.r, raw); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the array is cut short")
		}
		return nil, err
	}
	for i := range n {
		b.values[i] = b.a.dtype.decode(raw[i*b.a.dtype.size:])
	}
	return b.values[:n], nil
}

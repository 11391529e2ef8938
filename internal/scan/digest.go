package scan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// A hasher takes its bytes in blocks of this size, and holds so many of them.
const (
	blockBytes = 512 << 10
	blocks     = 4
)

// hasher makes a SHA-256 in a goroutine of its own, so that whoever gives it bytes
// gets the next ones meanwhile.
type hasher struct {
	block      []byte // being filled
	full, free chan []byte
	done       chan struct{}
	sum        hash.Hash
}

func newHasher() *hasher {
	h := &hasher{full: make(chan []byte, blocks), free: make(chan []byte, blocks), done: make(chan struct{}), sum: sha256.New()}
	for range blocks {
		h.free <- nil // made when they are needed
	}
	go func() {
		defer close(h.done)
		for b := range h.full {
			h.sum.Write(b)
			h.free <- b[:0]
		}
	}()
	return h
}

// next is room for bytes, at most a block. What is put there is taken by filled.
func (h *hasher) next() []byte {
	if h.block == nil {
		if h.block = <-h.free; h.block == nil {
			h.block = make([]byte, 0, blockBytes)
		}
	}
	return h.block[len(h.block):cap(h.block)]
}

// filled takes the first n bytes of what next gave.
func (h *hasher) filled(n int) {
	if h.block = h.block[:len(h.block)+n]; len(h.block) == cap(h.block) {
		h.full <- h.block
		h.block = nil
	}
}

// Write takes a copy of bytes.
func (h *hasher) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := copy(h.next(), rest)
		h.filled(n)
		rest = rest[n:]
	}
	return len(p), nil
}

// close ends the goroutine and gives the digest of all bytes.
func (h *hasher) close() string {
	if len(h.block) > 0 {
		h.full <- h.block
	}
	close(h.full)
	<-h.done
	return "sha256:" + hex.EncodeToString(h.sum.Sum(nil))
}

// digested is a content whose digest was made while it was expanded, "" where it was not.
type digested interface{ digest() string }

// digest begins the digest of a file or member and returns what waits for it. That of
// a large file is made beside the reader. The bytes that both want come from the system's
// cache a second time, which costs a fiftieth of digesting them.
func (r *run) digest(ctx context.Context, in *Input) func() (string, error) {
	if r.scanner.NoDigest {
		return func() (string, error) { return "", nil }
	}
	if in.Depth > 0 || in.Size <= blockBytes {
		return func() (string, error) {
			if d, ok := in.ReaderAt.(digested); ok && d.digest() != "" {
				return d.digest(), nil
			}
			return r.read256(ctx, in)
		}
	}
	var sum string
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		sum, err = r.read256(ctx, in)
	}()
	return func() (string, error) {
		<-done
		return sum, err
	}
}

// read256 is the SHA-256 of the file.
func (r *run) read256(ctx context.Context, in *Input) (string, error) {
	if in.Size <= blockBytes {
		b := make([]byte, in.Size)
		if err := r.purse.spend(ctx, in.Size); err != nil {
			return "", err
		}
		if n, err := in.ReadAt(b, 0); n < len(b) {
			return "", err
		}
		sum := sha256.Sum256(b)
		return "sha256:" + hex.EncodeToString(sum[:]), nil
	}
	h := newHasher()
	for off := int64(0); off < in.Size; {
		b := h.next()
		b = b[:min(int64(len(b)), in.Size-off)]
		err := r.purse.spend(ctx, int64(len(b)))
		if err == nil {
			var n int
			if n, err = in.ReadAt(b, off); n > 0 {
				err = nil
			} else if err == nil {
				err = io.ErrNoProgress
			}
			h.filled(n)
			off += int64(n)
		}
		if err != nil {
			h.close()
			return "", err
		}
	}
	return h.close(), nil
}

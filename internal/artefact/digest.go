package artefact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Digest is "sha256:" and 64 lower-case hexadecimal digits.
type Digest string

const prefix = "sha256:"

// maxEntries bounds the files of one directory artefact.
const maxEntries = 1_000_000

// ParseDigest checks the form of a digest that somebody wrote.
func ParseDigest(s string) (Digest, error) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || len(digits) != 2*sha256.Size || strings.ToLower(digits) != digits {
		return "", fmt.Errorf("parse digest %q: want \"sha256:\" and 64 lower-case hexadecimal digits", clip(s))
	}
	if _, err := hex.DecodeString(digits); err != nil {
		return "", fmt.Errorf("parse digest %q: %w", clip(s), err)
	}
	return Digest(s), nil
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// Hex is the digest without its "sha256:".
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), prefix) }

// Short is the first twelve hexadecimal digits, for people.
func (d Digest) Short() string {
	h := d.Hex()
	return h[:min(12, len(h))]
}

// DigestBytes digests bytes that are in memory.
func DigestBytes(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest(prefix + hex.EncodeToString(sum[:]))
}

// DigestOf digests the file or folder at path and says how many bytes it
// holds. A folder's digest is that of its sorted manifest: one line a regular
// file, "<sha256 hex>  <size>  <slash path>\n", so names and sizes count as
// well as bytes. Links and special files in a folder are refused, because what they
// lead to is not part of the folder. Reading stops when ctx ends.
func DigestOf(ctx context.Context, path string) (Digest, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	if info.IsDir() {
		return digestFolder(ctx, path)
	}
	if !info.Mode().IsRegular() {
		return "", 0, fmt.Errorf("digest %q: %s is neither a regular file nor a folder", path, info.Mode().Type())
	}
	return digestFile(ctx, path)
}

func digestFile(ctx context.Context, path string) (Digest, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := stream(ctx, h, f)
	if err != nil {
		return "", 0, fmt.Errorf("digest %q: %w", path, err)
	}
	return Digest(prefix + hex.EncodeToString(h.Sum(nil))), n, nil
}

// stream feeds r to h in blocks that stay in the processor's cache.
func stream(ctx context.Context, h hash.Hash, r io.Reader) (int64, error) {
	buf := make([]byte, 256<<10)
	var total int64
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := r.Read(buf)
		h.Write(buf[:n])
		total += int64(n)
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func digestFolder(ctx context.Context, root string) (Digest, int64, error) {
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return ctx.Err()
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("digest %q: %q is %s: only regular files can be digested", root, path, d.Type())
		}
		if len(paths) == maxEntries {
			return fmt.Errorf("digest %q: more than %d files", root, maxEntries)
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if rel = filepath.ToSlash(rel); strings.ContainsAny(rel, "\n\r") {
			return fmt.Errorf("digest %q: file name %q holds a line break", root, rel)
		}
		paths = append(paths, rel)
		return nil
	})
	if err != nil {
		return "", 0, err
	}
	slices.Sort(paths)
	list, total := sha256.New(), int64(0)
	for _, rel := range paths {
		d, n, err := digestFile(ctx, filepath.Join(root, filepath.FromSlash(rel)))
		if err != nil {
			return "", 0, err
		}
		fmt.Fprintf(list, "%s  %d  %s\n", d.Hex(), n, rel)
		total += n
	}
	return Digest(prefix + hex.EncodeToString(list.Sum(nil))), total, nil
}

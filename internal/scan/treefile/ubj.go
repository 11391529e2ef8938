package treefile

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/window"
)

const (
	maxNesting = 64
	maxKey     = 4096
)

// UBJ reads XGBoost's models in Universal Binary JSON, draft 12.
type UBJ struct{}

// Name implements scan.Format.
func (UBJ) Name() string { return "xgboost-ubj" }

// Sniff implements scan.Format.
func (UBJ) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	for _, start := range []string{"{L\x00\x00\x00\x00\x00\x00\x00\x07learner", "{L\x00\x00\x00\x00\x00\x00\x00\x07version", "{i\x07learner", "{U\x07learner", "{i\x07version", "{U\x07version"} {
		if bytes.HasPrefix(head, []byte(start)) {
			return scan.Sure
		}
	}
	return scan.No
}

// Scan implements scan.Format.
func (UBJ) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	u := &ubj{ctx: ctx, out: out, r: window.New(in, 0, in.Size).BigEndian()}
	kind, err := u.r.Uint8()
	if err == nil {
		err = u.value(kind, 0)
	}
	out.Structured(0, u.r.Offset())
	var p *scan.Problem
	switch {
	case errors.As(err, &p), ctx.Err() != nil:
		return err
	case err != nil:
		return scan.Problemf("ubj/broken", u.r.Offset(), "%v", err)
	case u.r.Left() > 0:
		out.Find(scan.Finding{
			Rule: "ubj/trailing-bytes", Outcome: scan.Dangerous, Offset: u.r.Offset(), Evidence: fmt.Sprintf("%d bytes stand behind the model", u.r.Left()), Cites: []string{"CWE-436"},
			Fix: "Do not load it. Ask for the model to be saved again.",
		})
	}
	return nil
}

// ubj reads one file.
type ubj struct {
	ctx context.Context
	out *scan.Sink
	r   *window.Reader
}

// width is the bytes of a value of a type, -1 where it has no fixed number.
func width(kind byte) int64 {
	switch kind {
	case 'Z', 'T', 'F', 'N':
		return 0
	case 'i', 'U', 'C':
		return 1
	case 'I':
		return 2
	case 'l', 'd':
		return 4
	case 'L', 'D':
		return 8
	}
	return -1
}

// length reads a number that is not negative, with its type.
func (u *ubj) length(kind byte) (uint64, error) {
	if kind != 'i' && kind != 'U' && kind != 'I' && kind != 'l' && kind != 'L' {
		return 0, fmt.Errorf("type %q where a length belongs", kind)
	}
	n := int(width(kind))
	v, err := u.r.Uint(n)
	if err == nil && kind != 'U' && v>>(8*n-1) != 0 {
		u.out.Find(scan.Finding{
			Rule: "ubj/length", Outcome: scan.Dangerous, Offset: u.r.Offset(), Evidence: "a length is negative", Cites: []string{"CWE-839"}, Fix: "Do not load it. Ask for the model to be saved again.",
		})
		return 0, errors.New("a length is negative")
	}
	return v, err
}

func (u *ubj) text(kind byte) (uint64, error) {
	n, err := u.length(kind)
	if err == nil && n > uint64(u.r.Left()) {
		return n, fmt.Errorf("a text of %d bytes, %d are left", n, u.r.Left())
	}
	return n, err
}

// value passes over one value.
func (u *ubj) value(kind byte, depth int) error {
	if err := u.out.Spend(u.ctx, 1); err != nil {
		return err
	}
	switch {
	case width(kind) >= 0:
		return u.r.Skip(uint64(width(kind)))
	case kind == 'S' || kind == 'H':
		k, err := u.r.Uint8()
		if err != nil {
			return err
		}
		n, err := u.text(k)
		if err != nil {
			return err
		}
		return u.r.Skip(n)
	case kind == '[' || kind == '{':
		if depth >= maxNesting {
			return fmt.Errorf("arrays and objects nest deeper than %d", maxNesting)
		}
		return u.container(kind == '{', depth+1)
	}
	return fmt.Errorf("unknown type %q", kind)
}

// container passes over an array or an object, whose type and count may be given.
func (u *ubj) container(object bool, depth int) error {
	typed, count, counted := byte(0), uint64(0), false
	kind, err := u.r.Uint8()
	if err == nil && kind == '$' {
		if typed, err = u.r.Uint8(); err == nil {
			kind, err = u.r.Uint8()
		}
		if err == nil && kind != '#' {
			err = errors.New("a type without a count")
		}
	}
	if err == nil && kind == '#' {
		counted = true
		if kind, err = u.r.Uint8(); err == nil {
			count, err = u.length(kind)
		}
	}
	if err != nil {
		return err
	}
	if counted {
		least := max(width(typed), 0)
		if object {
			least += 2
		}
		if typed == 0 {
			least++
		}
		if least == 0 && count > 1<<20 || least > 0 && count > uint64(u.r.Left()/least) {
			return scan.Problemf("ubj/count", u.r.Offset(), "%d items, %d bytes are left", count, u.r.Left())
		}
		if w := width(typed); typed != 0 && w >= 0 && !object {
			return u.r.Skip(count * uint64(w))
		}
	}
	end := byte(']')
	if object {
		end = '}'
	}
	keys, held := map[string]bool{}, int64(0)
	defer func() { u.out.Hold(-held) }()
	for i := uint64(0); !counted || i < count; i++ {
		if counted || i > 0 {
			if counted && typed != 0 && !object {
				kind = typed
			} else if kind, err = u.r.Uint8(); err != nil {
				return err
			}
		}
		for kind == 'N' && !counted {
			if kind, err = u.r.Uint8(); err != nil {
				return err
			}
		}
		if !counted && kind == end {
			return nil
		}
		if object {
			if err := u.key(kind, keys, &held); err != nil {
				return err
			}
			kind = typed
			if typed == 0 {
				if kind, err = u.r.Uint8(); err != nil {
					return err
				}
			}
		}
		if err := u.value(kind, depth); err != nil {
			return err
		}
	}
	return nil
}

func (u *ubj) key(kind byte, keys map[string]bool, held *int64) error {
	at := u.r.Offset()
	n, err := u.text(kind)
	if err != nil {
		return err
	}
	b, err := u.r.Bytes(n, maxKey)
	if err != nil {
		return err
	}
	if keys[string(b)] {
		u.out.Find(scan.Finding{
			Rule: "ubj/duplicate-key", Outcome: scan.Dangerous, Offset: at, Evidence: fmt.Sprintf("the key %q stands twice: readers differ in which one they take", b), Cites: []string{"CWE-694"},
			Fix: "Do not load it. Ask for the model to be saved again.",
		})
	}
	if err := u.out.Hold(int64(n) + 48); err != nil {
		return err
	}
	*held += int64(n) + 48
	keys[string(b)] = true
	return nil
}

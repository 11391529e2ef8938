package scan

import "slices"

// span is the bytes from, to of a file, to excluded.
type span struct{ from, to int64 }

// ranges is a set of bytes. Adding in order costs nothing; the rest is sorted out at the end.
type ranges []span

func (r *ranges) add(off, n int64) {
	if n <= 0 || off < 0 {
		return
	}
	if l := len(*r); l > 0 && (*r)[l-1].to == off {
		(*r)[l-1].to += n
		return
	}
	*r = append(*r, span{off, off + n})
	if l := len(*r); l&(l-1) == 0 && l >= 1<<12 {
		*r = r.merged() // a reader that goes back and forth stays small
	}
}

// merged is the set as spans that are apart and in order.
func (r ranges) merged() ranges {
	s := slices.Clone(r)
	slices.SortFunc(s, func(a, b span) int {
		switch {
		case a.from < b.from:
			return -1
		case a.from > b.from:
			return 1
		}
		return 0
	})
	var out ranges
	for _, x := range s {
		if l := len(out); l > 0 && x.from <= out[l-1].to {
			out[l-1].to = max(out[l-1].to, x.to)
			continue
		}
		out = append(out, x)
	}
	return out
}

// within counts the bytes of the set in a file of the given size.
func (r ranges) within(size int64) (n int64) {
	for _, x := range r.merged() {
		n += max(0, min(x.to, size)-min(x.from, size))
	}
	return n
}

package tree

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// maxNesting bounds containers in containers; XGBoost's files need 9.
const maxNesting = 64

// readXGBoostUBJ reads XGBoost's schema in Universal Binary JSON, draft 12,
// by writing it as JSON.
func readXGBoostUBJ(b []byte, g *nursery) (*Ensemble, error) {
	u := &ubj{in: b, out: make([]byte, 0, len(b))}
	kind, err := u.marker()
	if err == nil {
		err = u.value(kind, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("at byte %d: %w\nhint: the file is truncated or damaged; save or copy it again", u.at, err)
	}
	return readXGBoostJSON(u.out, g)
}

// ubj turns Universal Binary JSON into JSON.
type ubj struct {
	in  []byte
	at  int
	out []byte
}

func (u *ubj) take(n uint64) ([]byte, error) {
	if n > uint64(len(u.in)-u.at) {
		return nil, fmt.Errorf("%d bytes are claimed, %d are left", n, len(u.in)-u.at)
	}
	b := u.in[u.at : u.at+int(n)]
	u.at += int(n)
	return b, nil
}

// marker returns the next type marker.
func (u *ubj) marker() (byte, error) {
	for {
		b, err := u.take(1)
		if err != nil {
			return 0, err
		}
		if b[0] != 'N' {
			return b[0], nil
		}
	}
}

// integer reads an integer of that type.
func (u *ubj) integer(kind byte) (int64, error) {
	width := map[byte]uint64{'i': 1, 'U': 1, 'I': 2, 'l': 4, 'L': 8}[kind]
	if width == 0 {
		return 0, fmt.Errorf("marker %q where an integer belongs", kind)
	}
	b, err := u.take(width)
	if err != nil {
		return 0, err
	}
	switch kind {
	case 'i':
		return int64(int8(b[0])), nil
	case 'U':
		return int64(b[0]), nil
	case 'I':
		return int64(int16(binary.BigEndian.Uint16(b))), nil
	case 'l':
		return int64(int32(binary.BigEndian.Uint32(b))), nil
	}
	return int64(binary.BigEndian.Uint64(b)), nil
}

// length reads a length with its marker.
func (u *ubj) length() (uint64, error) {
	kind, err := u.marker()
	if err != nil {
		return 0, err
	}
	n, err := u.integer(kind)
	if err == nil && n < 0 {
		err = fmt.Errorf("length %d", n)
	}
	return uint64(n), err
}

func (u *ubj) text() error {
	n, err := u.length()
	if err != nil {
		return err
	}
	b, err := u.take(n)
	if err != nil {
		return err
	}
	quoted, err := json.Marshal(string(b))
	u.out = append(u.out, quoted...)
	return err
}

// value writes a value whose marker has been read.
func (u *ubj) value(kind byte, depth int) error {
	switch kind {
	case 'Z':
		u.out = append(u.out, "null"...)
	case 'T':
		u.out = append(u.out, "true"...)
	case 'F':
		u.out = append(u.out, "false"...)
	case 'i', 'U', 'I', 'l', 'L':
		n, err := u.integer(kind)
		u.out = strconv.AppendInt(u.out, n, 10)
		return err
	case 'd', 'D':
		return u.float(kind)
	case 'S':
		return u.text()
	case '[', '{':
		if depth >= maxNesting {
			return fmt.Errorf("containers nest deeper than %d", maxNesting)
		}
		return u.container(kind, depth+1)
	default:
		return fmt.Errorf("unknown marker %q", kind)
	}
	return nil
}

func (u *ubj) float(kind byte) error {
	bits, width := 32, uint64(4)
	if kind == 'D' {
		bits, width = 64, 8
	}
	b, err := u.take(width)
	if err != nil {
		return err
	}
	var v float64
	if kind == 'd' {
		v = float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	} else {
		v = math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	if !finite(v) {
		return fmt.Errorf("number %v is not finite", v)
	}
	u.out = strconv.AppendFloat(u.out, v, 'g', -1, bits)
	return nil
}

// container writes an array or an object, which may say the type of its
// values and how many there are.
func (u *ubj) container(open byte, depth int) error {
	end := byte(']')
	if open == '{' {
		end = '}'
	}
	var typed byte
	counted, count := false, uint64(0)
	kind, err := u.marker()
	if err != nil {
		return err
	}
	if kind == '$' {
		if typed, err = u.marker(); err != nil {
			return err
		}
		if typed == 'Z' || typed == 'T' || typed == 'F' {
			return fmt.Errorf("a container of values without bytes")
		}
		if kind, err = u.marker(); err != nil {
			return err
		}
		if kind != '#' {
			return fmt.Errorf("a typed container without a count")
		}
	}
	if kind == '#' {
		counted = true
		if count, err = u.length(); err != nil {
			return err
		}
	}
	u.out = append(u.out, open)
	for i := uint64(0); !counted || i < count; i++ {
		if counted && (open == '{' || typed == 0) {
			if open == '{' { // a key starts with its length's marker
				kind = 0
			} else if kind, err = u.marker(); err != nil {
				return err
			}
		} else if !counted && i > 0 {
			if kind, err = u.marker(); err != nil {
				return err
			}
		}
		if !counted && kind == end {
			break
		}
		if i > 0 {
			u.out = append(u.out, ',')
		}
		if open == '{' {
			if !counted {
				u.at-- // the marker belongs to the key's length
			}
			if err := u.text(); err != nil {
				return err
			}
			u.out = append(u.out, ':')
			if typed == 0 {
				if kind, err = u.marker(); err != nil {
					return err
				}
			}
		}
		if typed != 0 {
			kind = typed
		}
		if err := u.value(kind, depth); err != nil {
			return err
		}
	}
	u.out = append(u.out, end)
	return nil
}

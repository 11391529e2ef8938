package pickle

// value is what the interpreter knows of a Python value: a kind in the top six
// bits and what the kind needs in the others. Values are small because a file of
// 80 MB makes tens of millions of them.
type value uint64

type kind uint8

const (
	kNone    kind = iota
	kBool         // payload 0 or 1
	kInt          // payload is the number plus intBias
	kFloat        //
	kStr          // payload is the offset of the opcode that made it
	kBytes        // the same
	kData         // immutable data that is not known: a huge number, a computed string
	kTuple        // payload is place in the ring << 8 | length, at most 255 elements
	kLong         // a tuple whose elements are not kept
	kList         //
	kDict         // payload is its number in m.dicts
	kSet          //
	kGlobal       // payload is its number in m.names
	kObject       // an instance of, or what a call returned of, the name of that number
	kDtype        // payload is its number in m.dtypes
	kPersist      // what persistent_load gives
	kUnknown      // anything, already reported
)

const (
	payloadBits = 58
	payloadMask = 1<<payloadBits - 1
	intBias     = 1 << (payloadBits - 1)
)

func mk(k kind, payload int64) value { return value(k)<<payloadBits | value(payload)&payloadMask }

func (v value) kind() kind { return kind(v >> payloadBits) }

func (v value) payload() int64 { return int64(v & payloadMask) }

// mkInt is the number, or data where it is too large to keep.
func mkInt(n int64) value {
	if n < -intBias || n >= intBias {
		return mk(kData, 0)
	}
	return mk(kInt, n+intBias)
}

// integer is the number that v is.
func (v value) integer() (int64, bool) {
	switch v.kind() {
	case kInt:
		return v.payload() - intBias, true
	case kBool:
		return v.payload(), true
	}
	return 0, false
}

// ringSize is how many elements of young tuples and dicts are kept. Arguments of
// a call are made just before it, so that they are always among them.
const ringSize = 1 << 16

// ring keeps the elements of the youngest tuples and dicts.
type ring struct {
	at   int64 // elements ever put
	elem []value
}

// put keeps the elements and says where they begin.
func (r *ring) put(items []value) int64 {
	if r.elem == nil {
		r.elem = make([]value, ringSize)
	}
	start := r.at
	for i, v := range items {
		r.elem[(start+int64(i))&(ringSize-1)] = v
	}
	r.at += int64(len(items))
	return start
}

// get returns the n elements from start, false where they have made room for younger ones.
func (r *ring) get(start int64, n int) ([]value, bool) {
	if start < r.at-ringSize {
		return nil, false
	}
	out := make([]value, n)
	for i := range out {
		out[i] = r.elem[(start+int64(i))&(ringSize-1)]
	}
	return out, true
}

// dict is where the items of a young dict lie.
type dict struct {
	id    int64
	start int64
	n     int // keys and values; -1 when not kept
}

// Dicts whose items are kept, and how many items of each.
const (
	dictSlots = 1 << 10
	dictItems = 128
)

// memo maps the numbers that PUT and MEMOIZE give to values: dense pages for
// numbers as picklers give them, a map for others.
type memo struct {
	pages  [][]value
	sparse map[int64]value
	count  int64 // distinct keys, which is the next number of MEMOIZE
}

const (
	pageSize  = 1 << 12
	unset     = ^value(0)
	entryCost = 64 // bytes of memory that a key of the map takes, about
)

func (m *memo) get(key int64) (value, bool) {
	if p := key / pageSize; key >= 0 && p < int64(len(m.pages)) {
		if v := m.pages[p][key%pageSize]; v != unset {
			return v, true
		}
	}
	v, ok := m.sparse[key]
	return v, ok
}

// put stores v and says whether another value was there, and what memory it took.
func (m *memo) put(key int64, v value) (old value, replaced bool, cost int64) {
	p := key / pageSize
	if p == int64(len(m.pages)) && key <= m.count+pageSize {
		page := make([]value, pageSize)
		for i := range page {
			page[i] = unset
		}
		m.pages = append(m.pages, page)
		cost = pageSize * 8
	}
	if p < int64(len(m.pages)) {
		if _, there := m.sparse[key]; !there {
			at := &m.pages[p][key%pageSize]
			old, *at = *at, v
			if old == unset {
				m.count++
				return 0, false, cost
			}
			return old, true, cost
		}
	}
	if m.sparse == nil {
		m.sparse = map[int64]value{}
	}
	old, replaced = m.sparse[key]
	m.sparse[key] = v
	if !replaced {
		m.count++
		cost += entryCost
	}
	return old, replaced, cost
}

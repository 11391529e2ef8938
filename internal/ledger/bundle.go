package ledger

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// MaxEntryBytes is the size of the largest entry: its length is a 16-bit number
// in an entry bundle.
const MaxEntryBytes = 1<<16 - 1

// maxBundleBytes is the size of the largest entry bundle.
const maxBundleBytes = tileWidth * (2 + MaxEntryBytes)

// appendEntry appends the entry with its length to an entry bundle.
func appendEntry(bundle, entry []byte) []byte {
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(entry)))
	return append(bundle, entry...)
}

// splitBundle returns the entries of a bundle that must hold exactly width of
// them and nothing else. The entries share the bundle's memory.
func splitBundle(bundle []byte, width int) ([][]byte, error) {
	entries := make([][]byte, 0, width)
	for rest := bundle; len(entries) < width; {
		if len(rest) < 2 {
			return nil, fmt.Errorf("ends after %d of %d entries", len(entries), width)
		}
		length := int(binary.BigEndian.Uint16(rest))
		rest = rest[2:]
		if len(rest) < length {
			return nil, fmt.Errorf("entry %d of %d is cut short", len(entries)+1, width)
		}
		entries = append(entries, rest[:length:length])
		rest = rest[length:]
		if len(entries) == width && len(rest) > 0 {
			return nil, fmt.Errorf("%d bytes follow the last entry", len(rest))
		}
	}
	return entries, nil
}

// bundleHashes returns the RFC 6962 leaf hash of each entry of a bundle.
func bundleHashes(bundle []byte, width int) ([]tlog.Hash, error) {
	entries, err := splitBundle(bundle, width)
	if err != nil {
		return nil, err
	}
	hashes := make([]tlog.Hash, width)
	for i, e := range entries {
		hashes[i] = tlog.RecordHash(e)
	}
	return hashes, nil
}

// bundlePrefix returns the part of a full bundle that holds the first width
// entries.
func bundlePrefix(bundle []byte, width int) ([]byte, error) {
	entries, err := splitBundle(bundle, tileWidth)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, e := range entries[:width] {
		size += 2 + len(e)
	}
	return bundle[:size], nil
}

package replay

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/plan"
)

// source is the randomness of one draw of a replay. It follows from the plan's
// digest and the receiver's nonce, so whoever wrote the dossier could not know it.
func source(digest artefact.Digest, nonce []byte, what string) *rand.Rand {
	h := sha256.New()
	h.Write([]byte("assize replay v1\x00" + string(digest) + "\x00"))
	h.Write(nonce)
	h.Write([]byte("\x00" + what))
	sum := h.Sum(nil)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:])))
}

// Draw draws n of the items, all where n is 0 or there are fewer. The order of
// items does not matter.
func Draw(digest artefact.Digest, nonce []byte, items []string, n int) []string {
	items = slices.Sorted(slices.Values(items))
	if n <= 0 || n >= len(items) {
		return items
	}
	source(digest, nonce, "items").Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return slices.Sorted(slices.Values(items[:n]))
}

// DrawRows draws n of the row numbers of one item, all where n is 0 or there are fewer, in ascending order.
func DrawRows(digest artefact.Digest, nonce []byte, item string, rows []int, n int) []int {
	rows = slices.Sorted(slices.Values(rows))
	if n <= 0 || n >= len(rows) {
		return rows
	}
	source(digest, nonce, "rows of "+item).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return slices.Sorted(slices.Values(rows[:n]))
}

// Closure adds to the items all that they read the results of, in the order of the plan.
// read holds those that an item of the closure reads.
func Closure(p *plan.Plan, items []string) (all []string, read map[string]bool) {
	wanted, read := map[string]bool{}, map[string]bool{}
	for _, id := range items {
		wanted[id] = true
	}
	// An item stands behind those that it reads.
	for i := len(p.Items) - 1; i >= 0; i-- {
		if it := &p.Items[i]; wanted[it.ID] {
			for _, id := range it.After {
				wanted[id], read[id] = true, true
			}
		}
	}
	for _, it := range p.Items {
		if wanted[it.ID] {
			all = append(all, it.ID)
		}
	}
	return all, read
}

package exact

import "slices"

// sortByKey sorts indices by their keys, the greatest first.
func sortByKey(index []int32, keys []float64) {
	slices.SortStableFunc(index, func(a, b int32) int {
		switch ka, kb := keys[a], keys[b]; {
		case ka > kb:
			return -1
		case ka < kb:
			return 1
		}
		return int(a - b)
	})
}

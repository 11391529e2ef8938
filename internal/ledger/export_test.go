package ledger

// What the tests of formats need of the inside.

const BundleLevel = bundleLevel

func TilePath(level int, n int64, width int) string {
	return tileName{level, n, width}.path()
}

func ParseTilePath(path string) (level int, n int64, width int, ok bool) {
	name, ok := parseTilePath(path)
	return name.level, name.n, name.width, ok
}

func SplitBundle(bundle []byte, width int) ([][]byte, error) { return splitBundle(bundle, width) }

func AppendEntry(bundle, entry []byte) []byte { return appendEntry(bundle, entry) }

// SignCheckpoint signs a checkpoint that the log would not.
func SignCheckpoint(c Checkpoint, key *Key) ([]byte, error) { return c.sign(key) }

package ledger_test

import (
	"testing"

	"github.com/assize/assize/internal/ledger"
)

// The first path is the example of C2SP tlog-tiles.
func TestTilePaths(t *testing.T) {
	tests := []struct {
		level int
		n     int64
		width int
		path  string
	}{
		{0, 1234067, 256, "tile/0/x001/x234/067"},
		{ledger.BundleLevel, 1234067, 256, "tile/entries/x001/x234/067"},
		{0, 0, 256, "tile/0/000"},
		{0, 273, 112, "tile/0/273.p/112"},
		{1, 1, 17, "tile/1/001.p/17"},
		{2, 0, 1, "tile/2/000.p/1"},
		{ledger.BundleLevel, 999, 255, "tile/entries/999.p/255"},
		{ledger.BundleLevel, 1000, 1, "tile/entries/x001/000.p/1"},
	}
	for _, tt := range tests {
		if got := ledger.TilePath(tt.level, tt.n, tt.width); got != tt.path {
			t.Errorf("path of %v = %q, want %q", tt, got, tt.path)
		}
		level, n, width, ok := ledger.ParseTilePath(tt.path)
		if !ok || level != tt.level || n != tt.n || width != tt.width {
			t.Errorf("ParseTilePath(%q) = %d, %d, %d, %v", tt.path, level, n, width, ok)
		}
	}
	for _, path := range []string{
		"", "checkpoint", "tile", "tile/0", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/-1/000",
		"tile/data/000", "tile/entries/data/000", "tile/8/0/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
		"tile/0/x000/000", "tile/0/001/000", "tile/0/x001/x000", "tile/6/000", "tile/0/000/", "Tile/0/000",
		"tile/0/x999/x999/x999/x999/x999/x999/999",
	} {
		if level, n, width, ok := ledger.ParseTilePath(path); ok {
			t.Errorf("ParseTilePath(%q) = %d, %d, %d, want it refused", path, level, n, width)
		}
	}
}

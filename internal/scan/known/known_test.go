package known_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/known"
	"github.com/assize/assize/internal/scan/scantest"
)

// TestScan never calls clean what is not read.
func TestScan(t *testing.T) {
	s := &scan.Scanner{Formats: known.Formats()}
	for text, want := range map[string]string{
		"7z\xbc\xaf\x27\x1c more": "7z", "\x1c\x00\x00\x00ET12": "executorch", "\x7fELF\x02": "elf", "PAR1": "parquet", "{ETxET12": "", "plain": "",
	} {
		all := scantest.Scan(t, s, []byte(text))
		got := scantest.File(all)
		if got.Outcome != scan.Incomplete || got.Format != want || got.Coverage.Unread != int64(len(text)) {
			t.Errorf("%q: %+v", text, got)
		}
		if want != "" {
			if diff := cmp.Diff(scantest.Rules(all), []string{"core/unsupported"}); diff != "" {
				t.Errorf("%q (-got +want):\n%s", text, diff)
			}
		}
	}
}

package catalogue_test

import (
	"testing"

	"github.com/assize/assize/internal/catalogue"
)

func open(t testing.TB) *catalogue.Tables {
	t.Helper()
	tables, err := catalogue.Open(catalogue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func TestTheTablesAreWithoutFault(t *testing.T) {
	faults, err := open(t).Lint(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// BenchmarkEverything reads and digests all tables, as the slowest command would.
func BenchmarkEverything(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		tables := open(b)
		if _, err := tables.Lint(nil); err != nil {
			b.Fatal(err)
		}
	}
}

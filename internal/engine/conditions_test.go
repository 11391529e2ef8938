package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/engine"
)

func TestCheckConditions(t *testing.T) {
	dir := t.TempDir()
	for condition, want := range map[string]string{
		"model.classes == 2": "",
		"model.clases == 2":  `criteria.yaml:1: criterion "bank/x": applies: 1:6: undefined field 'clases'`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "criteria.yaml"), []byte(`- {id: bank/x, applies: "`+condition+`"}`+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		tables, err := catalogue.Open(catalogue.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		err = engine.CheckConditions(tables)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", condition, err, want)
		}
	}
}

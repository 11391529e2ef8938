package engine_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/verify"
)

// telling are the amounts in the credit example's test data that no parameter,
// count or time has by chance: over 1,000 and not round.
func telling(t *testing.T, target string) map[string]bool {
	t.Helper()
	f := must(os.Open(filepath.Join(target, "test.csv")))(t)
	defer f.Close()
	rows := must(csv.NewReader(f).ReadAll())(t)
	values := map[string]bool{}
	for column, name := range rows[0] {
		if name != "amount" {
			continue
		}
		for _, row := range rows[1:] {
			if v := row[column]; len(v) >= 4 && !strings.HasSuffix(v, "0") {
				values[v] = true
			}
		}
	}
	if len(values) < 100 {
		t.Fatalf("found only %d telling values", len(values))
	}
	return values
}

var number = regexp.MustCompile(`(^|[^0-9A-Za-z.:+/#=])([0-9]{4,6})([^0-9A-Za-z.:+/=]|$)`)

// holds counts which of the values stand in the files of a dossier.
func holds(t *testing.T, dir string, values map[string]bool) map[string]string {
	t.Helper()
	where := map[string]string{}
	for _, f := range must(dossier.List(context.Background(), dir))(t) {
		if strings.HasPrefix(f.Path, dossier.LogName+"/tile/") && !strings.Contains(f.Path, "entries") {
			continue // hashes
		}
		b := must(os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path))))(t)
		// Numbers of a list share the sign between them, so each match begins behind the number before.
		for len(b) > 0 {
			m := number.FindSubmatchIndex(b)
			if m == nil {
				break
			}
			if v := string(b[m[4]:m[5]]); values[v] && f.Path != dossier.FilesName && !strings.HasPrefix(string(b[max(0, m[4]-14):m[4]]), `size_bytes":`) {
				where[v] = f.Path
			}
			b = b[m[5]:]
		}
	}
	return where
}

func TestRedact(t *testing.T) {
	target := example(t, "credit")
	o := options(t, target)
	_, dir := assess(t, o)
	values := telling(t, target)
	if got := len(holds(t, dir, values)); got < 50 {
		t.Fatalf("the dossier as it is holds only %d of %d values: the search finds nothing", got, len(values))
	}
	put(t, filepath.Join(dir, dossier.EvidenceName, "more"), []byte("[1169]"))
	if _, err := engine.Redact(context.Background(), dir, filepath.Join(t.TempDir(), "out"), o.KeyFolder); err == nil || !strings.Contains(err.Error(), `"evidence/more" was added`) {
		t.Errorf("a dossier that does not verify: got %v", err)
	}
	if err := os.Remove(filepath.Join(dir, dossier.EvidenceName, "more")); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	if _, err := engine.Redact(context.Background(), dir, out, t.TempDir()); err == nil || !strings.Contains(err.Error(), "hint: only who ran the assessment") {
		t.Errorf("without the key: got %v", err)
	}
	r := must(engine.Redact(context.Background(), dir, out, o.KeyFolder))(t)
	if len(r.Observations) == 0 || len(r.Observations) >= r.Of || len(r.Files) != 0 {
		t.Errorf("got %+v", r)
	}
	// A count or a time can be one of the values by chance; rows would show as dozens, as above.
	if left := holds(t, out, values); len(left) > 3 {
		t.Errorf("values of the test data stand in files: %v", left)
	}
	v := must(verify.Dossier(context.Background(), out, nil))(t)
	if !v.OK() {
		t.Errorf("it does not verify: %+v", v.Checks)
	}
	d := must(dossier.Read(out))(t)
	for i := range d.Observations {
		rows := must(verify.Rows(out, &d.Observations[i]))(t)
		if rows == nil {
			continue
		}
		for _, c := range rows.Columns {
			if c.Data {
				t.Errorf("%s holds column %s", d.Observations[i].ID, c.Name)
			}
		}
	}
	if _, err := engine.Redact(context.Background(), dir, out, o.KeyFolder); err == nil || !strings.Contains(err.Error(), "hint: name a new folder") {
		t.Errorf("into a folder that is there: got %v", err)
	}
	// Replay measures what was left out again.
	if got := faults(again(t, out, target, "evasion/hopskipjump")); got != "" {
		t.Errorf("the redacted dossier replayed: %s", got)
	}
}

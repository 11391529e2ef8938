package cli_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/cli"
)

var update = flag.Bool("update", false, "write testdata anew")

// ask runs a command that needs no target and returns what it prints.
func ask(t *testing.T, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	app := &cli.App{Out: &out, Err: &errs, KeyFolder: t.TempDir(), Now: time.Now}
	if code := app.Run(t.Context(), args); code != 0 {
		t.Fatalf("%q: exit %d: %s", args, code, errs.String())
	}
	return out.Bytes()
}

// lists are the commands that answer with a list, each once.
func lists() [][]string {
	return [][]string{
		{"standards", "list"}, {"standards", "show", "22989"}, {"standards", "coverage"}, {"standards", "coverage", "--by", "threat"}, {"standards", "coverage", "--article", "15(5)"},
		{"standards", "gaps", "--of", "judged"}, {"standards", "gaps", "--of", "computed"}, {"standards", "gaps", "--of", "compared"}, {"standards", "gaps", "--of", "recommendations"},
		{"standards", "gaps", "--of", "judged", "--iso-comments"}, {"standards", "overlaps"}, {"standards", "diff", "2023-03", "2026-11-22"}, {"standards", "watch", "testdata/statuses.csv"},
		{"schemes"}, {"threats"}, {"threats", "evasion"}, {"requirements"}, {"terms"}, {"terms", "robustness"}, {"crosswalk"}, {"crosswalk", "enisa-table1", "mitre-atlas"},
		{"criteria"}, {"criteria", "default/agreement"}, {"solutions"}, {"solutions", "signing"},
	}
}

// TestListsKeepTheirKeys holds the keys of every list to a golden file: scripts
// of others read them. After a change that is meant: go test -update.
func TestListsKeepTheirKeys(t *testing.T) {
	var got strings.Builder
	for _, args := range lists() {
		var l struct {
			List    string
			Rows    []json.RawMessage
			Notes   []string
			Sources []string
		}
		d := json.NewDecoder(bytes.NewReader(ask(t, append(args, "--format", "json")...)))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		header, err := csv.NewReader(bytes.NewReader(ask(t, append(args, "--format", "csv")...))).Read()
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		for i, row := range l.Rows {
			if keys := keysOf(t, row); !slices.Equal(keys, header) {
				t.Fatalf("%q: row %d has the keys %q, the CSV the header %q", args, i, keys, header)
			}
		}
		fmt.Fprintf(&got, "%s: %s: %s\n", strings.Join(args, " "), l.List, strings.Join(header, ", "))
		if page := ask(t, append(args, "--format", "markdown")...); !bytes.HasPrefix(page, []byte("| ")) {
			t.Errorf("%q: Markdown begins with %.40q", args, page)
		}
	}
	const name = "testdata/lists.txt"
	if *update {
		if err := os.WriteFile(name, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s\nhint: where the change is meant, go test ./internal/cli -run Keys -update", diff)
	}
}

// keysOf are the keys of a JSON object of strings, in order.
func keysOf(t *testing.T, object json.RawMessage) []string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	var words []string
	for {
		tok, err := d.Token()
		if err != nil {
			break
		}
		if s, ok := tok.(string); ok {
			words = append(words, s)
		}
	}
	if len(words)%2 != 0 {
		t.Fatalf("%s: not an object of strings", object)
	}
	var keys []string
	for i := 0; i < len(words); i += 2 {
		keys = append(keys, words[i])
	}
	return keys
}

// TestTheAnnexesAsPrinted holds the answer for March 2023 against the report's
// annexes A.3 and A.4, row by row and cell by cell.
func TestTheAnnexesAsPrinted(t *testing.T) {
	for inventory, name := range map[string]string{"a3": "enisa-a3-jtc21.csv", "a4": "enisa-a4-etsi.csv"} {
		f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "standards", name))
		if err != nil {
			t.Skipf("the report's tables are not here: %v", err)
		}
		defer f.Close()
		printed, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		answer, err := csv.NewReader(bytes.NewReader(ask(t, "standards", "coverage", "--inventory", inventory, "--as-of", "2023-03-31", "--format", "csv"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var got, want [][]string
		for _, row := range answer[1:] {
			got = append(got, slices.Concat(row[:1], row[3:4], row[len(row)-10:]))
		}
		for _, row := range printed[1:] {
			want = append(want, slices.Concat(row[:2], row[5:15]))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", inventory, diff)
		}
	}
}

// TestGapsNeverMix reads both lists from one answer in JSON.
func TestGapsNeverMix(t *testing.T) {
	var all map[string]struct {
		List string
		Rows []map[string]string
	}
	if err := json.Unmarshal(ask(t, "standards", "gaps", "--format", "json"), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || len(all["judged"].Rows) != 40 || len(all["compared"].Rows) != 40 {
		t.Errorf("got %d lists, %d judged, %d compared", len(all), len(all["judged"].Rows), len(all["compared"].Rows))
	}
	lacking := map[string]bool{}
	for _, row := range all["computed"].Rows {
		lacking[row["requirement"]] = true
		if _, mixed := row["id"]; mixed {
			t.Errorf("a computed gap carries an id of the report: %v", row)
		}
	}
	for _, requirement := range []string{"cybersecurity", "record"} { // only vocabularies and processes touch them
		if !lacking[requirement] {
			t.Errorf("%s has no computed gap", requirement)
		}
	}
}

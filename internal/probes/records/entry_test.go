package records_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/probes/records"
)

func TestParseJSON(t *testing.T) {
	got, err := records.ParseJSON([]byte(`{"a":"x","b":{"c":1.50,"d":[true,null,{"e":"y"}]},"f":[]}`))
	if want := []string{"a", "x", "b.c", "1.50", "b.d", "true", "b.d.e", "y"}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for line, want := range map[string]string{
		"{\"a\":\"\xff\"}":    "not UTF-8",
		`{"a":1`:              "not JSON",
		`{"a":1} {}`:          "not JSON",
		`[1]`:                 "no object",
		`{"a":{"b":1,"b":2}}`: "a member twice",
		strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20): "nested",
		`{"a":[` + strings.Repeat("1,", 1000) + "1]}":               "values",
		`{"` + strings.Repeat("a", 300) + `":1}`:                    "too long",
	} {
		if _, err := records.ParseJSON([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got error %v, want %q", line, err, want)
		}
	}
}

func TestParseCSV(t *testing.T) {
	got, err := records.ParseCSV([]byte("t;a"), []byte(`1;"x ""y"" ;z"`), "t")
	if want := []string{"t", "1", "a", `x "y" ;z`}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, tt := range [][3]string{
		{"t,a", "1", "1 cells"}, {"t,a", `1,"x`, "quotes"}, {"t,a,a", "1,2,3", "twice"}, {"u,a", "1,2", "no column"}, {"t,\xff", "1,2", "UTF-8"}, {"t,a", "1,\xff", "UTF-8"},
		{"t,", "1", "1 cells"},
	} {
		if _, err := records.ParseCSV([]byte(tt[0]), []byte(tt[1]), "t"); err == nil || !strings.Contains(err.Error(), tt[2]) {
			t.Errorf("%q: got error %v, want %q", tt[:2], err, tt[2])
		}
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)
	for _, s := range []string{
		"2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00", "2026-10-25 02:30:00 +0200", "2026-10-25T02:30:00+02", "2026-10-25 00:30:00 UTC", "2026-10-25T00:30Z",
		"2026-10-25T00:30:00.000Z", "1792888200", "1792888200.0", "1792888200000", "1792888200000000", "1792888200000000000",
	} {
		if got, zone, ok := records.ParseTime(s); !got.Equal(want) || !zone || !ok {
			t.Errorf("%q: got %v, zone %v, %v", s, got, zone, ok)
		}
	}
	for _, s := range []string{"2026-10-25T00:30:00", "2026-10-25 00:30:00,000", "2026-10-25T00:30"} {
		if got, zone, ok := records.ParseTime(s); !got.Equal(want) || zone || !ok {
			t.Errorf("%q: got %v, zone %v, %v, want no zone", s, got, zone, ok)
		}
	}
	for _, s := range []string{"", "yesterday", "2026-10-25", "25.10.2026 00:30", "2026-02-30T00:00:00Z", "1900-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "12345678", "-1792888200", "1e9", "9223372036854775808", strings.Repeat("1", 100)} {
		if got, _, ok := records.ParseTime(s); ok {
			t.Errorf("%q: got %v, want none", s, got)
		}
	}
}

// TestFind uses numbers that others publish as examples: the registry of IBANs,
// the card schemes' test numbers, the tax agency's and the population register's specimens.
func TestFind(t *testing.T) {
	for text, want := range map[string]string{
		"wrote to jane.doe+x@mail.example.org.":  "e-mail address",
		"user@host":                              "",
		"DE89370400440532013000":                 "IBAN",
		"from GB82 WEST 1234 5698 7654 32 today": "IBAN",
		"NO9386011117947":                        "IBAN",
		"MT84MALT011000012345MTLCAST001S":        "IBAN",
		"DE89370400440532013001":                 "",
		"4111 1111 1111 1111":                    "payment card",
		"card=378282246310005":                   "payment card",
		"5555-5555-5555-4444":                    "payment card",
		"4111111111111112":                       "",
		"3333333333333333":                       "",
		"1792888200000000000":                    "", // a time
		"call +49 (30) 901820":                   "telephone number",
		"2026-10-25T02:30:00+02:00":              "",
		"+1 23":                                  "",
		"RSSMRA85T10A562S":                       "Italian tax code",
		"RSSMRA85T10A562T":                       "",
		"131052-308T":                            "Finnish personal code",
		"131052-308U":                            "",
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08": "",
		"application 2026-000123": "",
	} {
		if got := strings.Join(records.Find(text), ", "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzLog: whatever the log, both probes end, count every line once, and give only what validates.
func FuzzLog(f *testing.F) {
	f.Add([]byte(write(good()...)), "")
	f.Add([]byte("time,event,id,case.no,before\n2026-02-20T00:00:00Z,start,1,,\n\"\n"), "csv")
	f.Add([]byte("{\"time\":17000000000000000000,\"event\":{\"event\":[]}}\n\n{}\r\n[\n"), "jsonl")
	f.Add([]byte("\ufefftime;event\n2026-02-20 00:00;a@b.cc +4930901820000 4111111111111111\n"), "")
	path := filepath.Join(f.TempDir(), "log")
	f.Fuzz(func(t *testing.T, b []byte, format string) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		log := declared()
		log.Format = format
		rec := measure.Record{File: measure.File{Artefact: artefact.Artefact{Name: "operations", Digest: artefact.DigestBytes(b)}, OpenPath: path}, Date: taken, Log: log}
		for probe := range records.Probes() {
			res := run(t, probe, rec)
			for name, m := range res.Metrics {
				if m.N < 0 || !(m.Lower <= m.Value && m.Value <= m.Upper) {
					t.Errorf("%s does not validate: %+v", name, m)
				}
			}
			for _, v := range res.Validity {
				if v.Check == "files-as-digested" && !v.OK {
					t.Error("the digest differs although nothing changed")
				}
			}
			for _, f := range res.Findings {
				if strings.ContainsFunc(f.Where+f.Evidence, func(r rune) bool { return r < ' ' }) {
					t.Errorf("a finding holds what does not print: %+v", f)
				}
			}
		}
		all := 0
		for line := range strings.SplitSeq(strings.TrimPrefix(string(b), "\ufeff"), "\n") {
			if strings.TrimSpace(line) != "" {
				all++
			}
		}
		m := run(t, 0, rec).Metrics
		if got := int(m["entries"].Value + m["unreadable_lines"].Value); got != all && got != all-1 {
			t.Errorf("%d lines are entries or unreadable, the log has %d", got, all)
		}
	})
}

// TestLongLine: a line beyond the limit is one unreadable line, however long.
func TestLongLine(t *testing.T) {
	long := `{"x":"` + strings.Repeat("a", 3<<20) + `"}` + "\n"
	res := run(t, logs, record(t, write(good()...)+long+"{}\n", declared()))
	if got := fmt.Sprint(found(res)); got != "[chain-break 30 incomplete-entry 30 unreadable-line 29]" {
		t.Errorf("findings %s", got)
	}
}

package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/result"
)

// TestCanonicalNumbers holds the samples of RFC 8785, Appendix B: IEEE 754 bits
// and how they are written.
func TestCanonicalNumbers(t *testing.T) {
	for _, tt := range []struct {
		bits uint64
		want string
	}{
		{0x0000000000000000, "0"},
		{0x8000000000000000, "0"},
		{0x0000000000000001, "5e-324"},
		{0x8000000000000001, "-5e-324"},
		{0x7fefffffffffffff, "1.7976931348623157e+308"},
		{0xffefffffffffffff, "-1.7976931348623157e+308"},
		{0x4340000000000000, "9007199254740992"},
		{0xc340000000000000, "-9007199254740992"},
		{0x4430000000000000, "295147905179352830000"},
		{0x44b52d02c7e14af5, "9.999999999999997e+22"},
		{0x44b52d02c7e14af6, "1e+23"},
		{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
		{0x444b1ae4d6e2ef4e, "999999999999999700000"},
		{0x444b1ae4d6e2ef4f, "999999999999999900000"},
		{0x444b1ae4d6e2ef50, "1e+21"},
		{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
		{0x3eb0c6f7a0b5ed8d, "0.000001"},
		{0x41b3de4355555553, "333333333.3333332"},
		{0x41b3de4355555554, "333333333.33333325"},
		{0x41b3de4355555555, "333333333.3333333"},
		{0x41b3de4355555556, "333333333.3333334"},
		{0x41b3de4355555557, "333333333.33333343"},
		{0xbecbf647612f3696, "-0.0000033333333333333333"},
		{0x43143ff3c1cb0959, "1424953923781206.2"},
	} {
		got, err := evidence.Canonical(math.Float64frombits(tt.bits))
		if err != nil || string(got) != tt.want {
			t.Errorf("%016x: got %s, %v, want %s", tt.bits, got, err, tt.want)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got, err := evidence.Canonical(v); err == nil {
			t.Errorf("%v: got %s, want an error", v, got)
		}
	}
}

// TestCanonicalKeys checks that keys are sorted by their UTF-16 code units, RFC
// 8785, 3.2.3: an emoji, whose first unit is d83d, comes before a Hebrew presentation form at fb33.
func TestCanonicalKeys(t *testing.T) {
	got, err := evidence.Canonical(map[string]any{"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "\r": 4, "1": 5, "\u0080": 6, "\u00f6": 7, "a<b": "\u2028\x07"})
	want := "{\"\\r\":4,\"1\":5,\"a<b\":\"\u2028\\u0007\",\"\u0080\":6,\"\u00f6\":7,\"\u20ac\":3,\"\U0001f600\":2,\"\ufb33\":1}"
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("canonical (-got +want):\n%s", diff)
	}
}

type sample struct {
	A  float64        `json:"a"`
	In map[string]any `json:"in,omitempty"`
	L  []sample       `json:"l,omitempty"`
}

func TestDecodeIsStrict(t *testing.T) {
	deep := func(n int) string { return `{"in":{"x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}}` }
	for _, tt := range []struct {
		name, json string
		readable   string // the error of DecodeReadable; "" accepts
		canonical  string // of Decode
	}{
		{"canonical", `{"a":1,"in":{"x":[1,"t"]}}`, "", ""},
		{"laid out", "{\n \"a\": 1\n}\n", "", "canonical"},
		{"order of keys", `{"in":{"x":1},"a":1}`, "", "canonical"},
		{"number written otherwise", `{"a":1.0}`, "", "canonical"},
		{"escape written otherwise", `{"a":1,"in":{"\u0078":1}}`, "", "canonical"},
		{"doubled key", `{"a":1,"a":1}`, `key "a" stands twice`, `key "a" stands twice`},
		{"doubled key below", `{"a":1,"in":{"x":1,"x":2}}`, `key "x" stands twice`, `key "x" stands twice`},
		{"doubled key in a list", `{"a":1,"l":[{"a":1},{"a":1,"a":2}]}`, `key "a" stands twice`, `key "a" stands twice`},
		{"doubled key by escape", `{"a":1,"in":{"x":1,"\u0078":2}}`, `key "x" stands twice`, `key "x" stands twice`},
		{"key in capitals", `{"A":1}`, "canonical", "canonical"},
		{"key twice, once in capitals", `{"A":2,"a":1}`, "canonical", "canonical"},
		{"unknown field", `{"a":1,"b":2}`, `unknown field "b"`, `unknown field "b"`},
		{"unknown field below", `{"a":1,"l":[{"a":1,"b":2}]}`, `unknown field "b"`, `unknown field "b"`},
		{"field missing", `{}`, "canonical", "canonical"},
		{"empty field that is left out", `{"a":1,"l":[]}`, "canonical", "canonical"},
		{"second value", `{"a":1}{"a":1}`, "more than one value", "more than one value"},
		{"bytes behind", `{"a":1} x`, "invalid character", "invalid character"},
		{"open string behind", `{"a":1} "x`, "read evidence", "read evidence"},
		{"open object behind", `{"a":1} {`, "more than one value", "more than one value"},
		{"open number behind", `{"a":1} -`, "read evidence", "read evidence"},
		{"NUL behind", "{\"a\":1}\x00", "invalid character", "invalid character"},
		{"newline behind", "{\"a\":1}\n", "", "canonical"},
		{"byte order mark", "\ufeff{\"a\":1}", "invalid character", "invalid character"},
		{"nested as far as allowed", deep(62), "canonical", "canonical"},
		{"nested too deep", deep(63), "nested deeper", "nested deeper"},
		{"nested very deep", deep(1 << 20), "nested deeper", "nested deeper"},
		{"number too large", `{"a":1e999}`, "read evidence", "read evidence"},
		{"number too large below", `{"a":1,"in":{"x":1e999}}`, "read evidence", "read evidence"},
		{"invalid UTF-8", "{\"a\":1,\"in\":{\"x\":\"\xff\"}}", "UTF-8", "canonical"},
		{"half a surrogate", `{"a":1,"in":{"x":"\ud800"}}`, "read evidence", "read evidence"},
		{"empty", ``, "EOF", "EOF"},
		{"truncated", `{"a":1`, "unexpected EOF", "unexpected EOF"},
		{"another type", `[]`, "cannot unmarshal", "cannot unmarshal"},
		{"null", `null`, "canonical", "canonical"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, c := range []struct {
				how    string
				decode func([]byte, any) error
				want   string
			}{{"DecodeReadable", evidence.DecodeReadable, tt.readable}, {"Decode", evidence.Decode, tt.canonical}} {
				var s sample
				err := c.decode([]byte(tt.json), &s)
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: got error %v, want %q", c.how, err, c.want)
				}
			}
		})
	}
}

func observation() evidence.Observation {
	k := 61
	return evidence.Observation{
		ID: "o-1", Item: "i-1", Probe: "evasion/noise", Version: 1,
		Result: result.Result{
			State: result.Measured, Notes: []string{"a < b & \u00e9"},
			Metrics:  map[string]result.Metric{"robust_accuracy": {Value: 0.61, Lower: 0.5, Upper: 0.7, N: 100, Unit: "share", Method: "clopper-pearson", Confidence: 0.95, K: &k}},
			Validity: []result.Validity{{Check: "differ", OK: true}},
		},
		Inputs: []artefact.Digest{artefact.DigestBytes(nil)}, Parameters: map[string]any{"epsilon": 0.05, "norm": "linf"},
		Seed: "00", SolutionsOn: []string{}, RowsFile: "salted:00", RowsCount: 100, Environment: "e-1",
		Ended: time.Date(2026, 11, 3, 10, 0, 0, 500, time.UTC),
	}
}

func TestSealAndUnseal(t *testing.T) {
	o := observation()
	o.Digest = "sha256:of something else"
	b, err := o.Seal()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	if got, want := string(o.Digest), "sha256:"+hex.EncodeToString(sum[:]); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	if bytes.Contains(b, []byte(`"digest"`)) {
		t.Errorf("the sealed bytes hold their own digest: %s", b)
	}
	back, err := evidence.Unseal(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(back, &o); diff != "" {
		t.Errorf("observation (-got +want):\n%s", diff)
	}
	again, err := o.Seal()
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("sealed twice: %s, %v, want %s", again, err, b)
	}
}

// TestUnsealRefusesEveryOtherEncoding changes each byte of a sealed observation
// in turn. What is still accepted must say something else and have another digest.
func TestUnsealRefusesEveryOtherEncoding(t *testing.T) {
	o := observation()
	b, err := o.Seal()
	if err != nil {
		t.Fatal(err)
	}
	digests := map[artefact.Digest]bool{o.Digest: true}
	for i := range b {
		for _, flip := range []byte{1, 0x20, 0x80} {
			wrong := bytes.Clone(b)
			wrong[i] ^= flip
			if got, err := evidence.Unseal(wrong); err == nil {
				if digests[got.Digest] {
					t.Fatalf("byte %d: two encodings with digest %s", i, got.Digest)
				}
				digests[got.Digest] = true
			}
		}
	}
	if len(digests) < 10 {
		t.Errorf("only %d changes were readable: the test shows little", len(digests))
	}
	own := append([]byte(`{"digest":"sha256:00",`), b[1:]...)
	if _, err := evidence.Unseal(own); err == nil {
		t.Error("an observation with its own digest was read")
	}
	var plain map[string]any
	if err := json.Unmarshal(b, &plain); err != nil {
		t.Fatal(err)
	}
	plain["digest"] = string(o.Digest)
	own, err = evidence.Canonical(plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Unseal(own); err == nil || !strings.Contains(err.Error(), "its own digest") {
		t.Errorf("got error %v, want one about its own digest", err)
	}
}

func TestSealRows(t *testing.T) {
	rows := result.NewRows([]int{4, 2}, "stands")
	rows.Columns[0].Values[1] = 1
	salt := strings.NewReader(strings.Repeat("s", 32) + strings.Repeat("t", 32))
	file, salted, err := evidence.SealRows(rows, salt)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file)
	if want := "salted:" + hex.EncodeToString(sum[:]); salted != want {
		t.Errorf("got %s, want %s", salted, want)
	}
	got, err := evidence.UnsealRows(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, rows); diff != "" {
		t.Errorf("rows (-got +want):\n%s", diff)
	}
	other, saltedOther, err := evidence.SealRows(rows, salt)
	if err != nil || saltedOther == salted || bytes.Equal(other, file) {
		t.Errorf("the same rows with another salt have the same digest: %s, %v", saltedOther, err)
	}
	if _, _, err := evidence.SealRows(rows, strings.NewReader("short")); err == nil {
		t.Error("rows were sealed with half a salt")
	}
}

func TestUnsealRowsRefuses(t *testing.T) {
	salt := `"salt":"` + strings.Repeat("c3Nz", 10) + `c3M="`
	for _, tt := range []struct{ name, file, want string }{
		{"none", `{"rows":null,` + salt + `}`, "canonical"},
		{"a number for a column", `{"rows":{"columns":[0,0],"index":[]},` + salt + `}`, "cannot unmarshal number"},
		{"bytes behind", `{"rows":{"columns":[],"index":[]},` + salt + `} `, "canonical"},
		{"spaced", `{"rows":{"columns":[{"name":"a","values":[1, 2]}],"index":[1,2]},` + salt + `}`, "canonical"},
		{"unknown field", `{"rows":{"columns":[{"more":1,"name":"a","values":[]}],"index":[]},` + salt + `}`, "unknown field"},
		{"too many numbers", `{"rows":{"columns":[],"index":[` + strings.Repeat("0,", 12<<20) + `0]},` + salt + `}`, "more than 12582912 values"},
		{"no salt", `{"rows":{"columns":[],"index":[]},"salt":null}`, "a salt of 0 bytes"},
		{"short salt", `{"rows":{"columns":[],"index":[]},"salt":"c3M="}`, "a salt of 2 bytes"},
		{"row twice", `{"rows":{"columns":[],"index":[1,1]},` + salt + `}`, "row 1 stands twice"},
		{"short column", `{"rows":{"columns":[{"name":"a","values":[1]}],"index":[1,2]},` + salt + `}`, "1 values for 2 rows"},
		{"not canonical", `{"rows": null}`, "canonical"},
	} {
		if _, err := evidence.UnsealRows([]byte(tt.file)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := evidence.UnsealRows([]byte(`{"rows":{"columns":[],"index":[]},` + salt + `}`)); err != nil {
		t.Errorf("no rows at all: %v", err)
	}
}

// TestRowsKeepTheirTables: tables of single rows are sealed with the rows.
func TestRowsKeepTheirTables(t *testing.T) {
	rows := result.NewRows([]int{3, 4}, "broken")
	rows.Tables = []result.Table{{ID: "changes", Title: "Changes", Head: []string{"Row", "Change"}, Rows: [][]string{{"3", "age +2"}}, Data: true, More: 1}}
	file, _, err := evidence.SealRows(rows, strings.NewReader(strings.Repeat("s", 32)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := evidence.UnsealRows(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	spaced := strings.Replace(string(file), `"tables":`, `"tables": `, 1)
	if _, err := evidence.UnsealRows([]byte(spaced)); err == nil {
		t.Error("another encoding of the tables is taken")
	}
}

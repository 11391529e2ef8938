package evidence_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/result"
)

// FuzzDecode checks that what is read is what stands there: read as Decode
// accepts it, it is written again byte for byte; as DecodeReadable does, with the same canonical form.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"type":"plan","run":"r","time":"2026-11-03T10:00:00Z"}`,
		`{"run":"r","time":"2026-11-03T10:00:00Z","type":"plan"}`,
		`{"run":"r","run":"s"}`, `{"RUN":"r"}`, `{"artefacts":["sha256:00"]}`, `{} {`, `[[[[`, "", "\xff", `{"run":"\ud800"}`, `{"a":{"b":[1e21,-0,0.1]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var entry, readable evidence.Entry
		if evidence.Decode(b, &entry) == nil {
			if again, err := evidence.Canonical(entry); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%q is read as %q, %v", b, again, err)
			}
			if err := evidence.DecodeReadable(b, &readable); err != nil {
				t.Errorf("%q: Decode accepts it, DecodeReadable not: %v", b, err)
			}
		}
		var free map[string]any
		if evidence.DecodeReadable(b, &free) == nil {
			one, errOne := evidence.Canonical(free)
			two, errTwo := evidence.Canonical(json.RawMessage(b))
			if errOne != nil || errTwo != nil || !bytes.Equal(one, two) {
				t.Errorf("%q: canonical is %q, %v; %q, %v", b, one, errOne, two, errTwo)
			}
		}
	})
}

// FuzzUnseal checks that one observation has one encoding and one digest.
func FuzzUnseal(f *testing.F) {
	o := observation()
	b, err := o.Seal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte(`{"digest":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := evidence.Unseal(b)
		if err != nil {
			return
		}
		if o.Digest != artefact.DigestBytes(b) {
			t.Errorf("digest %s is not of the bytes", o.Digest)
		}
		if again, err := o.Seal(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q seals to %q, %v", b, again, err)
		}
	})
}

// FuzzUnsealRows checks that what is read validates.
func FuzzUnsealRows(f *testing.F) {
	rows := result.NewRows([]int{1, 5}, "stands", "queries")
	file, _, err := evidence.SealRows(rows, strings.NewReader(strings.Repeat("s", 32)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(file[:len(file)-9])
	f.Add([]byte(`{"rows":{"columns":null,"index":null},"salt":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := evidence.UnsealRows(b)
		if err != nil {
			return
		}
		if rows == nil || rows.Validate() != nil {
			t.Errorf("%q was read as %v", b, rows)
		}
	})
}

package witness_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/witness"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// key makes a witness's key by the specification: name+id+base64(4, public key).
func key(name string, seed byte) (text string, private ed25519.PrivateKey) {
	private = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32))
	raw := append([]byte{4}, private.Public().(ed25519.PublicKey)...)
	id := sha256.Sum256(append([]byte(name+"\n"), raw...))
	return fmt.Sprintf("%s+%x+%s", name, id[:4], base64.StdEncoding.EncodeToString(raw)), private
}

// cosign makes a line of a cosignature by the specification.
func cosign(text string, private ed25519.PrivateKey, body string, at uint64) string {
	name, rest, _ := strings.Cut(text, "+")
	var id [4]byte
	var n uint32
	fmt.Sscanf(rest[:8], "%x", &n)
	binary.BigEndian.PutUint32(id[:], n)
	sig := binary.BigEndian.AppendUint64(id[:], at)
	sig = append(sig, ed25519.Sign(private, []byte("cosignature/v1\ntime "+fmt.Sprint(at)+"\n"+body))...)
	return "— " + name + " " + base64.StdEncoding.EncodeToString(sig) + "\n"
}

func TestCosignatures(t *testing.T) {
	checkpoint := read(t, "checkpoint")
	body, err := witness.Text(checkpoint)
	if err != nil || strings.Count(body, "\n") != 3 {
		t.Fatalf("got %q, %v", body, err)
	}
	text, private := key("witness.example/w1", 1)
	other, stranger := key("witness.example/w2", 2)
	k, err := witness.ParseKey(text)
	if err != nil || k.String() != text || k.Name() != "witness.example/w1" {
		t.Fatalf("got %v, %v", k, err)
	}
	good := cosign(text, private, body, 1679315147)
	got, err := witness.CheckCosignatures([]byte(cosign(other, stranger, body, 1)+good), checkpoint, []*witness.Key{k})
	if err != nil || len(got) != 1 || got[0].Time.Unix() != 1679315147 || got[0].Witness != "witness.example/w1" || got[0].Line+"\n" != good {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, lines := range map[string]string{
		"another body":        cosign(text, private, body+"x\n", 5),
		"another's signature": cosign(text, stranger, body, 5),
		"twice":               good + good,
		"time too large":      cosign(text, private, body, 1<<63),
		"no newline":          strings.TrimSuffix(good, "\n"),
		"no dash":             strings.TrimPrefix(good, "— "),
		"cut off":             "— witness.example/w1 " + base64.StdEncoding.EncodeToString([]byte{1, 2}) + "\n",
	} {
		if got, err := witness.CheckCosignatures([]byte(lines), checkpoint, []*witness.Key{k}); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	for name, wrong := range map[string]string{
		"type 1": strings.Replace(text, "+BI", "+AY", 1), "another name": "x" + text, "no id": strings.ReplaceAll(text, "+", "-"), "a space": "a b" + text, "empty": "",
	} {
		if _, err := witness.ParseKey(wrong); err == nil {
			t.Errorf("%s: %q parses", name, wrong)
		}
	}
}

func FuzzCheck(f *testing.F) {
	checkpoint := read(f, "checkpoint")
	text, private := key("w", 1)
	f.Add([]byte(cosign(text, private, "x\n", 1)))
	k, err := witness.ParseKey(text)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := witness.CheckCosignatures(b, checkpoint, []*witness.Key{k}); err == nil && len(got) > 1 {
			t.Errorf("got %+v", got)
		}
		_, _ = witness.ParseKeys(b)
	})
}

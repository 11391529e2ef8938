package plan_test

import (
	"crypto/sha256"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/plan"
)

// TestSeed computes the seed from its definition and checks that everything
// that it depends on changes it.
func TestSeed(t *testing.T) {
	digest, nonce := artefact.DigestBytes([]byte("plan")), []byte{0, 1, 2}
	got := plan.Seed(digest, nonce, "evasion/x")
	if want := sha256.Sum256([]byte("assize seed v1\x00" + string(digest) + "\x00" + string(nonce) + "\x00evasion/x")); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
	seen := map[[32]byte]bool{got: true}
	for _, other := range [][32]byte{
		plan.Seed(artefact.DigestBytes(nil), nonce, "evasion/x"), plan.Seed(digest, nonce[1:], "evasion/x"),
		plan.Seed(digest, nonce, "evasion/y"), plan.Seed(digest, nonce, plan.Sample),
	} {
		if seen[other] {
			t.Errorf("%x stands twice", other)
		}
		seen[other] = true
	}
}

func TestQueries(t *testing.T) {
	p := &plan.Plan{Items: []plan.Item{{Queries: 5}, {}, {Queries: 7}}}
	if got := p.Queries(); got != 12 {
		t.Errorf("got %d, want 12", got)
	}
}

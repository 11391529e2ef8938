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

func TestCapOr(t *testing.T) {
	for _, c := range []struct {
		a, b, want plan.Cap
		text       string
	}{
		{plan.Cap{}, plan.Cap{}, plan.Cap{}, ""},
		{plan.Cap{Rows: 5}, plan.Cap{Requests: 3}, plan.Cap{Rows: 5, Requests: 3}, "5 rows and 3 requests"},
		{plan.Cap{Rows: 5, Requests: 2}, plan.Cap{Rows: 4, Requests: 3}, plan.Cap{Rows: 4, Requests: 2}, "4 rows and 2 requests"},
	} {
		if got := c.a.Or(c.b); got != c.want || got.String() != c.text || c.b.Or(c.a) != c.want {
			t.Errorf("%+v or %+v: got %+v %q, want %+v", c.a, c.b, got, got, c.want)
		}
	}
}

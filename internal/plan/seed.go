package plan

import (
	"crypto/sha256"

	"github.com/assize/assize/internal/artefact"
)

// Sample is the name under which the seed that draws rows is derived. All
// probes of a run draw from one order, so that their rows pair.
const Sample = "sample"

// Seed is the root of all randomness of one probe in one run. It follows from
// the plan's digest and the run's nonce, which are logged before the first
// probe, so nobody chose it. Whether solutions are on does not enter it: both runs of
// a pair draw the same.
func Seed(digest artefact.Digest, nonce []byte, probe string) [32]byte {
	h := sha256.New()
	h.Write([]byte("assize seed v1\x00" + string(digest) + "\x00"))
	h.Write(nonce)
	h.Write([]byte("\x00" + probe))
	return [32]byte(h.Sum(nil))
}

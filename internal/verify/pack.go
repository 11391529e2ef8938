package verify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/ledger"
)

// Pack is what was found of a released catalogue that holds.
type Pack struct {
	catalogue.Packed
	Key     string // that signed it; empty where nobody did
	Trusted bool   // it is the one that the caller named
}

// ReadPack checks the released catalogue in a file and the signature beside it.
// key is the verifier key that the caller trusts, and then a signature by it
// must be there; nil takes the one in the signature, which vouches for itself.
func ReadPack(path string, key *ledger.Verifier) (*Pack, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("verify catalogue: %w", err)
	}
	defer f.Close()
	packed, err := catalogue.VerifyPack(f)
	if err != nil {
		return nil, fmt.Errorf("verify catalogue %q: %w", path, err)
	}
	p := &Pack{Packed: *packed}
	s, err := readSignature(path + catalogue.SignatureSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist) && key == nil:
		return p, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("verify catalogue %q: nobody signed it: there is no %s beside it\nhint: get the signature from where the catalogue comes from, or leave out the key", path, path+catalogue.SignatureSuffix)
	case err != nil:
		return nil, fmt.Errorf("verify catalogue %q: %w", path, err)
	case s.Catalogue != p.Digest:
		return nil, fmt.Errorf("verify catalogue %q: the signature is of catalogue %s, this is %s", path, s.Catalogue, p.Digest)
	}
	p.Trusted = key != nil
	if key == nil {
		if key, err = ledger.ParseVerifier(s.Key); err != nil {
			return nil, fmt.Errorf("verify catalogue %q: signature: %w", path, err)
		}
	} else if key.String() != s.Key {
		return nil, fmt.Errorf("verify catalogue %q: it is signed by %.200q, not by the key that was named, %s", path, s.Key, key.String())
	}
	if err := key.Verify(catalogue.SignatureDomain, s.Payload(), s.Signature); err != nil {
		return nil, fmt.Errorf("verify catalogue %q: %w", path, err)
	}
	p.Key = key.String()
	return p, nil
}

func readSignature(path string) (*catalogue.Signature, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read signature: %q is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return catalogue.ReadSignature(f)
}

// Says is what the signature means, in a sentence.
func (p *Pack) Says() string {
	switch {
	case p.Key == "":
		return "Nobody signed it, so it does not show who made it: compare the digest with the one its maker published."
	case p.Trusted:
		return "Signed with the key that you named, " + p.Key + "."
	}
	return "Signed with " + p.Key + ", which vouches for itself: whoever changed the catalogue could have signed it anew. Compare the key with one that you got elsewhere (--key FILE)."
}

package verify_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/verify"
)

func TestReadPack(t *testing.T) {
	dir := t.TempDir()
	mine := must(ledger.LoadOrCreateKey(filepath.Join(dir, "mine")))(t)
	other := must(ledger.LoadOrCreateKey(filepath.Join(dir, "other")))(t)
	tables := must(catalogue.Open(catalogue.Options{}))(t)
	var pack bytes.Buffer
	packed := must(tables.Pack(&pack))(t)
	path := filepath.Join(dir, "pack.tar.gz")
	if err := os.WriteFile(path, pack.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	sign := func(of artefact.Digest, by *ledger.Key, domain, named string) []byte {
		s := catalogue.NewSignature(of, named)
		s.Signature = must(by.Sign(domain, s.Payload()))(t)
		return must(s.Encode())(t)
	}
	me, them := mine.Verifier().String(), other.Verifier().String()
	good := sign(packed.Digest, mine, catalogue.SignatureDomain, me)
	for _, tt := range []struct {
		name      string
		signature []byte // nil: none
		key       *ledger.Verifier
		says      string // of what holds
		wrong     string
	}{
		{"unsigned", nil, nil, "Nobody signed it", ""},
		{"signed", good, nil, "vouches for itself", ""},
		{"signed by the key named", good, mine.Verifier(), "the key that you named, " + me, ""},
		{"unsigned, a key named", nil, mine.Verifier(), "", "nobody signed it"},
		{"signed by another than named", good, other.Verifier(), "", "not by the key that was named"},
		{"in another's name", sign(packed.Digest, other, catalogue.SignatureDomain, me), mine.Verifier(), "", ledger.ErrSignature.Error()},
		{"in another's name, no key named", sign(packed.Digest, mine, catalogue.SignatureDomain, them), nil, "", ledger.ErrSignature.Error()},
		{"of another catalogue", sign(artefact.DigestBytes(nil), mine, catalogue.SignatureDomain, me), nil, "", "the signature is of catalogue sha256:e3b0"},
		{"made for a dossier", sign(packed.Digest, mine, dossier.SignatureDomain, me), nil, "", ledger.ErrSignature.Error()},
		{"by no key", sign(packed.Digest, mine, catalogue.SignatureDomain, "me"), nil, "", "parse public key"},
		{"something else", []byte("{}"), nil, "", "read signature: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			beside := path + catalogue.SignatureSuffix
			if err := os.RemoveAll(beside); err != nil {
				t.Fatal(err)
			}
			if tt.signature != nil {
				if err := os.WriteFile(beside, tt.signature, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			p, err := verify.ReadPack(path, tt.key)
			switch {
			case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
				t.Errorf("got %v, want %q", err, tt.wrong)
			case tt.wrong == "" && err != nil:
				t.Error(err)
			case tt.wrong == "" && (p.Digest != packed.Digest || !strings.Contains(p.Says(), tt.says) || p.Trusted != (tt.key != nil)):
				t.Errorf("got %v saying %q", p.Digest, p.Says())
			}
		})
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.sig"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, filepath.Join(dir, "folder")); err != nil {
		t.Fatal(err)
	}
	if _, err := verify.ReadPack(filepath.Join(dir, "folder"), nil); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a folder as signature: got %v", err)
	}
	if _, err := verify.ReadPack(path, nil); err == nil {
		t.Error("a pack that is not there was read")
	}
}

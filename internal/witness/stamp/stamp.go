// Package stamp checks time stamps of authorities (RFC 3161) offline. It stands
// apart from witness because certificates drag the network's packages into a program.
package stamp

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"

	"github.com/assize/assize/internal/witness"
)

// MaxBytes bounds the answer of a time stamping authority, certificates included.
const MaxBytes = witness.MaxStampBytes

// Checker is Check for fixed roots.
func Checker(roots *x509.CertPool) witness.CheckStamp {
	return func(answer, message []byte) (time.Time, string, error) {
		s, err := Check(answer, message, roots)
		if err != nil {
			return time.Time{}, "", err
		}
		return s.Time, s.Authority, nil
	}
}

// Stamp is a time stamp that holds.
type Stamp struct {
	Time      time.Time
	Authority string // subject of the certificate that signed
	Trusted   bool   // the certificate leads to one of the caller's roots
}

// Check checks an authority's answer (TimeStampResp of RFC 3161, in DER)
// over the SHA-256 of message: it grants, it speaks of these bytes, one
// certificate in it signed it, was made for time stamping alone and was valid at
// that time. Where roots is not nil the certificate must lead to one of them.
func Check(response, message []byte, roots *x509.CertPool) (*Stamp, error) {
	s, err := check(response, message, roots)
	if err != nil {
		return nil, fmt.Errorf("check time stamp: %w", err)
	}
	return s, nil
}

func check(response, message []byte, roots *x509.CertPool) (*Stamp, error) {
	if len(response) > MaxBytes {
		return nil, fmt.Errorf("longer than %d bytes", MaxBytes)
	}
	// The library reads BER too, which costs much more than its bytes where somebody wants it to.
	if rest, err := der(response, 0); err != nil || len(rest) > 0 {
		return nil, errors.New("it is not DER from end to end")
	}
	t, err := timestamp.ParseResponse(response)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(message)
	if t.HashAlgorithm != crypto.SHA256 || !bytes.Equal(t.HashedMessage, sum[:]) {
		return nil, errors.New("it is of something else than this checkpoint")
	}
	p7, err := pkcs7.Parse(t.RawToken)
	if err != nil {
		return nil, err
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return nil, errors.New("it carries no certificate of one signer")
	}
	if !slices.Contains(signer.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) || len(signer.ExtKeyUsage) != 1 {
		return nil, fmt.Errorf("the certificate of %s is not for time stamping alone", signer.Subject)
	}
	if t.Time.Before(signer.NotBefore) || t.Time.After(signer.NotAfter) {
		return nil, fmt.Errorf("the certificate of %s was not valid at %s", signer.Subject, t.Time.UTC().Format(time.RFC3339))
	}
	others := x509.NewCertPool()
	for _, c := range p7.Certificates {
		others.AddCert(c)
	}
	err = p7.VerifyWithOpts(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	if err != nil {
		return nil, err
	}
	return &Stamp{Time: t.Time.UTC(), Authority: signer.Subject.String(), Trusted: roots != nil}, nil
}

// maxNesting bounds how deep an answer is nested; OpenSSL's is 13 deep.
const maxNesting = 32

// der walks over one value in DER, its parts included, and returns what is behind it.
func der(b []byte, depth int) (rest []byte, err error) {
	wrong := errors.New("not DER")
	if depth > maxNesting || len(b) < 2 || b[0]&0x1f == 0x1f { // tags above 30 do not occur
		return nil, wrong
	}
	n, head := int(b[1]), 2
	switch {
	case n == 0x81 && len(b) > 2 && b[2] >= 0x80:
		n, head = int(b[2]), 3
	case n == 0x82 && len(b) > 3 && b[2] > 0:
		n, head = int(b[2])<<8|int(b[3]), 4
	case n >= 0x80:
		return nil, wrong
	}
	if n > len(b)-head {
		return nil, wrong
	}
	rest = b[head+n:]
	if b[0]&0x20 == 0 {
		return rest, nil
	}
	for inner := b[head : head+n]; len(inner) > 0; {
		if inner, err = der(inner, depth+1); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// ReadRoots reads the certificates that a caller trusts from a PEM file.
func ReadRoots(path string) (*x509.CertPool, error) {
	b, err := witness.ReadSmall(path)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	roots, found := x509.NewCertPool(), false
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read certificates %q: %w", path, err)
		}
		roots.AddCert(c)
		found = true
	}
	if !found {
		return nil, fmt.Errorf("read certificates %q: it holds none\nhint: a PEM file with the certificates of time stamping authorities that you trust", path)
	}
	return roots, nil
}

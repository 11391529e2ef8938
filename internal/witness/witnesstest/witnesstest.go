// Package witnesstest runs a time stamping authority and a witness on loopback
// for tests. The witness follows C2SP tlog-witness and keeps what it saw.
package witnesstest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"golang.org/x/mod/sumdb/tlog"
)

// Authority is a time stamping authority with a certificate that signs itself.
type Authority struct {
	URL  string
	Root []byte // its certificate, PEM

	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// NewAuthority runs an authority until the test ends.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Time on loopback"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.Root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		q, err := timestamp.ParseRequest(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a.answer(w, q.HashedMessage, q.Nonce)
	}))
	t.Cleanup(server.Close)
	a.URL = server.URL
	return a
}

// Stamp answers with a stamp over message.
func (a *Authority) Stamp(w io.Writer, message []byte, nonce *big.Int) {
	sum := sha256.Sum256(message)
	a.answer(w, sum[:], nonce)
}

func (a *Authority) answer(w io.Writer, sum []byte, nonce *big.Int) {
	s := timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: sum, Time: time.Now().UTC(), Nonce: nonce, Policy: []int{1, 2, 3, 4, 1}, AddTSACertificate: true,
	}
	if b, err := s.CreateResponseWithOpts(a.cert, a.key, crypto.SHA256); err == nil {
		_, _ = w.Write(b)
	}
}

// Witness cosigns checkpoints of any log whose history it saw grow.
type Witness struct {
	URL, Key string

	private ed25519.PrivateKey
	id      [4]byte
	mu      sync.Mutex
	seen    map[string]tree
}

type tree struct {
	size int64
	root tlog.Hash
}

// NewWitness runs a witness until the test ends.
func NewWitness(t testing.TB) *Witness {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const name = "witness.test/loopback"
	raw := append([]byte{4}, public...)
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	w := &Witness{private: private, seen: map[string]tree{}, Key: fmt.Sprintf("%s+%x+%s", name, sum[:4], base64.StdEncoding.EncodeToString(raw))}
	copy(w.id[:], sum[:])
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(server.Close)
	w.URL = server.URL
	return w
}

func (w *Witness) serve(to http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	head, point, ok := bytes.Cut(body, []byte("\n\n"))
	text, _, signed := bytes.Cut(point, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	old, errOld := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	fields := strings.Split(string(text), "\n")
	if err != nil || r.URL.Path != "/add-checkpoint" || !ok || !signed || errOld != nil || len(fields) != 3 {
		http.Error(to, "malformed", http.StatusBadRequest)
		return
	}
	size, errSize := strconv.ParseInt(fields[1], 10, 64)
	root, errRoot := tlog.ParseHash(fields[2])
	var proof tlog.TreeProof
	for _, l := range lines[1:] {
		h, err := tlog.ParseHash(l)
		if err != nil {
			http.Error(to, "malformed proof", http.StatusBadRequest)
			return
		}
		proof = append(proof, h)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.seen[fields[0]]
	switch {
	case errSize != nil || errRoot != nil || old > size:
		http.Error(to, "malformed checkpoint", http.StatusBadRequest)
	case old != last.size:
		to.Header().Set("Content-Type", "text/x.tlog.size")
		to.WriteHeader(http.StatusConflict)
		fmt.Fprintf(to, "%d\n", last.size)
	case old > 0 && tlog.CheckTree(proof, size, root, old, last.root) != nil:
		http.Error(to, "inconsistent", http.StatusUnprocessableEntity)
	default:
		w.seen[fields[0]] = tree{size, root}
		at := time.Now().Unix()
		sig := binary.BigEndian.AppendUint64(bytes.Clone(w.id[:]), uint64(at))
		sig = append(sig, ed25519.Sign(w.private, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s\n", at, text))...)
		name, _, _ := strings.Cut(w.Key, "+")
		fmt.Fprintf(to, "— %s %s\n", name, base64.StdEncoding.EncodeToString(sig))
	}
}

// Package ask gets time stamps and cosignatures from parties outside: the only
// part of an assessment of files that uses the network, and only where it is asked for.
package ask

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strconv"
	"strings"

	"github.com/digitorus/timestamp"

	"github.com/assize/assize/internal/witness"
	"github.com/assize/assize/internal/witness/stamp"
)

// maxAnswer bounds the answer of a witness: a few lines.
const maxAnswer = 64 << 10

// Stamp asks the authority at url for a time stamp over the SHA-256 of message
// and returns its answer, which holds (stamp.Check), carries the request's nonce and its own certificate.
func Stamp(ctx context.Context, client *http.Client, url string, message []byte) ([]byte, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, fmt.Errorf("ask for time stamp: %w", err)
	}
	body, err := timestamp.CreateRequest(bytes.NewReader(message), &timestamp.RequestOptions{Certificates: true, Nonce: nonce})
	if err != nil {
		return nil, fmt.Errorf("ask for time stamp: %w", err)
	}
	status, _, answer, err := post(ctx, client, url, "application/timestamp-query", body, stamp.MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("ask for time stamp: %w", err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("ask for time stamp: %s answered %d %s", url, status, http.StatusText(status))
	}
	if _, err := stamp.Check(answer, message, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	got, err := timestamp.ParseResponse(answer)
	if err != nil || got.Nonce == nil || got.Nonce.Cmp(nonce) != 0 {
		return nil, fmt.Errorf("ask for time stamp: %s answered another request", url)
	}
	return answer, nil
}

// Cosign submits a signed checkpoint to the witness at url (C2SP tlog-witness) and
// returns its lines of signatures that hold by keys. prove gives the proof that the log begins with what
// it held at a size; it is asked for the size that the witness saw last.
func Cosign(ctx context.Context, client *http.Client, url string, checkpoint []byte, keys []*witness.Key, prove func(old int64) ([][]byte, error)) ([]witness.Cosignature, error) {
	url = strings.TrimSuffix(url, "/") + "/add-checkpoint"
	old := int64(0)
	for try := 0; ; try++ {
		proof, err := prove(old)
		if err != nil {
			return nil, fmt.Errorf("ask witness %s: %w", url, err)
		}
		status, kind, answer, err := post(ctx, client, url, "text/plain; charset=utf-8", witness.Request(old, proof, checkpoint), maxAnswer)
		if err != nil {
			return nil, fmt.Errorf("ask witness: %w", err)
		}
		switch {
		case status == http.StatusConflict && kind == "text/x.tlog.size" && try < 3:
			if old, err = strconv.ParseInt(strings.TrimSuffix(string(answer), "\n"), 10, 64); err != nil || old < 0 {
				return nil, fmt.Errorf("ask witness %s: it names no size of what it saw last", url)
			}
			continue
		case status == http.StatusNotFound:
			return nil, fmt.Errorf("ask witness %s: it does not know this log\nhint: have its operator add the log's origin and key: .assize/key.pub", url)
		case status != http.StatusOK:
			return nil, fmt.Errorf("ask witness %s: it answered %d %s", url, status, http.StatusText(status))
		}
		found, err := witness.CheckCosignatures(answer, checkpoint, keys)
		if err != nil {
			return nil, fmt.Errorf("ask witness %s: %w", url, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("ask witness %s: none of its signatures is by a key that was named\nhint: name the witness's key: --witness-key FILE", url)
		}
		return found, nil
	}
}

func post(ctx context.Context, client *http.Client, url, kind string, body []byte, most int64) (status int, answered string, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	r.Header.Set("Content-Type", kind)
	a, err := client.Do(r)
	if err != nil {
		return 0, "", nil, err
	}
	defer a.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(a.Body, most+1))
	if err == nil && int64(len(answer)) > most {
		err = errors.New("the answer is longer than any can be")
	}
	return a.StatusCode, a.Header.Get("Content-Type"), answer, err
}

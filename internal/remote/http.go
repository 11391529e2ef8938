package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// limitBytes bounds an answer that nobody can size before it has come.
const limitBytes = 1 << 20

// newHTTP makes a client that verifies certificates, follows no redirect and
// unpacks nothing. Proxies come from the environment.
func newHTTP(ca []byte, http2, secure bool) (*http.Client, error) {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    20 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        time.Minute,
		Protocols:              &http.Protocols{},
	}
	if ca != nil {
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("open endpoint: ca holds no certificate in PEM\nhint: name the file of the authority that signed the server's certificate")
		}
	}
	switch {
	case http2 && secure:
		t.Protocols.SetHTTP2(true)
	case http2:
		t.Protocols.SetUnencryptedHTTP2(true)
	default:
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(true)
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// answer is what came back for a request, read to its end.
type answer struct {
	status  int
	header  http.Header
	trailer http.Header
	body    []byte
}

// message is a request as it goes out.
type message struct {
	method, address, contentType string
	body                         []byte
	rows                         int // in the body
	limit                        int // bytes of the answer that are read at most
}

// call sends a request, where the cap leaves room for it, and reads the answer. Nothing else sends anything.
func (c *Client) call(ctx context.Context, m message) (*answer, *failure) {
	req, err := http.NewRequestWithContext(ctx, m.method, m.address, bytes.NewReader(m.body))
	if err != nil {
		return nil, &failure{text: "the request cannot be made: " + c.clean(err.Error())}
	}
	if f := c.meter.spend(m.rows); f != nil {
		return nil, f
	}
	if req.GetBody != nil { // net/http asks for the body again where a connection that it kept was closed meanwhile
		req.GetBody = func() (io.ReadCloser, error) {
			if f := c.meter.spend(m.rows); f != nil {
				return nil, errors.New(f.text)
			}
			return io.NopCloser(bytes.NewReader(m.body)), nil
		}
	}
	for name, value := range c.cfg.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("User-Agent", "assize")
	req.Header.Set("Accept-Encoding", "identity")
	if m.contentType != "" {
		req.Header.Set("Content-Type", m.contentType)
	}
	if c.cfg.Protocol == GRPC {
		req.Header.Set("Te", "trailers")
	} else {
		req.Header.Set("Accept", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	defer resp.Body.Close()
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, &failure{text: fmt.Sprintf("the answer is packed with %q, which was not asked for; it was not unpacked", c.clean(e))}
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, int64(m.limit)+1))
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if len(b) > m.limit {
		return nil, &failure{text: fmt.Sprintf("the answer is longer than %d bytes, which is more than numbers for the rows can take", m.limit)}
	}
	return &answer{resp.StatusCode, resp.Header, resp.Trailer, b}, nil
}

// broken says why no whole answer came.
func (c *Client) broken(ctx context.Context, err error) *failure {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &failure{do: again, text: fmt.Sprintf("no whole answer came within %s", c.cfg.Timeout), timedOut: true, silent: true,
			hint: "set a longer timeout, or a smaller batch, under endpoint"}
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	f := &failure{do: again, text: c.clean(err.Error()), silent: true, hint: "check url under endpoint, and that the server runs"}
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		f.do, f.hint = stop, "name the file of the authority that signed the server's certificate under endpoint.ca"
	case errors.As(err, &host), errors.As(err, &invalid):
		f.do, f.hint = stop, "the certificate must be valid and for the host in endpoint.url"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		f.text = "the server ended the connection in the middle of its answer"
	}
	return f
}

// judge turns a status into a failure, or nil where it is a success.
func (c *Client) judge(a *answer) *failure {
	if a.status/100 == 2 {
		return nil
	}
	f := &failure{text: fmt.Sprintf("status %d %s", a.status, http.StatusText(a.status))}
	f.fault = a.status/100 == 5 && a.status != http.StatusServiceUnavailable
	f.busy = a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable
	if words := c.words(a); words != "" {
		f.text += ": " + words
	}
	switch a.status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusNotAcceptable:
		f.do = refuse
	case http.StatusUnauthorized, http.StatusForbidden:
		f.hint = "name the environment variable with the credential under endpoint.headers, and set it"
	case http.StatusNotFound:
		f.hint = "check url, model and version under endpoint"
	case http.StatusRequestEntityTooLarge:
		f.hint = "set a smaller batch under endpoint"
	case http.StatusTooManyRequests, http.StatusRequestTimeout:
		f.do, f.hint = again, "set requests_per_second or rows_per_second under endpoint to what the service grants"
	default:
		switch a.status / 100 {
		case 5:
			f.do = again
		case 3:
			f.text += fmt.Sprintf(", which leads to host %q and is not followed", c.target(a.header.Get("Location")))
			f.hint = "set endpoint.url to where the service is"
		}
	}
	f.wait = retryAfter(a.header.Get("Retry-After"), time.Now())
	return f
}

func (c *Client) target(location string) string {
	u, err := c.base.Parse(location)
	if err != nil {
		return ""
	}
	return c.clean(u.Host)
}

// retryAfter reads the header in seconds or as a date (RFC 9110, 10.2.3).
func retryAfter(v string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// words is what a server says of an error: a short text, or a field of JSON that holds one.
func (c *Client) words(a *answer) string {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if kind == "text/html" {
		return "a page of HTML"
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(a.body, &fields) == nil {
		for _, name := range []string{"error", "detail", "message"} {
			var text string
			if json.Unmarshal(fields[name], &text) == nil && text != "" {
				return c.clean(text)
			}
			if len(fields[name]) > 0 {
				return c.clean(string(fields[name]))
			}
		}
	}
	return c.clean(string(a.body))
}

// clean makes text of somebody else's fit for a line of ours: no credentials, no
// control characters, no more than 200 characters.
func (c *Client) clean(s string) string {
	for _, secret := range c.secrets {
		s = strings.ReplaceAll(s, secret, "[credential]")
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) && r != ' ' {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}

// traces are the texts by which a credential could be recognised, longest
// first: the value, its words, and what Basic authentication encodes.
func traces(value string) []string {
	all := []string{value}
	for _, word := range strings.Fields(value) {
		all = append(all, word)
		if plain, err := base64.StdEncoding.DecodeString(word); err == nil && len(plain) > 0 {
			all = append(all, string(plain))
			_, password, _ := strings.Cut(string(plain), ":")
			all = append(all, password)
		}
	}
	for _, s := range slices.Clone(all) {
		all = append(all, url.QueryEscape(s), url.PathEscape(s), strconv.Quote(s)[1:len(strconv.Quote(s))-1])
	}
	known := []string{"Bearer", "Basic", "Token", "Digest", "bearer", "basic", "token"}
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < 4 || slices.Contains(known, s) })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}

// Package remote carries questions to a model that is served by somebody's
// system: by the Open Inference Protocol over HTTP or gRPC, or as plain JSON. It
// keeps to the rates that were agreed, tries again where a server asks for it, and
// believes nothing that comes back before it has checked its size and form.
//
// Credentials are held here alone. No error, answer or description that leaves
// the package contains one, even where a server repeats it.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/model"
)

// The protocols.
const (
	REST = "oip-rest" // Open Inference Protocol over HTTP
	GRPC = "oip-grpc" // inference.GRPCInferenceService
	JSON = "json"     // a request of one's own
)

// Config says where the model is and how it is asked.
type Config struct {
	URL      string // scheme, host and, for oip-rest, what stands before /v2; for json, the whole address
	Protocol string
	Model    string // of oip
	Version  string // of oip; "" is the server's choice
	Input    string // tensor of oip; "" is what the server says that it is
	Output   string
	Type     string // FP32 or FP64; "" is what the server says

	Request  string // of json: text with $rows, $row, $records or $record where the data goes
	Response string // of json: path to the numbers, as predictions or outputs.*.scores

	Row     []int    // shape of a row; nil is a list of numbers
	Names   []string // of features, for $records and $record
	Classes []string // names in index order, where the server answers with names

	MaxRows           int     // sent in all, those of retries included; 0: no cap
	MaxRequests       int     // made in all
	Batch             int     // rows a call at most
	RequestsPerSecond float64 // 0: no limit
	RowsPerSecond     float64
	Timeout           time.Duration // of a call
	Retries           int           // of a call
	Backoff           time.Duration // before the first retry; it doubles
	Headers           map[string]string
	CA                []byte // PEM; nil trusts what the system trusts
}

// Client asks one endpoint. It may be used by several goroutines; they share its rates.
type Client struct {
	cfg     Config
	base    *url.URL
	http    *http.Client
	secrets []string
	limit   limiter
	meter   meter
	via     protocol
	width   int
	columns atomic.Int64 // of the answers so far

	mu   sync.Mutex
	lost int // calls in a row that were given up
	last string
}

// protocol is one way of asking. A failure says what is to be done about it.
type protocol interface {
	// describe asks the server what it serves; what it leaves open stays empty.
	describe(ctx context.Context) (*artefact.EndpointInfo, *failure)
	// infer makes one call.
	infer(ctx context.Context, q *model.Question) (*numbers, *failure)
}

// numbers is an answer: rows of columns.
type numbers struct {
	rows, columns int
	values        []float32
}

// New checks a configuration and makes a client. Nothing is sent.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("open endpoint: the url is not a plain http or https address\nhint: write it as https://host:port, without user and password; credentials go under headers")
	}
	c := &Client{cfg: cfg, base: u, width: 1, limit: limiter{calls: cfg.RequestsPerSecond, rows: cfg.RowsPerSecond}, meter: meter{maxRows: cfg.MaxRows, maxRequests: cfg.MaxRequests}}
	for _, d := range cfg.Row {
		c.width *= d
	}
	for _, v := range cfg.Headers {
		c.secrets = append(c.secrets, traces(v)...)
	}
	if c.http, err = newHTTP(cfg.CA, cfg.Protocol == GRPC, u.Scheme == "https"); err != nil {
		return nil, err
	}
	switch cfg.Protocol {
	case REST:
		c.via = &rest{c}
	case GRPC:
		c.via = &grpc{c}
	case JSON:
		if c.via, err = newPlain(c); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("open endpoint: protocol %q is unknown\nhint: oip-rest, oip-grpc or json", cfg.Protocol)
	}
	return c, nil
}

// Charge counts what an earlier part of the run sent against the cap.
func (c *Client) Charge(rows, requests int) {
	c.meter.mu.Lock()
	defer c.meter.mu.Unlock()
	c.meter.charge(rows, requests)
}

// Close ends the connections that are kept open.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Address is the endpoint without anything that could be a credential.
func (c *Client) Address() string {
	return (&url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: c.base.Path}).String()
}

// Describe asks what is served, and takes from it what the configuration leaves
// open: names of tensors, their type, the width of a row.
func (c *Client) Describe(ctx context.Context) (*artefact.EndpointInfo, error) {
	var d *artefact.EndpointInfo
	f := c.again(ctx, 0, c.cfg.Retries, func(ctx context.Context) *failure {
		var f *failure
		d, f = c.via.describe(ctx)
		return f
	}, nil)
	if f != nil {
		return nil, c.explain(f)
	}
	d.URL, d.Protocol, d.Model, d.Version = c.Address(), c.cfg.Protocol, c.cfg.Model, c.cfg.Version
	if c.cfg.Protocol == JSON {
		return d, nil
	}
	in, err := pick("input", c.cfg.Input, d.Inputs)
	if err != nil {
		return nil, err
	}
	out, err := pick("output", c.cfg.Output, d.Outputs)
	if err != nil {
		return nil, err
	}
	c.cfg.Input, c.cfg.Output = in.Name, out.Name
	if c.cfg.Type == "" {
		c.cfg.Type = in.Datatype
	}
	switch c.cfg.Type {
	case "", "FP32", "FP64":
	default:
		return nil, fmt.Errorf("open endpoint: input %q takes %s; rows are sent as FP32 or FP64\nhint: serve the model with its features as floats, or set datatype: FP32 where the server converts", in.Name, c.cfg.Type)
	}
	return d, nil
}

// Double tells whether the model takes 64-bit floats. It is known after Describe.
func (c *Client) Double() bool { return c.cfg.Type == "FP64" }

// Width is the number of values a row that a description names; 0 where it leaves that open.
func Width(d *artefact.EndpointInfo, input string) int {
	for _, t := range d.Inputs {
		if input != "" && t.Name != input || len(t.Shape) < 2 {
			continue
		}
		width := int64(1)
		for _, n := range t.Shape[1:] {
			if n < 1 || width > 1<<31/n {
				return 0
			}
			width *= n
		}
		return int(width)
	}
	return 0
}

// pick finds a tensor by name, or the only one there is.
func pick(what, name string, all []artefact.Tensor) (artefact.Tensor, error) {
	names := ""
	for i, t := range all {
		if t.Name == name || name == "" && len(all) == 1 {
			return t, nil
		}
		if i > 0 {
			names += ", "
		}
		names += fmt.Sprintf("%q", t.Name)
	}
	switch {
	case name == "" && len(all) == 0:
		return artefact.Tensor{}, fmt.Errorf("open endpoint: the server does not say how its %s is named\nhint: set interface.%s.tensor, or %s under endpoint", what, what, what)
	case len(all) == 0:
		return artefact.Tensor{Name: name}, nil // the server says nothing about it
	case name == "":
		return artefact.Tensor{}, fmt.Errorf("open endpoint: the served model has %d %ss\nhint: set %s under endpoint to one of %s", len(all), what, what, names)
	}
	return artefact.Tensor{}, fmt.Errorf("open endpoint: the served model has no %s %q\nhint: its %ss are %s", what, name, what, names)
}

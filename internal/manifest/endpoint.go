package manifest

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/assize/assize/internal/artefact"
)

// Endpoint says where a served model is reached and how it is asked. Rates,
// retries and prices are those that the service grants.
type Endpoint struct {
	URL      string   `json:"url"` // http or https, without user and password
	Protocol Protocol `json:"protocol"`

	// Of the Open Inference Protocol alone. A tensor or type that is "" is what
	// the interface names, else what the server says of itself.
	Model    string `json:"model,omitempty"`
	Version  string `json:"version,omitempty"`
	Input    string `json:"input,omitempty"`
	Output   string `json:"output,omitempty"`
	Datatype string `json:"datatype,omitempty"` // FP32 or FP64

	// Of json alone.
	Request  string `json:"request,omitempty"`  // JSON in which $rows, $row, $records or $record stands for the data
	Response string `json:"response,omitempty"` // path to the numbers; "" is the whole answer

	Batch             int     `json:"batch,omitempty"` // rows a call at most
	RequestsPerSecond float64 `json:"requests_per_second,omitempty"`
	RowsPerSecond     float64 `json:"rows_per_second,omitempty"`
	MaxRows           int     `json:"max_rows,omitempty"`     // that a run may send in all, those of retries included; 0 is no cap
	MaxRequests       int     `json:"max_requests,omitempty"` // that a run may make in all

	Timeout Duration `json:"timeout,omitempty"` // of a call
	Retries *int     `json:"retries,omitempty"` // of a call
	Backoff Duration `json:"backoff,omitempty"` // before the first retry; each later one waits twice as long

	// Headers are by name; a value is "env:" and the name of the variable that holds it.
	Headers map[string]string `json:"headers,omitempty"`
	CA      string            `json:"ca,omitempty"` // path relative to Dir, PEM

	PricePer1000   float64 `json:"price_per_1000,omitempty"` // queries; a query is a row
	Currency       string  `json:"currency,omitempty"`
	QueriesPerUser int     `json:"queries_per_user,omitempty"` // that the service grants one user; 0 is not stated
}

// Protocol is how an endpoint is asked.
type Protocol string

// The protocols.
const (
	OIPREST Protocol = "oip-rest" // Open Inference Protocol over HTTP
	OIPGRPC Protocol = "oip-grpc" // the same over gRPC
	JSON    Protocol = "json"     // a request of the service's own
)

// CredentialPrefix begins the value of every header.
const CredentialPrefix = "env:"

// Served is the artefact that is a served model; false where there is none.
func (m *Manifest) Served() (Artefact, bool) { return m.First(artefact.Endpoint) }

func (e *Endpoint) fillDefaults() {
	e.Batch = cmp.Or(e.Batch, 64)
	e.Timeout = cmp.Or(e.Timeout, "30s")
	e.Backoff = cmp.Or(e.Backoff, "1s")
	if e.Retries == nil {
		retries := 4
		e.Retries = &retries
	}
}

// Largest is how many rows a call takes.
func (e *Endpoint) Largest() int {
	if strings.Contains(e.Request, "$row") && !strings.Contains(e.Request, "$rows") || strings.Contains(e.Request, "$record") && !strings.Contains(e.Request, "$records") {
		return 1
	}
	return max(1, e.Batch)
}

// Calls is how many calls so many rows take at least.
func (e *Endpoint) Calls(rows int) int { return (rows + e.Largest() - 1) / e.Largest() }

// AtLeast is how long so many rows take at the rates that were agreed.
func (e *Endpoint) AtLeast(rows int) time.Duration {
	seconds := 0.0
	if e.RequestsPerSecond > 0 {
		seconds = float64(e.Calls(rows)) / e.RequestsPerSecond
	}
	if e.RowsPerSecond > 0 {
		seconds = max(seconds, float64(rows)/e.RowsPerSecond)
	}
	return time.Duration(seconds * float64(time.Second))
}

// endpoint checks what the schema cannot say of a served model.
func (c *checker) endpoint(i int, a Artefact) {
	e := a.Endpoint
	at := func(field string) []any { return where("artefacts", i, "endpoint", field) }
	if u, err := url.Parse(e.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "" {
		c.problem("write it as https://host:port", at("url"), "%s is no http or https address", clip(redacted(e.URL)))
	} else if u.User != nil {
		c.problem("delete user and password from the url, and name a variable of the environment under headers", at("url"), "it holds a credential")
	} else if u.RawQuery != "" && e.Protocol != JSON {
		c.problem("delete the ? and what follows it", at("url"), "the protocol %s adds paths to the url and takes no query", e.Protocol)
	}
	own := map[string]bool{"model": e.Model != "", "version": e.Version != "", "input": e.Input != "", "output": e.Output != "", "datatype": e.Datatype != ""}
	other := map[string]bool{"request": e.Request != "", "response": e.Response != ""}
	if e.Protocol != JSON {
		own, other = other, own
	}
	for field, set := range own {
		if set {
			c.problem("delete it, or set another protocol", at(field), "does not belong to the protocol %s", e.Protocol)
		}
	}
	switch {
	case e.Protocol == JSON && !marked(e.Request):
		c.problem(`write request: '{"instances": $rows}'`, at("request"), "is not JSON with one of $rows, $row, $records and $record where the data goes")
	case e.Protocol != JSON && e.Model == "":
		c.problem("name the model as the server does", where("artefacts", i, "endpoint"), "missing field \"model\"")
	}
	for name := range e.Headers {
		switch strings.ToLower(name) {
		case "host", "content-length", "content-type", "connection", "transfer-encoding", "te", "trailer", "upgrade", "accept-encoding":
			c.problem("delete it", at("headers"), "%q belongs to the protocol itself", name)
		}
	}
	if e.PricePer1000 > 0 && e.Currency == "" {
		c.problem("add currency, as in EUR", at("price_per_1000"), "has no currency")
	}
}

// redacted cuts what could hold a password out of an address that cannot be read.
func redacted(s string) string {
	if i := strings.LastIndex(s, "@"); i >= 0 {
		return "…" + s[i:]
	}
	return s
}

// marked tells whether a request has exactly one place for the data and is JSON around it.
func marked(request string) bool {
	for _, mark := range []string{"$records", "$record", "$rows", "$row"} {
		if before, after, found := strings.Cut(request, mark); found {
			return !strings.Contains(before+after, "$row") && !strings.Contains(before+after, "$record") && json.Valid([]byte(before+"0"+after))
		}
	}
	return false
}

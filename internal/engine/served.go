package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/remote"
)

// maxCA bounds the file of a certificate authority.
const maxCA = 1 << 20

// Price is what asking a served model costs.
type Price struct {
	Endpoint *manifest.Endpoint
	Address  string    // without credentials
	Cap      *plan.Cap // on what is sent; nil where there is none
}

// Asked is how many of so many queries the cap on rows lets pass.
func (p *Price) Asked(queries int) int {
	if p.Cap == nil || p.Cap.Rows == 0 {
		return queries
	}
	return min(queries, p.Cap.Rows)
}

// capOf is the cap of the manifest and of the caller; nil where neither has one.
func capOf(m *manifest.Manifest, set plan.Cap) (*plan.Cap, error) {
	a, ok := m.Served()
	if !ok {
		if set != (plan.Cap{}) {
			return nil, &Refusal{errors.New("open target: there is a cap on what an endpoint is asked, and the model is a file\nhint: leave out --max-rows and --max-requests")}
		}
		return nil, nil
	}
	both := set.Or(plan.Cap{Rows: a.Endpoint.MaxRows, Requests: a.Endpoint.MaxRequests})
	if both == (plan.Cap{}) {
		return nil, nil
	}
	return &both, nil
}

// Cost is the price of so many queries; 0 is not stated.
func (p *Price) Cost(queries int) float64 { return float64(queries) * p.Endpoint.PricePer1000 / 1000 }

// connect asks a served model what it is. A model that does not answer is a
// model that does not open; a credential that is not there is a fault of the caller's.
func (t *target) connect(ctx context.Context) error {
	a, ok := t.manifest.Served()
	if !ok {
		return nil
	}
	cfg, err := t.remote(a)
	if err != nil {
		return err
	}
	if t.client, err = remote.New(*cfg); err != nil {
		return &Refusal{err}
	}
	info, err := t.client.Describe(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.plan.ModelError = err.Error()
		info = &artefact.EndpointInfo{URL: t.client.Address(), Protocol: cfg.Protocol, Model: cfg.Model, Version: cfg.Version}
	}
	i := slices.IndexFunc(t.artefacts, func(b artefact.Artefact) bool { return b.Name == a.Name })
	if t.artefacts[i], err = bound(t.artefacts[i], info); err != nil {
		return err
	}
	width := t.plan.Facts.Width
	if width == 0 && t.domain != nil {
		width = len(t.domain.Features)
	}
	if width == 0 {
		width = remote.Width(info, cfg.Input)
	}
	t.served = &model.Served{Width: width, Double: t.client.Double()}
	t.setup.Asker = t.client
	return nil
}

// bound gives the artefact of a served model the digest of what is known of it.
func bound(a artefact.Artefact, info *artefact.EndpointInfo) (artefact.Artefact, error) {
	b, err := evidence.Canonical(info)
	if err != nil {
		return a, err
	}
	a.Endpoint, a.Path, a.Digest, a.SizeBytes = info, info.URL, artefact.DigestBytes(b), int64(len(b))
	return a, nil
}

// remote is how the endpoint is asked, with the credentials from the environment.
func (t *target) remote(a manifest.Artefact) (*remote.Config, error) {
	e, in, out := a.Endpoint, t.manifest.Interface.Input, t.manifest.Interface.Output
	cfg := &remote.Config{
		URL: e.URL, Protocol: string(e.Protocol), Model: e.Model, Version: e.Version, Input: e.Input, Output: e.Output, Type: e.Datatype,
		Request: e.Request, Response: e.Response, Classes: out.Classes,
		Batch: e.Batch, RequestsPerSecond: e.RequestsPerSecond, RowsPerSecond: e.RowsPerSecond,
		Timeout: e.Timeout.Value(), Retries: *e.Retries, Backoff: e.Backoff.Value(), Headers: map[string]string{},
	}
	if t.most != nil {
		cfg.MaxRows, cfg.MaxRequests = t.most.Rows, t.most.Requests
	}
	if cfg.Input == "" {
		cfg.Input = in.Tensor
	}
	if cfg.Output == "" {
		cfg.Output = out.Tensor
	}
	if t.setup.Model != nil {
		cfg.Row = t.setup.Model.Input.Shape
	}
	if t.domain != nil {
		for _, f := range t.domain.Features {
			cfg.Names = append(cfg.Names, f.Name)
		}
		if cfg.Row == nil {
			cfg.Row = []int{len(t.domain.Features)}
		}
	}
	for name, from := range e.Headers {
		variable := strings.TrimPrefix(from, manifest.CredentialPrefix)
		value, set := os.LookupEnv(variable)
		if !set || value == "" {
			return nil, &Refusal{fmt.Errorf("open endpoint %q: the environment variable %s, which header %s takes its value from, is not set\nhint: export %s before you run assize", a.Name, variable, name, variable)}
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, &Refusal{fmt.Errorf("open endpoint %q: the environment variable %s holds a control character, which no header can\nhint: look for a line break at its end", a.Name, variable)}
		}
		cfg.Headers[name] = value
	}
	if e.CA != "" {
		full, err := t.manifest.Locate(e.CA)
		if err != nil {
			return nil, &Refusal{err}
		}
		info, err := os.Stat(full)
		if err == nil && info.Size() > maxCA {
			err = errors.New("it is larger than 1 MiB")
		}
		if err == nil {
			cfg.CA, err = os.ReadFile(full)
		}
		if err != nil {
			return nil, &Refusal{fmt.Errorf("open endpoint %q: read ca: %w\nhint: name a PEM file", a.Name, err)}
		}
	}
	return cfg, nil
}

// charge counts what observations took against the cap of the run that goes on with them.
func (t *target) charge(observations []evidence.Observation) {
	for i := range observations {
		if sent := observations[i].Traffic; sent != nil && t.client != nil {
			t.client.Charge(sent.Sent, sent.Requests)
		}
	}
}

// price is what asking costs; nil where the model is a file.
func (t *target) price() *Price {
	if t.client == nil {
		return nil
	}
	a, _ := t.manifest.Served()
	return &Price{Endpoint: a.Endpoint, Address: t.client.Address(), Cap: t.most}
}

// close lets go of the endpoint.
func (t *target) close() {
	if t.client != nil {
		t.client.Close()
	}
}

// changed says what is different of the endpoint once the run has ended; "" where nothing shows.
func (t *target) changed(ctx context.Context) string {
	if t.client == nil || t.plan.ModelError != "" {
		return ""
	}
	a, _ := t.manifest.Served()
	before := t.artefacts[slices.IndexFunc(t.artefacts, func(b artefact.Artefact) bool { return b.Name == a.Name })]
	ctx, cancel := context.WithTimeout(ctx, a.Endpoint.Timeout.Value())
	defer cancel()
	info, err := t.client.Describe(ctx)
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return fmt.Sprintf("when the run had ended, the endpoint did not say any more what it serves: %s", text)
	}
	after, err := bound(before, info)
	if err != nil || after.Digest != before.Digest {
		return "what the endpoint says of itself changed during the run: observations may be of two systems"
	}
	return ""
}

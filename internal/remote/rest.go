package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/model"
)

// rest is the Open Inference Protocol over HTTP (KServe v2, REST).
type rest struct{ *Client }

// address is a path under /v2/models/{model}[/versions/{version}].
func (r *rest) address(last string) string {
	parts := []string{"v2", "models", url.PathEscape(r.cfg.Model)}
	if r.cfg.Version != "" {
		parts = append(parts, "versions", url.PathEscape(r.cfg.Version))
	}
	if last != "" {
		parts = append(parts, last)
	}
	return r.base.JoinPath(parts...).String()
}

// restTensor is a tensor of the protocol: described, asked or answered.
type restTensor struct {
	Name     string          `json:"name"`
	Datatype string          `json:"datatype,omitempty"`
	Shape    []int64         `json:"shape,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
}

// describe implements protocol.
func (r *rest) describe(ctx context.Context) (*artefact.EndpointInfo, *failure) {
	a, f := r.get(ctx, r.address("ready"))
	if f == nil {
		f = r.judge(a)
	}
	if f != nil {
		if f.do == refuse { // some servers say so of a model that is still loading
			f.do = again
		}
		f.text = "the model is not ready: " + f.text
		return nil, f
	}
	d := &artefact.EndpointInfo{}
	var server struct{ Name, Version string }
	if a, f := r.get(ctx, r.base.JoinPath("v2").String()); f == nil && r.judge(a) == nil && json.Unmarshal(a.body, &server) == nil {
		d.Server = r.clean(server.Name + " " + server.Version)
	}
	a, f = r.get(ctx, r.address(""))
	if f == nil {
		f = r.judge(a)
	}
	if f != nil {
		if f.do == again {
			return nil, f
		}
		return d, nil // the manifest must name what it needs
	}
	var m struct {
		Versions        []string
		Platform        string
		Inputs, Outputs []restTensor
	}
	if err := json.Unmarshal(a.body, &m); err != nil {
		return nil, &failure{text: "its metadata is not that of the Open Inference Protocol: " + r.clean(err.Error()), hint: "check protocol and url under endpoint"}
	}
	d.Platform, d.Versions = r.clean(m.Platform), r.some(m.Versions)
	d.Inputs, d.Outputs = r.tensors(m.Inputs), r.tensors(m.Outputs)
	return d, nil
}

// get asks what the server says of itself.
func (r *rest) get(ctx context.Context, address string) (*answer, *failure) {
	return r.call(ctx, message{method: http.MethodGet, address: address, limit: limitBytes})
}

// kept bounds the entries of a list that a server describes itself with.
const kept = 100

func (c *Client) some(names []string) []string {
	var out []string
	for _, n := range names[:min(kept, len(names))] {
		out = append(out, c.clean(n))
	}
	return out
}

func (c *Client) tensors(all []restTensor) []artefact.Tensor {
	var out []artefact.Tensor
	for _, t := range all[:min(kept, len(all))] {
		shape := t.Shape[:min(16, len(t.Shape))]
		if shape == nil {
			shape = []int64{}
		}
		out = append(out, artefact.Tensor{Name: c.clean(t.Name), Datatype: c.clean(t.Datatype), Shape: shape})
	}
	return out
}

// infer implements protocol.
func (r *rest) infer(ctx context.Context, q *model.Question) (*numbers, *failure) {
	shape := q.Shape
	if shape == nil {
		shape = []int64{}
	}
	head, err := json.Marshal(struct {
		Name     string  `json:"name"`
		Shape    []int64 `json:"shape"`
		Datatype string  `json:"datatype"`
	}{r.cfg.Input, shape, r.typeOf(q)})
	if err != nil {
		return nil, &failure{text: r.clean(err.Error())}
	}
	body := append([]byte(`{"inputs":[`), head[:len(head)-1]...)
	body = append(body, `,"data":[`...)
	body = appendFlat(body, q, 0, elements(q.Shape))
	body = append(body, `]}],"outputs":[{"name":`...)
	name, err := json.Marshal(r.cfg.Output)
	if err != nil {
		return nil, &failure{text: r.clean(err.Error())}
	}
	body = append(append(body, name...), `}]}`...)
	a, f := r.call(ctx, deformed(q.Wire, message{http.MethodPost, r.address("infer"), "application/json", body, rowsOf(q), r.room(q)}, false))
	if f == nil {
		f = r.judge(a)
	}
	if f != nil {
		return nil, f
	}
	return r.read(a.body, q)
}

// typeOf is the type that a question is sent as: rows as the model takes them, raw ones as they are.
func (c *Client) typeOf(q *model.Question) string {
	if q.Raw || c.cfg.Type == "" {
		return q.Type
	}
	return c.cfg.Type
}

// room is how many bytes an answer may take: as many numbers of any usual size
// as came back before, for every row.
func (c *Client) room(q *model.Question) int {
	return limitBytes + rowsOf(q)*64*max(16, int(c.columns.Load()))
}

// read finds the output among an answer.
func (r *rest) read(body []byte, q *model.Question) (*numbers, *failure) {
	var m struct{ Outputs []restTensor }
	if err := json.Unmarshal(plainJSON(body), &m); err != nil {
		return nil, notNumbers("it is not an answer of the Open Inference Protocol: " + r.clean(err.Error()))
	}
	for _, t := range m.Outputs {
		if t.Name != r.cfg.Output && !(r.cfg.Output == "" && len(m.Outputs) == 1) {
			continue
		}
		values, err := r.flatten(t.Data)
		if err != nil {
			return nil, notNumbers(r.clean(err.Error()))
		}
		return shaped(values, t.Shape, q)
	}
	return nil, notNumbers(fmt.Sprintf("it holds %d outputs and none is named %q", len(m.Outputs), r.cfg.Output))
}

// shaped checks that values fill the shape and that the shape has the rows that were asked.
func shaped(values []float32, shape []int64, q *model.Question) (*numbers, *failure) {
	if n := elements(shape); len(shape) == 0 || n != len(values) {
		return nil, notNumbers(fmt.Sprintf("it holds %d numbers and says that its shape is %v", len(values), shape[:min(8, len(shape))]))
	}
	rows := int(shape[0])
	if !q.Raw && (int64(rows) != q.Shape[0] || len(values) == 0) {
		return nil, notNumbers(fmt.Sprintf("it has shape %v, and %d rows were asked", shape[:min(8, len(shape))], q.Shape[0]))
	}
	return &numbers{rows, len(values) / max(1, rows), values}, nil
}

// notNumbers is an answer that came and cannot be used. To ask again would bring it again.
func notNumbers(why string) *failure {
	return &failure{text: "the answer cannot be read: " + why, hint: "check protocol, output and response under endpoint"}
}

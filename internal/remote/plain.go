package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/model"
)

// plain asks by a request of the service's own: text with one mark where the data goes.
type plain struct {
	*Client
	before, after string
	one           bool // a call takes one row
	records       bool // a row is an object by feature
	path          []string
}

// marks are what a request can hold, the longer words first.
func marks() []string { return []string{"$records", "$record", "$rows", "$row"} }

// Mark finds the mark of a request, and what stands before and behind it; "" where the
// request has not exactly one, or is no JSON once a value stands in its place.
func Mark(request string) (before, mark, after string) {
	for _, m := range marks() {
		before, after, found := strings.Cut(request, m)
		if !found {
			continue
		}
		if strings.Contains(before+after, "$row") || strings.Contains(before+after, "$record") || !json.Valid([]byte(before+"0"+after)) {
			return "", "", ""
		}
		return before, m, after
	}
	return "", "", ""
}

func newPlain(c *Client) (*plain, error) {
	p := &plain{Client: c}
	var mark string
	if p.before, mark, p.after = Mark(c.cfg.Request); mark == "" {
		return nil, fmt.Errorf("open endpoint: the request is not JSON with one of %s in it\nhint: write request: '{\"instances\": $rows}'", strings.Join(marks(), ", "))
	}
	p.one, p.records = mark == "$row" || mark == "$record", strings.HasPrefix(mark, "$record")
	if p.one {
		c.cfg.Batch = 1
	}
	if c.cfg.Response != "" {
		p.path = strings.Split(c.cfg.Response, ".")
	}
	return p, nil
}

// describe implements protocol: such a service says nothing of itself.
func (p *plain) describe(context.Context) (*artefact.EndpointInfo, *failure) {
	return &artefact.EndpointInfo{}, nil
}

// infer implements protocol.
func (p *plain) infer(ctx context.Context, q *model.Question) (*numbers, *failure) {
	body := []byte(p.before)
	switch {
	case p.records && (len(q.Shape) != 2 || int(q.Shape[1]) != len(p.cfg.Names)):
		return nil, &failure{do: refuse, text: "an object by feature cannot be made of it"}
	case p.records && p.one:
		body = p.appendRecord(body, q, 0)
	case p.records:
		body = append(body, '[')
		for i := range int(q.Shape[0]) {
			if i > 0 {
				body = append(body, ',')
			}
			body = p.appendRecord(body, q, i*len(p.cfg.Names))
		}
		body = append(body, ']')
	case p.one && len(q.Shape) > 0 && q.Shape[0] == 1:
		body = appendNested(body, q, q.Shape[1:], 0, elements(q.Shape))
	default:
		body = appendNested(body, q, q.Shape, 0, elements(q.Shape))
	}
	body = append(body, p.after...)
	a, f := p.call(ctx, deformed(q.Wire, message{http.MethodPost, p.base.String(), "application/json", body, rowsOf(q), p.room(q)}, false))
	if f == nil {
		f = p.judge(a)
	}
	if f != nil {
		return nil, f
	}
	return p.read(a.body, q)
}

func (p *plain) appendRecord(b []byte, q *model.Question, from int) []byte {
	b = append(b, '{')
	for i, name := range p.cfg.Names {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			key = []byte(strconv.Quote(name)) // no string fails
		}
		b = append(append(b, key...), ':')
		b = appendElement(b, q, from+i)
	}
	return append(b, '}')
}

// read follows the path to the numbers. Where a call has several rows they are
// the entries of a list, alike in length.
func (p *plain) read(body []byte, q *model.Question) (*numbers, *failure) {
	whole := bytes.TrimSpace(plainJSON(body))
	if !json.Valid(whole) {
		return nil, notNumbers("it is not JSON: " + p.clean(string(body[:min(80, len(body))])))
	}
	found, err := follow(whole, p.path)
	if err != nil {
		return nil, notNumbers(p.clean(err.Error()))
	}
	var list []json.RawMessage
	if !p.one {
		if json.Unmarshal(found, &list) != nil {
			return nil, notNumbers("what response leads to is no list with an entry for every row")
		}
	} else {
		list = []json.RawMessage{found}
	}
	if !q.Raw && int64(len(list)) != q.Shape[0] {
		return nil, notNumbers(fmt.Sprintf("it has %d entries, and %d rows were asked", len(list), q.Shape[0]))
	}
	n := &numbers{rows: len(list)}
	for i, entry := range list {
		values, err := p.flatten(entry)
		if err != nil {
			return nil, notNumbers(p.clean(err.Error()))
		}
		if i == 0 {
			n.columns = len(values)
		}
		if len(values) != n.columns || len(values) == 0 {
			return nil, notNumbers(fmt.Sprintf("entry %d holds %d numbers, the first holds %d", i, len(values), n.columns))
		}
		n.values = append(n.values, values...)
	}
	return n, nil
}

// follow walks a path of field names, numbers for entries of a list, and * for
// every entry. It is only given valid JSON.
func follow(raw json.RawMessage, path []string) (json.RawMessage, error) {
	if len(path) == 0 {
		return raw, nil
	}
	step := path[0]
	var list []json.RawMessage
	i, err := strconv.ParseUint(step, 10, 31)
	if isList := json.Unmarshal(raw, &list) == nil; isList && (step == "*" || err == nil) {
		if step != "*" {
			if i >= uint64(len(list)) {
				return nil, fmt.Errorf("the list has no entry %d", i)
			}
			return follow(list[i], path[1:])
		}
		out := []byte{'['}
		for j, entry := range list {
			if j > 0 {
				out = append(out, ',')
			}
			inner, err := follow(entry, path[1:])
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
		}
		return append(out, ']'), nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object[step] == nil {
		return nil, fmt.Errorf("it has no %.40q where response leads", step)
	}
	return follow(object[step], path[1:])
}

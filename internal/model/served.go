package model

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
)

// Served is what must be known of a model that answers behind an endpoint
// before rows can be put to it.
type Served struct {
	Width int `json:"width"` // values a row
	// Columns is how many numbers come back a row; 0 where nobody has asked yet.
	Columns int  `json:"columns"`
	Double  bool `json:"double"` // it takes 64-bit floats
}

// Question is one tensor for a served model. Types are named as in the Open
// Inference Protocol: FP32, FP64, INT64, UINT8, BOOL, BYTES.
type Question struct {
	Type  string   `json:"type"`
	Shape []int64  `json:"shape"`
	Data  []byte   `json:"data,omitempty"` // the values, little-endian and row-major
	Text  []string `json:"text,omitempty"` // the values of type BYTES
	// Raw marks a tensor that may be of a form which no honest caller sends: it is
	// sent as it is, once, and a refusal is an answer.
	Raw bool `json:"raw,omitempty"`
	// Wire says how the request of a raw question is damaged on its way out, as WireCutShort; "" is not at all.
	Wire string `json:"wire,omitempty"`
}

// Reply is what came back for a question. An error says that there is none.
type Reply struct {
	Rows    int    `json:"rows"`
	Columns int    `json:"columns"`
	Data    []byte `json:"data,omitempty"` // float32, little-endian, Rows by Columns; zeros where refused
	// Refused marks the rows that the server turned away as input; empty where it took all.
	Refused []bool `json:"refused,omitempty"`
	// Refusal, Lost and Unsent are only set for raw questions: why the server turned the
	// tensor away, why no answer came at all, or why the tensor was not sent.
	Refusal  string `json:"refusal,omitempty"`
	Lost     string `json:"lost,omitempty"`
	TimedOut bool   `json:"timed_out,omitempty"` // of Lost
	Unsent   string `json:"unsent,omitempty"`
	Busy     bool   `json:"busy,omitempty"`  // of Refusal: the service is asked too much
	Fault    bool   `json:"fault,omitempty"` // of Refusal: the service takes it for a fault of its own
	Traffic
}

// Traffic is what questions to a served model took, as whoever carried them counted it.
type Traffic struct {
	Calls     int     `json:"calls"`     // that were answered with numbers
	Retries   int     `json:"retries"`   // calls that had to be made again
	Requests  int     `json:"requests"`  // calls that were made, those again and those in vain included
	Sent      int     `json:"sent"`      // rows in all of them
	Throttled int     `json:"throttled"` // answers that the service is asked too much: 429, 503, gRPC 8 or 14
	Failed    int     `json:"failed"`    // calls that were given up
	Seconds   float64 `json:"seconds"`   // that the server took, for calls that were answered with numbers
	Waited    float64 `json:"waited"`    // seconds, for the agreed rates and before retries
	// Capped says that something was not sent, because it would have gone beyond the cap on what is asked.
	Capped bool `json:"capped,omitempty"`
}

// Add adds what other questions took.
func (t *Traffic) Add(o Traffic) {
	t.Calls += o.Calls
	t.Retries += o.Retries
	t.Requests += o.Requests
	t.Sent += o.Sent
	t.Throttled += o.Throttled
	t.Failed += o.Failed
	t.Seconds += o.Seconds
	t.Waited += o.Waited
	t.Capped = t.Capped || o.Capped
}

// Asker puts questions to a served model. The worker's child holds one that
// asks its parent, which carries the traffic. Where there is an error, the reply
// holds what it took to find out, or is nil.
type Asker interface {
	Ask(ctx context.Context, q *Question) (*Reply, error)
}

// Effort is what the answers of a served model have cost so far.
type Effort struct {
	Traffic
	Rows int // that were answered, or turned away one by one
}

// Effort is what the answers have cost so far, where the model is a served one.
func (m *Model) Effort() (Effort, bool) {
	s, ok := m.p.(*served)
	if !ok {
		return Effort{}, false
	}
	return s.effort, true
}

// Columns is how many numbers the model gives out a row.
func (m *Model) Columns() int { return m.columns }

// OpenServed makes the model behind an endpoint ready. Where the number of
// columns is not known it asks for a few plain rows.
func OpenServed(ctx context.Context, spec *Spec, asker Asker) (*Model, error) {
	s := &served{asker: asker, width: spec.Served.Width, columns: spec.Served.Columns, double: spec.Served.Double}
	if s.row = rowShape(spec.Input.Shape, s.width); product(s.row) != int64(s.width) || s.width < 1 {
		return nil, fmt.Errorf("open model: a row of shape %v does not hold %d values\nhint: declare every input of the served model under domain.features", s.row, s.width)
	}
	if s.columns == 0 {
		dom, err := spec.Domain.Build()
		if err != nil {
			return nil, err
		}
		const rows = 2
		plain := &Model{spec: spec, width: s.width, dom: dom}
		if plain.scale, plain.shift, err = spec.Input.perValue(s.width); err != nil {
			return nil, err
		}
		if dom != nil && dom.Len() != s.width {
			return nil, fmt.Errorf("open model: a row has %d values, the domain declares %d features\nhint: list every input of the model, in its order, under domain.features", s.width, dom.Len())
		}
		a, err := s.ask(ctx, plain.rescale(plain.spread(rows)), rows)
		if err != nil {
			return nil, fmt.Errorf("open model: the endpoint does not answer a plain batch: %w", err)
		}
		for _, refused := range a.Refused {
			if refused {
				return nil, errors.New("open model: the endpoint refuses plain rows of the domain\nhint: compare the domain's features and their order with what the service takes")
			}
		}
		s.columns = a.Columns
	}
	m, err := New(s, spec, s.width, s.columns)
	if err != nil {
		return nil, err
	}
	m.asks = s
	return m, nil
}

// served is the predictor behind an endpoint.
type served struct {
	asker          Asker
	row            []int64
	width, columns int
	double         bool
	refused        []bool // of the last batch; nil where none was
	effort         Effort
}

// Run implements Predictor. Rows that the server turned away are zeros; refused marks them.
func (s *served) Run(ctx context.Context, x []float32, n int, out []float32) error {
	a, err := s.ask(ctx, x, n)
	if err != nil {
		return err
	}
	if a.Columns != s.columns {
		return fmt.Errorf("ask endpoint: %d numbers came back a row, before it were %d", a.Columns, s.columns)
	}
	for i := range out[:n*s.columns] {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(a.Data[4*i:]))
	}
	s.refused = a.Refused
	return nil
}

// ask puts well-formed rows and checks the form of what comes back.
func (s *served) ask(ctx context.Context, x []float32, n int) (*Reply, error) {
	q := &Question{Type: "FP32", Shape: append([]int64{int64(n)}, s.row...)}
	if s.double {
		q.Type, q.Data = "FP64", make([]byte, 0, 8*len(x))
		for _, v := range x {
			q.Data = binary.LittleEndian.AppendUint64(q.Data, math.Float64bits(float64(v)))
		}
	} else {
		q.Data = littleEndian(x)
	}
	a, err := s.put(ctx, q)
	if err != nil {
		return nil, err
	}
	if a.Rows != n || a.Columns < 1 || len(a.Data) != 4*n*a.Columns || a.Refused != nil && len(a.Refused) != n {
		return nil, fmt.Errorf("ask endpoint: %d bytes for %d rows of %d came back for %d rows", len(a.Data), a.Rows, a.Columns, n)
	}
	return a, nil
}

func (s *served) put(ctx context.Context, q *Question) (*Reply, error) {
	a, err := s.asker.Ask(ctx, q)
	if err != nil {
		return nil, err
	}
	s.effort.Add(a.Traffic)
	s.effort.Rows += a.Rows
	return a, nil
}

// raw puts a tensor of any form, in a request that is damaged where wire says how.
func (s *served) raw(ctx context.Context, t *ort.Tensor, wire string) (*RawAnswer, error) {
	q := &Question{Shape: t.Shape, Raw: true, Wire: wire}
	switch d := t.Data.(type) {
	case []float32:
		q.Type, q.Data = "FP32", littleEndian(d)
	case []float64:
		q.Type = "FP64"
		for _, v := range d {
			q.Data = binary.LittleEndian.AppendUint64(q.Data, math.Float64bits(v))
		}
	case []int64:
		q.Type = "INT64"
		for _, v := range d {
			q.Data = binary.LittleEndian.AppendUint64(q.Data, uint64(v))
		}
	case []uint8:
		q.Type, q.Data = "UINT8", d
	case []bool:
		q.Type = "BOOL"
		for _, v := range d {
			b := byte(0)
			if v {
				b = 1
			}
			q.Data = append(q.Data, b)
		}
	case []string:
		q.Type, q.Text = "BYTES", d
	default:
		return &RawAnswer{Unsent: "the protocol has no such type"}, nil
	}
	a, err := s.put(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &RawAnswer{Unsent: a.Unsent, Lost: a.Lost, TimedOut: a.TimedOut, Busy: a.Busy, Fault: a.Fault, Seconds: a.Seconds}
	if a.Refusal != "" {
		out.RefusedBy, out.Reason = "model", a.Refusal
	}
	if a.Unsent+a.Lost+a.Refusal != "" {
		return out, nil
	}
	if len(a.Data)%4 != 0 {
		return nil, fmt.Errorf("ask endpoint: %d bytes are no float32 numbers", len(a.Data))
	}
	numbers := make([]float32, len(a.Data)/4)
	for i := range numbers {
		numbers[i] = math.Float32frombits(binary.LittleEndian.Uint32(a.Data[4*i:]))
	}
	out.Outputs = []*ort.Tensor{{Type: onnx.Float, Shape: []int64{int64(len(numbers))}, Data: numbers}}
	return out, nil
}

func littleEndian(x []float32) []byte {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func product(shape []int64) int64 {
	p := int64(1)
	for _, d := range shape {
		p *= d
	}
	return p
}

package savedmodel

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/scan/wire"
)

// node is one operation: the names of what it takes, without those that it only waits
// for, and the functions that it may run. waits are all names, of what has to run before it.
type node struct {
	op            string
	inputs, waits []string
	calls         []string
	text          []string // of a constant, and of what stands between joined texts
	at            int64
}

// graph is operations by their names: the main graph, or a function with its arguments.
type graph struct {
	name  string // "" of the main graph
	args  map[string]int
	nodes map[string]*node
	files []string // nodes that take the name of a file
}

// model is what a MetaGraph says of its graph: what starts which node, and the library.
type model struct {
	main      *graph
	functions map[string][]*graph
	gradients map[string][]string
	sites     map[string][]site // where functions are called
	entries   []string          // nodes that calling or loading the model runs
	inputs    map[string]bool   // nodes that a caller feeds
	assets    map[string]bool   // nodes that stand for a file of the model
	saver     [3]string         // the nodes of the file's name, of saving and of restoring
	objects   []object
	bound     map[string][]int // of a function that a program may call, what it captured
}

// site is a place where a function is called.
type site struct {
	in *graph
	n  *node
}

// object is one of the objects that a model consists of.
type object struct {
	asset    bool
	constant string // the node of a constant
}

// maxText is how many bytes of a name, and of a constant, are kept.
const maxText = 4096

// base is the node that the name of a tensor belongs to.
func base(tensor string) string {
	tensor = strings.TrimPrefix(tensor, "^")
	if i := strings.IndexByte(tensor, ':'); i >= 0 {
		return tensor[:i]
	}
	return tensor
}

// on maps numbers of fields to what reads them.
type on map[int]func(wire.Field) error

// maxMessage is how many bytes of a message are read at once.
const maxMessage = 1 << 20

// each reads fields of a message, and passes over the others. What fits is read from the
// file once, with all that lies in it.
func (w *walker) each(f wire.Field, read on) error {
	if f.Len() > maxMessage {
		return wire.Each(w.in, f.From, f.To, func(f wire.Field) error { return w.visit(f, read) })
	}
	b, held := w.near(f)
	if !held {
		b = make([]byte, f.Len())
		if n, err := w.in.ReadAt(b, f.From); n < len(b) {
			return fmt.Errorf("read at byte %d: %w", f.From, err)
		}
		before, at := w.close, w.closeAt
		w.close, w.closeAt = b, f.From
		defer func() { w.close, w.closeAt = before, at }()
	}
	for at := 0; at < len(b); {
		num, kind, n := protowire.ConsumeTag(b[at:])
		if n < 0 {
			return fmt.Errorf("byte %d: %w", f.From+int64(at), protowire.ParseError(n))
		}
		inner := wire.Field{Num: int(num), Type: int(kind), Start: f.From + int64(at)}
		at += n
		size := protowire.ConsumeFieldValue(num, kind, b[at:])
		if size < 0 {
			return fmt.Errorf("byte %d: %w", inner.Start, protowire.ParseError(size))
		}
		inner.From, inner.To = f.From+int64(at), f.From+int64(at+size)
		switch kind {
		case protowire.VarintType:
			inner.Value, _ = protowire.ConsumeVarint(b[at:])
		case protowire.BytesType:
			_, prefix := protowire.ConsumeVarint(b[at:])
			inner.From += int64(prefix)
		}
		at += size
		if err := w.visit(inner, read); err != nil {
			return err
		}
	}
	return nil
}

// visit reads one field, which costs as much as some bytes.
func (w *walker) visit(f wire.Field, read on) error {
	if err := w.out.Spend(w.ctx, 16); err != nil {
		return err
	}
	if visit := read[f.Num]; visit != nil {
		return visit(f)
	}
	return nil
}

// near is a field's value, where it lies in what was read last.
func (w *walker) near(f wire.Field) ([]byte, bool) {
	from, to := f.From-w.closeAt, f.To-w.closeAt
	if from < 0 || to > int64(len(w.close)) {
		return nil, false
	}
	return w.close[from:to], true
}

// keep reads a text and counts the memory that it takes.
func (w *walker) keep(f wire.Field) (string, error) {
	if f.Type != wire.Bytes {
		return "", nil
	}
	b, held := w.near(f)
	s := string(b)
	if !held {
		var err error
		if s, err = wire.Text(w.in, f, 1<<16); err != nil {
			return "", err
		}
	}
	const extra = 64
	w.held += int64(len(s)) + extra
	return s, w.out.Hold(int64(len(s)) + extra)
}

// into keeps a text at a place.
func (w *walker) into(to *string) func(wire.Field) error {
	return func(f wire.Field) (err error) { *to, err = w.keep(f); return err }
}

// add appends a text to a list.
func (w *walker) add(to *[]string) func(wire.Field) error {
	return func(f wire.Field) error {
		s, err := w.keep(f)
		*to = append(*to, s)
		return err
	}
}

// pair reads an entry of a map, whose value is another message.
func (w *walker) pair(value func(key string, f wire.Field) error) func(wire.Field) error {
	return func(f wire.Field) error {
		var key string
		var inner wire.Field
		err := w.each(f, on{1: w.into(&key), 2: func(f wire.Field) error { inner = f; return nil }})
		if err != nil || inner.Num == 0 {
			return err
		}
		return value(key, inner)
	}
}

// node reads one operation into its graph.
func (w *walker) node(g *graph) func(wire.Field) error {
	return func(f wire.Field) error {
		n, name := &node{at: f.From}, ""
		err := w.each(f, on{
			1: w.into(&name), 2: w.into(&n.op), 3: w.add(&n.waits),
			5: w.pair(func(key string, f wire.Field) error { return w.attribute(n, key, f) }),
		})
		for _, in := range n.waits {
			if !strings.HasPrefix(in, "^") {
				n.inputs = append(n.inputs, in)
			}
		}
		if len(fileInputs(n.op)) > 0 {
			g.files = append(g.files, name)
		}
		g.nodes[name] = n
		return err
	}
}

// attribute keeps the functions that an operation names, and the text of a constant.
func (w *walker) attribute(n *node, key string, f wire.Field) error {
	function := func(f wire.Field) error { return w.each(f, on{1: w.add(&n.calls)}) }
	read := on{10: function, 1: func(f wire.Field) error { return w.each(f, on{9: function}) }}
	switch key {
	case "value":
		read[8] = func(f wire.Field) error { return w.each(f, on{8: w.words(n)}) }
	case "vocab_file", "separator":
		read[2] = w.words(n)
	}
	return w.each(f, read)
}

// words keeps the beginning of a text of a constant.
func (w *walker) words(n *node) func(wire.Field) error {
	return func(f wire.Field) error {
		const most = 16
		if f.Len() > maxText || len(n.text) >= most {
			n.text = append(n.text[:min(len(n.text), most)], "…") // which no checkpoint has in its name
			return nil
		}
		return w.add(&n.text)(f)
	}
}

// graphDef reads a graph and its library.
func (w *walker) graphDef(m *model) func(wire.Field) error {
	return func(f wire.Field) error {
		return w.each(f, on{
			1: w.node(m.main),
			2: func(f wire.Field) error {
				return w.each(f, on{1: w.definition(m), 2: func(f wire.Field) error {
					var from, to string
					err := w.each(f, on{1: w.into(&from), 2: w.into(&to)})
					m.gradients[from] = append(m.gradients[from], to)
					return err
				}})
			},
		})
	}
}

// definition reads a function.
func (w *walker) definition(m *model) func(wire.Field) error {
	return func(f wire.Field) error {
		g := &graph{args: map[string]int{}, nodes: map[string]*node{}}
		err := w.each(f, on{
			1: func(f wire.Field) error {
				return w.each(f, on{1: w.into(&g.name), 2: func(f wire.Field) error {
					var arg string
					err := w.each(f, on{1: w.into(&arg)})
					g.args[arg] = len(g.args)
					return err
				}})
			},
			3: w.node(g),
		})
		m.functions[g.name] = append(m.functions[g.name], g)
		return err
	}
}

// metaGraph reads what flow needs to know.
func (w *walker) metaGraph(m *model) func(wire.Field) error {
	return func(f wire.Field) error {
		return w.each(f, on{
			2: w.graphDef(m),
			3: func(f wire.Field) error {
				err := w.each(f, on{1: w.into(&m.saver[0]), 2: w.into(&m.saver[1]), 3: w.into(&m.saver[2])})
				for i, s := range m.saver {
					m.saver[i] = base(s)
				}
				return err
			},
			4: w.pair(func(key string, f wire.Field) error { return w.collection(m, key, f) }),
			5: w.pair(func(_ string, f wire.Field) error { return w.signature(m, f) }),
			6: w.asset(m),
			7: func(f wire.Field) error {
				return w.each(f, on{1: w.object(m), 2: w.pair(func(name string, f wire.Field) error { return w.concrete(m, name, f) })})
			},
		})
	}
}

// collection keeps the operations that loading runs, and the files of older models.
func (w *walker) collection(m *model, key string, f wire.Field) error {
	switch key {
	case "saved_model_main_op", "legacy_init_op", "saved_model_train_op", "table_initializer":
		var names []string
		err := w.each(f, on{1: func(f wire.Field) error { return w.each(f, on{1: w.add(&names)}) }})
		m.entries = append(m.entries, names...)
		return err
	case "saved_model_assets":
		return w.each(f, on{5: func(f wire.Field) error {
			return w.each(f, on{1: func(f wire.Field) error { return w.each(f, on{2: w.asset(m)}) }})
		}})
	}
	return nil
}

// tensor reads the names that stand for one tensor.
func (w *walker) tensor(take func(name string)) func(wire.Field) error {
	name := func(f wire.Field) error {
		s, err := w.keep(f)
		take(base(s))
		return err
	}
	return func(f wire.Field) error {
		return w.each(f, on{
			1: name,
			4: func(f wire.Field) error { return w.each(f, on{1: name, 2: name, 3: name}) },
			5: func(f wire.Field) error {
				return w.each(f, on{2: func(f wire.Field) error { return w.each(f, on{1: name}) }})
			},
		})
	}
}

// signature keeps what a caller feeds, and what a call runs.
func (w *walker) signature(m *model, f wire.Field) error {
	named := func(take func(string)) func(wire.Field) error {
		return w.pair(func(_ string, f wire.Field) error { return w.tensor(take)(f) })
	}
	return w.each(f, on{
		1: named(func(name string) { m.inputs[name] = true }),
		2: named(func(name string) { m.entries = append(m.entries, name) }),
	})
}

// asset keeps the node that stands for a file of the model.
func (w *walker) asset(m *model) func(wire.Field) error {
	return func(f wire.Field) error {
		return w.each(f, on{1: w.tensor(func(name string) { m.assets[name] = true })})
	}
}

// object keeps what one of the objects is, and the functions that it may run.
func (w *walker) object(m *model) func(wire.Field) error {
	return func(f wire.Field) error {
		var o object
		var names []string
		err := w.each(f, on{
			5: func(wire.Field) error { o.asset = true; return nil },
			6: func(f wire.Field) error { return w.each(f, on{1: w.add(&names)}) },
			8: func(f wire.Field) error { return w.each(f, on{1: w.add(&names)}) },
			9: func(f wire.Field) error { return w.each(f, on{1: w.into(&o.constant)}) },
		})
		m.objects = append(m.objects, o)
		for _, name := range names {
			if _, known := m.bound[name]; !known {
				m.bound[name] = nil
			}
		}
		return err
	}
}

// concrete keeps what a function captured, by the numbers of objects.
func (w *walker) concrete(m *model, name string, f wire.Field) error {
	var bound []int
	err := w.each(f, on{2: func(f wire.Field) error {
		if f.Type == wire.Varint {
			bound = append(bound, int(f.Value))
			return nil
		}
		return w.numbers(f, func(n uint64) { bound = append(bound, int(n)) })
	}})
	m.bound[name] = bound
	return err
}

package qualify

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
	"github.com/assize/assize/internal/scan/suite"
	"github.com/assize/assize/internal/stat"
	"github.com/assize/assize/internal/verify"
)

// cases are the suite, in the order in which it runs.
func cases() []known {
	const byHand = "by arithmetic: the score depends on one input, ten of fifty rows lie within a tenth of the cut-off"
	return []known{
		{"intervals", "Are intervals of shares those of the published formula?", "Clopper and Pearson 1934, as SciPy 1.17 and R 4 give them", intervals},
		{"evasion", "Does an attack find every row that can be moved, and no other?", byHand, func(b *bench) error { return b.evasion(system{model: slope(20), name: "model.onnx"}, "evasion/worst") }},
		{"masked-gradient", "Is a model whose gradients vanish reported as robust?", byHand + "; the slope leaves float32 no gradient", func(b *bench) error {
			return b.evasion(system{model: slope(1e6), name: "model.onnx"}, "evasion/worst")
		}},
		{"proof", "Does a proof cover every row that cannot be moved, and no other?", byHand, proof},
		{"decisions", "Do intervals decide as declared levels ask: pass, fail, inconclusive?", "by arithmetic: 90 of 100 right, 40 of 50 alarms right, 40 of 40 positives found", decisions},
		{"parity", "Is a model noticed that is not the one that runs?", "three recorded answers were changed", parity},
		{"data", "Are rows found that were trained on, and labels that contradict each other?", "five rows were copied, one of them with the other label too", data},
		{"not-a-number", "Are answers counted that are no numbers?", "by arithmetic: the root of a negative number, for half of the rows", notANumber},
		{"too-large", "Does a model that takes more memory than it may end in an answer?", "it asks for sixteen gibibytes", tooLarge},
		{"escape", "Is a model refused that reads outside its folder?", "its weights are said to lie in ../../outside", escape},
		{"pickles", "Is a file that runs a command told from one that does not?", "the opcodes of Python's pickle protocol", pickles},
		{"hand-over", "Does an untouched dossier verify and replay, and one with a changed byte not?", "one byte of the evidence is changed", handOver},
	}
}

// intervals compares with values that anybody can recompute.
func intervals(b *bench) error {
	for _, c := range []struct {
		k, n         int
		lower, upper float64
	}{{8, 10, 0.44390, 0.97479}, {0, 10, 0, 0.30850}, {45, 50, 0.78186, 0.96672}} {
		i, err := stat.ClopperPearson(c.k, c.n, 0.95)
		if err != nil {
			return err
		}
		b.near("lower bound", i.Lower, c.lower, 5e-6)
		b.near("upper bound", i.Upper, c.upper, 5e-6)
	}
	return nil
}

// evasion expects exactly the rows within the budget to be broken.
func (b *bench) evasion(s system, probe string) error {
	s.labels, s.claims, s.declared = above, "evasion", "  robust_accuracy: {at_least: 0.95}\n"
	d, err := b.run(s)
	if err != nil {
		return err
	}
	robust, err := metric(d, probe, "robust_accuracy")
	if err != nil {
		return err
	}
	b.is("rows", robust.N, attacked)
	b.near("robust accuracy", robust.Value, 0.8, 1e-9)
	b.is("goal evasion", goal(d, "evasion"), dossier.Fail)
	return nil
}

func proof(b *bench) error {
	d, err := b.run(system{model: []byte(stump), name: "model.json", labels: above, claims: "evasion"})
	if err != nil {
		return err
	}
	for name, want := range map[string]float64{"verified_share": 0.8, "broken_share": 0.2, "unproven_share": 0} {
		m, err := metric(d, "formal/trees", name)
		if err != nil {
			return err
		}
		b.near(name, m.Value, want, 1e-9)
	}
	return nil
}

func decisions(b *bench) error {
	labels := func(i int) int {
		if i >= 60 {
			return 1
		}
		return 0 // from 50 to 60 alarms that are wrong
	}
	d, err := b.run(system{
		model: slope(20), name: "model.onnx", labels: labels, rows: 100, claims: "accuracy",
		declared: "  accuracy: {at_least: 0.7}\n  precision: {at_least: 0.99}\n  recall: {at_least: 0.95}\n",
	})
	if err != nil {
		return err
	}
	want := map[string]dossier.Verdict{"declared/accuracy": dossier.Pass, "declared/precision": dossier.Fail, "declared/recall": dossier.Inconclusive}
	seen := 0
	for _, k := range d.Decisions {
		if w, ok := want[k.Criterion]; ok {
			b.is(k.Criterion, k.Decision, w)
			seen++
		}
	}
	b.is("decisions", seen, len(want))
	b.is("goal accuracy", goal(d, "accuracy"), dossier.Fail)
	return nil
}

func parity(b *bench) error {
	served := func(i int) float64 {
		if i%20 == 7 { // rows 7, 27 and 47
			return 1 - float64(above(i))
		}
		return float64(above(i))
	}
	d, err := b.run(system{model: slope(1e6), name: "model.onnx", labels: above, served: served, claims: "parity"})
	if err != nil {
		return err
	}
	m, err := metric(d, "performance/parity", "disagreements")
	if err != nil {
		return err
	}
	b.is("disagreements", m.Value, 3)
	b.is("goal parity", goal(d, "parity"), dossier.Fail)
	return nil
}

func data(b *bench) error {
	d, err := b.run(system{model: slope(20), name: "model.onnx", labels: func(i int) int { return i % 2 }, train: true, claims: "data-separation"})
	if err != nil {
		return err
	}
	for name, want := range map[string]float64{"leaked_rows": 5, "conflict_groups": 1, "conflict_rows": 2, "duplicate_rows": 0} {
		m, err := metric(d, "poisoning/duplicates", name)
		if err != nil {
			return err
		}
		b.is(name, m.Value, want)
	}
	b.is("goal data-separation", goal(d, "data-separation"), dossier.Fail)
	return nil
}

func notANumber(b *bench) error {
	// The root of p - 1/2: no number below the cut-off.
	half := &onnx.Node{OpType: "Constant", Outputs: []string{"half"}, Attributes: []*onnx.Attribute{{Name: "value", Type: onnx.AttrTensor, Tensor: onnx.NewFloats("half", []int64{1}, []float32{0.5})}}}
	d, err := b.run(system{
		model: slope(20, half, &onnx.Node{OpType: "Sub", Inputs: []string{"p", "half"}, Outputs: []string{"q"}}, &onnx.Node{OpType: "Sqrt", Inputs: []string{"q"}, Outputs: []string{"r"}}),
		name:  "model.onnx", labels: above, claims: "malformed-input",
	})
	if err != nil {
		return err
	}
	m, err := metric(d, "performance/classification", "unusable")
	if err != nil {
		return err
	}
	b.is("unusable answers", m.Value, 25)
	return nil
}

func tooLarge(b *bench) error {
	shape := &onnx.Node{OpType: "Constant", Outputs: []string{"shape"}, Attributes: []*onnx.Attribute{{Name: "value_ints", Type: onnx.AttrInts, Ints: []int64{1 << 32, 1}}}}
	d, err := b.run(system{
		model: slope(20, shape, &onnx.Node{OpType: "Expand", Inputs: []string{"p", "shape"}, Outputs: []string{"q"}}, &onnx.Node{OpType: "ReduceMean", Inputs: []string{"q"}, Outputs: []string{"r"}}),
		name:  "model.onnx", labels: above, claims: "evasion",
	})
	if err != nil {
		return err
	}
	b.is("an attack was measured", measured(d, "evasion/hopskipjump"), false)
	b.is("goal evasion", goal(d, "evasion"), dossier.NotAssessed)
	return nil
}

func escape(b *bench) error {
	m, err := onnx.Read(slope(20), onnx.DefaultLimits())
	if err != nil {
		return err
	}
	w := m.Graph.Initializers[0]
	w.HasRaw, w.Raw, w.Data, w.DataIn, w.Location = false, nil, nil, 0, 1
	w.External = []onnx.Entry{{Key: "location", Value: "../../outside"}}
	d, err := b.run(system{model: m.Bytes(), name: "model.onnx", labels: above, claims: "artefact-safety"})
	if err != nil {
		return err
	}
	b.is("goal artefact-safety", goal(d, "artefact-safety"), dossier.Fail)
	return nil
}

// pickles are protocol 0 by hand: a command, a plain list, and a list that breaks off.
func pickles(b *bench) error {
	set, err := rules.Load()
	if err != nil {
		return err
	}
	scanner := suite.Scanner(set, b.Now)
	for _, c := range []struct {
		name, bytes string
		want        scan.Outcome
	}{
		{"a command", "cos\nsystem\n(S'true'\ntR.", scan.Malicious},
		{"a list of numbers", "(lp0\nI1\naI2\na.", scan.Clean},
		{"a list that breaks off", "\x80\x02]q\x00(K\x01K\x02e", scan.Incomplete},
	} {
		got := scan.Clean
		err := scanner.Reader(b.ctx, c.name, bytes.NewReader([]byte(c.bytes)), int64(len(c.bytes)), func(r scan.FileReport) error {
			got = max(got, r.Outcome)
			return nil
		})
		if err != nil {
			return err
		}
		b.is(c.name, got, c.want)
	}
	return nil
}

func handOver(b *bench) error {
	dir, err := b.write(system{model: slope(20), name: "model.onnx", labels: above, claims: "evasion"})
	if err != nil {
		return err
	}
	_, path, err := b.assess(dir)
	if err != nil {
		return err
	}
	report, err := verify.Dossier(b.ctx, path, nil)
	if err != nil {
		return err
	}
	b.is("the untouched dossier verifies", report.OK(), true)
	again, err := engine.Replay(b.ctx, engine.ReplayOptions{
		Options: engine.Options{Tool: b.Tool, Command: b.Command, KeyFolder: dir + "-key", Now: b.Now, Log: discard{}},
		Dossier: path, Sample: 2, Nonce: []byte("known-answer"),
	})
	if err != nil {
		return err
	}
	b.is("it replays", again.OK(), true)
	files, err := filepath.Glob(filepath.Join(path, "evidence", "*"))
	if err != nil || len(files) == 0 {
		return errors.New("the dossier holds no evidence")
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(files[0], content, 0o600); err != nil {
		return err
	}
	if report, err = verify.Dossier(b.ctx, path, nil); err != nil {
		return err
	}
	b.is("with a changed byte it verifies", report.OK(), false)
	return nil
}

// run writes a system and assesses it.
func (b *bench) run(s system) (*dossier.Dossier, error) {
	dir, err := b.write(s)
	if err != nil {
		return nil, err
	}
	d, _, err := b.assess(dir)
	return d, err
}

// metric is a number of a probe's run with the solutions as deployed.
func metric(d *dossier.Dossier, probe, name string) (result.Metric, error) {
	for _, o := range d.Observations {
		if o.Probe != probe {
			continue
		}
		if m, ok := o.Metrics[name]; ok {
			return m, nil
		}
		return result.Metric{}, errors.New(probe + " is " + string(o.State) + " and gives no " + name + ": " + o.Reason)
	}
	return result.Metric{}, errors.New(probe + " did not run")
}

func measured(d *dossier.Dossier, probe string) bool {
	for _, o := range d.Observations {
		if o.Probe == probe && o.State == result.Measured {
			return true
		}
	}
	return false
}

func goal(d *dossier.Dossier, id string) dossier.Verdict {
	for _, g := range d.Goals {
		if g.ID == id {
			return g.Decision
		}
	}
	return ""
}

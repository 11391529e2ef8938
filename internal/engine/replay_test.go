package engine_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/replay"
	"github.com/assize/assize/internal/verify"
)

// again replays a dossier on a target: one observation, which the nonce is
// chosen to draw, or all where no probe is named.
func again(t *testing.T, dir, target, probe string) *replay.Report {
	t.Helper()
	o := engine.ReplayOptions{Options: options(t, target), Dossier: dir, Rows: 40, Nonce: []byte{0, 0}}
	if probe != "" {
		d := must(dossier.Read(dir))(t)
		var items []string
		wanted := ""
		for _, it := range d.Plan.Items {
			items = append(items, it.ID)
			if it.Probe == probe && it.Deployed {
				wanted = it.ID
			}
		}
		for o.Sample = 1; replay.Draw(d.Plan.Digest, o.Nonce, items, 1)[0] != wanted; o.Nonce[0]++ {
		}
	}
	return must(engine.Replay(context.Background(), o))(t)
}

// faults are all that a replay holds against a dossier.
func faults(r *replay.Report) string {
	var all []string
	for _, c := range r.Checks {
		if !c.OK {
			all = append(all, c.Name+": "+c.Detail)
		}
	}
	for _, o := range r.Observations {
		for _, w := range o.Wrong {
			all = append(all, o.ID+" "+o.Probe+": "+w)
		}
	}
	return strings.Join(all, "\n")
}

// join makes the numbers of a probe's deployed run follow from its rows.
func join(t *testing.T, f *forged, probe string) {
	t.Helper()
	p, ok := suite.Find(suite.All(), probe)
	if !ok {
		t.Fatalf("there is no probe %s", probe)
	}
	o := f.observation(t, probe)
	facts := measure.Facts{TestRows: f.Plan.TestRows, Classes: 10, OutputKind: "logits", Rule: "argmax"}
	for _, c := range "0123456789" {
		facts.ClassNames, facts.Outcomes = append(facts.ClassNames, string(c)), append(facts.Outcomes, string(c))
	}
	r := must(p.Join(&measure.Joint{Params: o.Parameters, Rows: f.rows[probe], Facts: facts}))(t)
	o.Metrics, o.Validity, o.Findings = r.Metrics, r.Validity, r.Findings
}

// TestReplayNamesForgeries forges dossiers that verify, each in one way, and replays them.
func TestReplayNamesForgeries(t *testing.T) {
	target := example(t, "digits")
	_, honest := assess(t, options(t, target))
	if r := again(t, honest, "", ""); !r.OK() || !r.SameMachine || len(r.Observations) != r.Recorded || len(r.Shows) != 4 {
		t.Fatalf("an honest dossier: got %+v", r)
	}

	// The same target with another model behind the name.
	other := example(t, "digits")
	model := filepath.Join(other, "model.onnx")
	b := must(os.ReadFile(model))(t)
	for i := len(b) / 2; i < len(b)/2+4096; i += 4 {
		b[i+3] ^= 0x80 // signs of weights
	}
	put(t, model, b)
	_, of := assess(t, options(t, other))

	for _, tt := range []struct {
		name, from string
		change     func(*forged)
		draw, want string
	}{
		{"nothing but another key", honest, func(*forged) {}, "evasion/noise", ""},
		{"a number over honest rows", honest, func(f *forged) {
			m := f.observation(t, "performance/classification").Metrics
			b := m["balanced_accuracy"]
			b.Value, b.Lower = b.Value+0.01, b.Lower+0.01
			m["balanced_accuracy"] = b
		}, "performance/parity", "performance/classification: balanced_accuracy was recorded as"},
		{"a check over honest rows", honest, func(f *forged) {
			f.observation(t, "evasion/noise").Check("enough-rows", false, "")
		}, "performance/parity", "checks of its own that failed"},
		{"rows with their numbers", honest, func(f *forged) {
			rows := f.rows["evasion/noise"]
			for i := range rows.Len() {
				rows.Column("broken")[i], rows.Column("gained")[i] = 0, 0
				rows.Column("stands")[i] = rows.Column("right")[i]
			}
			for i := range rows.Len() / 5 {
				rows.Column("right")[i] = 1 - rows.Column("right")[i]
				rows.Column("stands")[i] = rows.Column("right")[i]
			}
			join(t, f, "evasion/noise")
		}, "evasion/noise", "have another outcome"},
		{"rows of another draw", honest, func(f *forged) {
			rows := f.rows["evasion/noise"]
			for free := range f.Plan.TestRows {
				if !slices.Contains(rows.Index, free) {
					rows.Index[0] = free
					break
				}
			}
		}, "performance/parity", "is not among those that plan and nonce draw"},
		{"rows left out", honest, func(f *forged) {
			*f.rows["evasion/noise"] = *f.rows["evasion/noise"].Pick(f.rows["evasion/noise"].Index[1:])
			join(t, f, "evasion/noise")
		}, "performance/parity", "1 of 100 drawn rows are missing"},
		{"another nonce", honest, func(f *forged) { f.Plan.SeedNonce = strings.Repeat("5a", 32) }, "performance/parity", "is not among those that plan and nonce draw"},
		{"a weaker attack", honest, func(f *forged) {
			for i := range f.Plan.Items {
				if it := &f.Plan.Items[i]; it.Probe == "evasion/hopskipjump" {
					it.Parameters["queries"] = 10.0
				}
			}
			for i := range f.Observations {
				if o := &f.Observations[i]; o.Probe == "evasion/hopskipjump" {
					o.Parameters["queries"] = 10.0
				}
			}
		}, "performance/parity", "other rows, parameters or inputs than the manifest asks for"},
		{"an attack left out", honest, func(f *forged) { f.drop("evasion/hopskipjump") }, "performance/parity", "evasion/hopskipjump with solutions [] is left out"},
		{"an easier level", honest, func(f *forged) { *f.Plan.Criteria[0].Threshold = 0.1 }, "performance/parity", "the criteria are not those of the catalogue"},
		{"a claim withdrawn", honest, func(f *forged) { f.Plan.Claims = f.Plan.Claims[:1] }, "performance/parity", "the plan claims"},
		{"evidence of another model", of, func(f *forged) {
			mine := must(dossier.Read(honest))(t)
			f.Artefacts, f.Plan.Artefacts = mine.Artefacts, mine.Plan.Artefacts
			for i := range f.Observations {
				for _, o := range mine.Observations {
					if o.Item == f.Observations[i].Item {
						f.Observations[i].Inputs = o.Inputs
					}
				}
			}
		}, "performance/classification", "performance/classification: of"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := forge(t, tt.from, tt.change)
			if v := must(verify.Dossier(context.Background(), dir, nil))(t); !v.OK() {
				t.Fatalf("the forgery does not verify: %+v", v.Checks)
			}
			got := faults(again(t, dir, target, tt.draw))
			if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("got\n%s\nwant %q in it", got, tt.want)
			}
		})
	}
	t.Run("files", func(t *testing.T) { wantsTheRecordedFiles(t, honest, target) })
}

// wantsTheRecordedFiles changes what lies beside a dossier.
func wantsTheRecordedFiles(t *testing.T, dir, target string) {
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	for _, tt := range []struct {
		file   string
		change func([]byte) []byte
		want   string
	}{
		{"model.onnx", flip, `model and data: model model: "model.onnx" has digest`},
		{"test.npz", flip, `model and data: dataset test: "test.npz" has digest`},
		{"assize.yaml", func(b []byte) []byte { return append(b, '\n') }, `model and data: manifest: "assize.yaml" has digest`},
		{"served.npz", nil, `recorded-outputs served: "served.npz" is not there`},
		{"dossier/dossier.json", func(b []byte) []byte { return bytes.Replace(b, []byte("digit-reader"), []byte("digit-writer"), 1) }, `verification: every file: "dossier.json" was changed`},
	} {
		path := filepath.Join(target, filepath.FromSlash(tt.file))
		b := must(os.ReadFile(path))(t)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if tt.change != nil {
			put(t, path, tt.change(bytes.Clone(b)))
		}
		r := again(t, dir, "", "performance/parity")
		if got := faults(r); r.OK() || !strings.Contains(got, tt.want) || len(r.Observations) > 0 {
			t.Errorf("%s: got %s, want %q", tt.file, got, tt.want)
		}
		put(t, path, b)
	}
	if r := again(t, dir, "", "performance/parity"); !r.OK() {
		t.Errorf("put back as it was, it is not confirmed: %s", faults(r))
	}
	_, err := engine.Replay(context.Background(), engine.ReplayOptions{Options: options(t, t.TempDir()), Dossier: dir, Nonce: []byte{1}})
	if err == nil || !strings.Contains(err.Error(), "hint: name the folder with model and data: --target DIR") {
		t.Errorf("got %v", err)
	}
}
